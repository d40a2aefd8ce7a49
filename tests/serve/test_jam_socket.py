"""WS /v1/jam on a real server: from start to bye, and everything a player may do wrong."""

import json
import threading
import time
from collections.abc import Iterator

import pytest
from jam_server import Place, until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from sideman.serve.outbox import PATIENCE_SECONDS

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def home(shared_home) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIDEMAN_HOME", str(shared_home))
        patch.setattr("sideman.engine.models.SHIPPED", shared_home / "nothing")
        yield


@pytest.fixture(scope="module")
def place(home) -> Iterator[Place]:
    place = Place()
    yield place
    place.stop()


def test_from_start_to_bye(place):
    with place.player() as player:
        started = player.start(tempo=2, meter="3/4", lookahead=3, commit=1, listen=4, temperature=0.5, seed=7)
        assert started["type"] == "started"
        assert (started["version"], started["resumed"], started["model"]) == (1, False, "online")
        assert started["settings"] == {
            "tempo": 2, "meter": "3/4", "lookahead": 3, "commit": 1, "listen": 4, "temperature": 0.5, "seed": 7,
        }  # fmt: skip
        plans = [player.play(beat + 0.05, 60 + beat) for beat in range(8)]
        for number, plan in enumerate(plans):
            assert (plan["request"], plan["frame"], plan["frames"]) == (number, 4 * number + 1, 12)
            assert all(chord["onset"] >= 4 for chord in plan["chords"])
        last = plans[-1]
        assert last["committed"] == 0, "a beat has gone by, and no more was promised"
        for chord in last["chords"]:
            assert set(chord) == {"onset", "duration", "symbol", "pitches", "bass", "struck"}
        assert last["timings"]["queued"] >= 0
        assert last["timings"]["sent"] >= last["timings"]["arrived"] + last["timings"]["computed"]
        assert last["service"]["frames"] == last["service"]["hits"] + last["service"]["misses"] == 29 - 16
        player.send(type="stop")
        bye = player.hear("bye")
        assert (bye["reason"], bye["service"]) == ("stopped", last["service"])
        assert player.closed() == 1000


def test_settings_change_while_playing(place):
    with place.player() as player:
        player.start()
        player.play(1.05, 60)
        player.send(type="set", tempo=180, lookahead=2, commit=4, model=None)
        answer = player.hear("settings")
        assert (answer["settings"]["tempo"], answer["settings"]["commit"], answer["model"]) == (180, 2, "online")
        assert player.play(2.05)["frames"] == 8 + 0


def test_introductions_are_sent_while_listening(place):
    with place.player() as player:
        player.start(listen=6)
        player.send(type="notes", request=0, beat=2.05, notes=[{"on": True, "pitch": 60, "beat": 0.5}])
        intro = player.hear("intro")
        assert all(chord["onset"] + chord["duration"] <= 2.25 for chord in intro["chords"])


