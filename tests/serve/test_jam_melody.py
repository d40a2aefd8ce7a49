"""A jam over WS /v1/jam with a model that plays the melody: who plays what is told, and may change."""

import shutil
import urllib.error

import pytest
from jam_server import Place

pytestmark = pytest.mark.live

C = (48, 52, 55)


@pytest.fixture
def place(own_home, tiny_melody_folder):
    shutil.copytree(tiny_melody_folder / "bundle", own_home / "models" / "melody")
    place = Place()
    yield place
    place.stop()


def test_from_chords_to_a_melody_and_to_another_partner(place):
    with place.player() as player:
        started = player.start(model="melody", listen=2)
        assert (started["model"], started["part"]) == ("melody", "melody")
        plans = [player.play(beat + 0.05, *C) for beat in range(8)]
        assert not any(plan["chords"] for plan in plans)
        notes = [note for plan in plans for note in plan.get("notes", [])]
        assert min(note["onset"] for note in notes) >= 2
        assert all(set(note) == {"onset", "duration", "pitch", "struck"} for note in notes)
        heard = plans[-1]["heard"]
        assert [(c["onset"], c["symbol"]) for c in heard["chords"]] == [(0, "C")]
        assert heard["frame"] + heard["frames"] == plans[-1]["frame"]
        player.send(type="set", model="online")
        assert player.hear("settings")["part"] == "chord"
        plans = [player.play(beat + 0.05, 72) for beat in range(8, 14)]
        assert plans[0]["committed"] == 0, "nothing that one promised holds for the other"
        assert not any("notes" in plan or "heard" in plan for plan in plans)
        assert min(chord["onset"] for plan in plans for chord in plan["chords"]) >= 7.25


def test_a_dropped_line_is_taken_up(place):
    with place.player() as player:
        session = player.start(model="melody")["session"]
        player.play(1.05, *C)
    with place.player() as player:
        again = player.start(session=session)
        assert (again["resumed"], again["part"]) == (True, "melody")
        player.request = 0
        assert player.play(2.05)["heard"]["chords"][-1]["symbol"] == "C"


def test_realjam_pages_are_offered_those_that_play_chords(place):
    assert place.get("/models") == ["online"]
    question = {
        "model": "melody", "notes": [], "chordTokens": [], "frame": 8, "lookahead": 16, "commitahead": 0,
        "silenceTill": 0, "temperature": 1.0, "introSet": False,
    }  # fmt: skip
    with pytest.raises(urllib.error.HTTPError) as refused:
        place.post("/play", question)
    assert refused.value.code == 404
    refused.value.close()
