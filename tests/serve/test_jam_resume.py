"""A line that breaks: the jam is taken up where it was, by this server or by another."""

import gc
import json
import urllib.request
from asyncio import Transport
from weakref import WeakSet

import pytest
from jam_server import Place, until
from uvicorn.protocols.http.h11_impl import H11Protocol

from sideman.serve import jam_room

pytestmark = pytest.mark.live


@pytest.fixture
def place(tiny_home):
    place = Place()
    yield place
    place.stop()


def play_on(player, beats):
    return [player.play(beat + 0.05, 60 + beat % 7) for beat in beats]


def test_a_player_who_comes_back_goes_on(place):
    with place.player() as whole:
        whole.start(seed=5)
        expected = play_on(whole, range(12))
    with place.player() as player:
        session = player.start(seed=5)["session"]
        plans = play_on(player, range(6))
    until(lambda: place.get("/v1/health")["jam"]["players"] == 0)
    with place.player() as player:
        started = player.start(session=session, history={"notes": [], "chords": []})
        assert (started["session"], started["resumed"]) == (session, True)
        player.request = 5
        plans += play_on(player, range(6, 12))
    assert [plan["chords"] for plan in plans] == [plan["chords"] for plan in expected]


def test_what_is_sent_again_after_a_break_counts_once(place):
    with place.player() as player:
        session = player.start()["session"]
        plans = play_on(player, range(6))
    with place.player() as player:
        player.start(session=session)
        notes = [{"on": True, "pitch": 60 + beat % 7, "beat": beat + 0.05 - 0.02} for beat in range(3, 6)]
        player.send(type="notes", request=6, beat=5.05, notes=notes)
        assert player.hear("plan", "error")["chords"] == plans[-1]["chords"]


def test_two_pages_on_one_jam_the_newer_has_it(place):
    with place.player() as old:
        session = old.start()["session"]
        play_on(old, range(3))
        with place.player() as new:
            assert new.start(session=session)["resumed"]
            assert old.hear("bye")["reason"] == "replaced"
            assert old.closed() == 1000
            new.request = 2
            assert new.play(3.05, 60)["type"] == "plan"


def test_a_restarted_server_takes_the_history(tiny_home):
    first = Place()
    with first.player() as player:
        session = player.start()["session"]
        plans = play_on(player, range(8))
    first.stop()
    # What a page knows: the notes it played and the chords that sounded.
    notes = [{"onset": beat + 0.03, "duration": 0.9, "pitch": 60 + beat % 7} for beat in range(8)]
    sounded = [
        {"onset": chord["onset"], "duration": 1.0, "symbol": chord["symbol"]}
        for plan in plans for chord in plan["chords"][:1]
    ]  # fmt: skip
    second = Place()
    try:
        with second.player() as player:
            started = player.start(session=session, history={"notes": notes, "chords": sounded})
            assert started["type"] == "started", started
            assert not started["resumed"]
            assert started["session"] != session
            plan = player.play(8.05, 64)
            assert plan["frame"] == 33
            assert plan["frames"] == 16
            assert plan["service"]["misses"] == 0
    finally:
        second.stop()


@pytest.mark.parametrize(
    "history", [{"notes": [{"onset": 0, "duration": 1, "pitch": 300}]},
                {"chords": [{"onset": 0, "duration": 1, "symbol": "H9"}]},
                {"songs": []}],
)  # fmt: skip
def test_a_wrong_history_is_named(place, history):
    with place.player() as player:
        error = player.start(session="gone", history=history)
        assert error["type"] == "error"
        assert not error["fatal"]
        assert player.start()["type"] == "started"


def test_an_unknown_session_without_history_starts_anew(place):
    with place.player() as player:
        started = player.start(session="unheard-of")
        assert (started["type"], started["resumed"]) == ("started", False)


def test_seats_are_cleared_after_a_while(tiny_home, monkeypatch):
    monkeypatch.setattr(jam_room, "RESUME_SECONDS", 0.1)
    monkeypatch.setattr(jam_room, "SWEEP_SECONDS", 0.05)
    place = Place()
    try:
        with place.player() as player:
            session = player.start()["session"]
            play_on(player, range(3))
        room = place.server.config.app.state.jam
        until(lambda: not room._guests)
        with place.player() as player:
            assert not player.start(session=session)["resumed"]
        assert place.get("/v1/health")["jam"]["service"]["frames"] == 8
    finally:
        place.stop()


def test_a_full_room_says_so(place, monkeypatch):
    monkeypatch.setattr(jam_room, "MAX_PLAYERS", 1)
    with place.player() as first, place.player() as second:
        first.start()
        assert second.start()["code"] == "room_full"


def test_what_ended_lines_leave_behind_is_collected(tiny_home, monkeypatch):
    """A connection is garbage in circles; Python itself would look for it some minutes later."""
    monkeypatch.setattr(jam_room, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(jam_room, "ENDED_LINES", 3)
    lines: WeakSet[Transport] = WeakSet()
    made = H11Protocol.connection_made

    def noted(protocol: H11Protocol, transport: Transport) -> None:
        lines.add(transport)
        made(protocol, transport)

    monkeypatch.setattr(H11Protocol, "connection_made", noted)
    place = Place()

    def one_more() -> None:
        with place.player() as player:
            player.start()

    gc.disable()
    try:
        for _ in range(6):
            one_more()
        # A line that is still closing when garbage is collected stays until the lines after it ended, too.
        until(lambda: one_more() or 0 < len(lines) < 5)
    finally:
        gc.enable()
        place.stop()


def test_records_are_kept_where_asked(tiny_home, tmp_path):
    place = Place(log=tmp_path / "jams")
    with place.player() as player:
        session = player.start()["session"]
        play_on(player, range(4))
        with urllib.request.urlopen(place.url(f"/v1/jam/{session}/log")) as answer:
            running = answer.read()
            assert answer.headers["content-type"].startswith("application/x-ndjson")
        player.send(type="stop")
        player.hear("bye")
        with urllib.request.urlopen(place.url(f"/v1/jam/{session}/log")) as answer:
            assert answer.read().startswith(running.rstrip()), "it can be fetched when the jam is over, too"
    place.stop()
    saved = (tmp_path / "jams" / f"{session}.jsonl").read_bytes()
    assert saved.startswith(running.rstrip())
    assert json.loads(saved.splitlines()[0])["type"] == "begun"