WRONG = {
    "order": ({"type": "notes", "request": 0, "beat": 1.0}, "wrong_order", ["start"]),
    "stop before start": ({"type": "stop"}, "wrong_order", ["start"]),
    "unknown type": ({"type": "dance"}, "wrong_message", ["start"]),
    "no type": ({"version": 1}, "wrong_message", ["start"]),
    "tempo 0": ({"type": "start", "version": 1, "tempo": 0}, "wrong_value", ["start"]),
    "tempo 1e9": ({"type": "start", "version": 1, "tempo": 1e9}, "wrong_value", ["start"]),
    "metre": ({"type": "start", "version": 1, "meter": "4/5"}, "wrong_value", ["start"]),
    "model": ({"type": "start", "version": 1, "model": "nobody"}, "unknown_model", ["start"]),
    "offline model": ({"type": "start", "version": 1, "model": "offline"}, "unknown_model", ["start"]),
    "unknown field": ({"type": "start", "version": 1, "colour": "red"}, "wrong_message", ["start"]),
    "a list": ([1, 2, 3], "wrong_message", ["start"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_start_is_named_and_can_be_repeated(place, case):
    message, code, expected = WRONG[case]
    with place.player() as player:
        player.line.send(json.dumps(message))
        error = player.hear()
        assert (error["type"], error["code"], error["expected"]) == ("error", code, expected)
        assert error["message"].endswith(".")
        assert "\n" not in error["message"]
        assert not error["fatal"]
        assert player.start()["type"] == "started"


LATER = {
    "start again": ({"type": "start", "version": 1}, "wrong_order"),
    "pitch 200": ({"type": "notes", "request": 9, "beat": 2.0, "notes": [{"on": True, "pitch": 200, "beat": 1.9}]},
                  "wrong_value"),
    "the past": ({"type": "notes", "request": 9, "beat": 9.0, "notes": [{"on": True, "pitch": 60, "beat": 1.0}]},
                 "wrong_value"),
    "the far future": ({"type": "notes", "request": 9, "beat": 9.0, "notes": [{"on": True, "pitch": 60, "beat": 99}]},
                       "wrong_value"),
    "a leap": ({"type": "notes", "request": 9, "beat": 9000.0}, "wrong_value"),
    "tempo 0": ({"type": "set", "tempo": 0}, "wrong_value"),
    "tempo 1e9": ({"type": "set", "tempo": 1e9}, "wrong_value"),
    "model": ({"type": "set", "model": "nobody"}, "unknown_model"),
    "metre": ({"type": "set", "meter": "4/5"}, "wrong_value"),
    "no request": ({"type": "notes", "beat": 2.0}, "wrong_message"),
}  # fmt: skip


@pytest.mark.parametrize("case", LATER)
def test_a_wrong_message_later_changes_nothing(place, case):
    message, code = LATER[case]
    with place.player() as player:
        player.start()
        for beat in range(6):
            player.play(beat + 0.05, 60 + beat)
        player.send(**message)
        error = player.hear("error")
        assert error["code"] == code
        assert not error["fatal"]
        plan = player.play(6.05, 66)
        assert plan["type"] == "plan"
        assert plan["service"]["misses"] == 0


@pytest.mark.parametrize("text", ["", "{", "\x00", "[" * 100_000, '{"type": NaN}'])
def test_what_is_not_json_is_refused(place, text):
    with place.player() as player:
        player.line.send(text)
        assert player.hear()["code"] == "wrong_message"
        player.line.send(text.encode())
        assert player.hear()["code"] == "wrong_message"
        assert player.start()["type"] == "started"


def test_unknown_versions_end_the_line(place):
    with place.player() as player:
        error = player.start(version=2)
        assert (error["code"], error["fatal"]) == ("unknown_version", True)
        assert player.closed() == 1008


def test_a_message_of_a_megabyte_ends_the_line(place):
    with place.player() as player:
        player.start()
        player.line.send(json.dumps({"type": "set", "model": "x" * 1_000_001}))
        error = player.hear("error")
        assert (error["code"], error["fatal"]) == ("too_large", True)
        assert player.closed() == 1008


def test_ten_thousand_messages_a_second_end_the_line(place):
    with place.player() as player:
        player.start()

        def flood() -> None:
            try:
                for number in range(10_000):
                    player.send(type="notes", request=number, beat=1.0)
            except ConnectionClosed:
                pass

        flooding = threading.Thread(target=flood, daemon=True)
        flooding.start()
        error = player.hear("error")
        assert (error["code"], error["fatal"]) == ("too_many_messages", True)
        flooding.join(20)
    with place.player() as other:
        assert other.start()["type"] == "started"


def test_foreign_pages_are_told_and_shown_out(place):
    with place.player(origin="http://evil.example") as player:
        error = player.hear()
        assert (error["type"], error["code"], error["fatal"]) == ("error", "foreign_origin", True)
        assert player.closed() == 1008
    with place.player(origin=f"http://127.0.0.1:{place.port}") as player:
        assert player.start()["type"] == "started"


def test_the_token_is_asked_for(home):
    place = Place(token="s3cret")
    try:
        for query in ("", "?token=wrong"):
            with place.player(query) as player:
                error = player.hear()
                assert (error["code"], error["fatal"]) == ("unauthorized", True)
                assert player.closed() == 1008
        with place.player("?token=s3cret") as player:
            assert player.start()["type"] == "started"
        with place.player(additional_headers={"Authorization": "Bearer s3cret"}) as player:
            assert player.start()["type"] == "started"
    finally:
        place.stop()


def test_a_slow_reader_holds_up_nobody(place):
    """One asks for plans and never reads them; another plays on, and the first finds only what still matters."""
    with place.player() as slow, place.player() as quick:
        slow.start(lookahead=8)
        quick.start()
        for beat in range(150):
            slow.send(type="notes", request=beat, beat=beat + 0.05, notes=[{"on": True, "pitch": 60, "beat": beat}])
            time.sleep(0.002)
        started = time.monotonic()
        for beat in range(10):
            assert quick.play(beat + 0.05, 60)["request"] == beat
        assert time.monotonic() - started < PATIENCE_SECONDS
        last = -1
        while last < 149:
            last = slow.hear("plan")["request"]


def test_health_counts_players_and_how_they_are_served(place):
    before = place.get("/v1/health")["jam"]
    with place.player() as player:
        player.start()
        for beat in range(5):
            player.play(beat + 0.05, 60)
        now = place.get("/v1/health")["jam"]
        assert now["players"] == before["players"] + 1
        assert now["service"]["frames"] == before["service"]["frames"] + 16
        player.send(type="stop")
        player.hear("bye")
    until(lambda: place.get("/v1/health")["jam"]["players"] == before["players"])
    assert place.get("/v1/health")["jam"]["service"]["frames"] == now["service"]["frames"]


def test_melodies_to_harmonise_do_not_starve_the_jam(place):
    """While another thread works on options all the time, plans keep coming almost as quickly as without."""
    melody = {"notes": [{"onset": i / 2, "duration": 0.5, "pitch": 60 + i % 9} for i in range(128)]}
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            place.post("/v1/options", {"melody": melody, "n": 4})

    asking = threading.Thread(target=ask, daemon=True)
    with place.player() as player:
        player.start()

        def wait() -> float:
            """Of 20 waits for a plan the longest but four, in seconds."""
            waits = []
            for _ in range(20):
                beat, began = player.request + 1, time.monotonic()
                player.play(beat + 0.05, 60 + beat % 12)
                waits.append(time.monotonic() - began)
            return sorted(waits)[15]

        alone = wait()
        asking.start()
        try:
            assert wait() < 0.5 + 10 * alone
        finally:
            stop.set()
            asking.join(60)


def test_the_server_says_goodbye(home):
    place = Place()
    with place.player() as player, place.player() as other:
        player.start()
        player.play(1.05, 60)
        other.start()
        place.stop()
        assert player.hear("bye")["reason"] == other.hear("bye")["reason"] == "shutdown"


def test_the_page_may_be_fetched_while_others_jam(place):
    with connect(place.url("/v1/jam", "ws")), place.player() as player:
        player.start()
        assert place.get("/v1/models")["models"]
