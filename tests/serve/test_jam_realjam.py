"""A client written from ReaLJam's description alone plays 64 beats over GET /models and POST /play.

It knows what the description says a page does: the whole history with each question, one question at a time, new
tokens written from `frame` on, gaps filled with -1, sounds struck where a frame is an onset or its notes change.
"""

import shutil
import urllib.error
from dataclasses import dataclass, field

import pytest
from jam_server import Place

pytestmark = pytest.mark.live

LOOKAHEAD, COMMIT, SILENCE = 16, 16, 32


@dataclass
class Page:
    """The state of a ReaLJam page."""

    place: Place
    model: str
    commit: int = COMMIT
    notes: list[dict] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    chords: dict[int, tuple[str, tuple[int, ...], bool]] = field(default_factory=dict)
    intro_set: bool = False

    def note(self, on: bool, pitch: int, frame: int) -> None:
        self.notes.append({"on": on, "pitch": pitch, "frame": frame})

    def ask(self, frame: int, changes: dict | None = None) -> dict:
        question = {
            "model": self.model, "notes": self.notes, "chordTokens": self.tokens, "frame": frame,
            "lookahead": LOOKAHEAD, "commitahead": self.commit, "silenceTill": SILENCE, "temperature": 0.8,
            "introSet": self.intro_set,
        }  # fmt: skip
        return self.place.post("/play", question | (changes or {}))

    def play(self, frame: int) -> dict:
        """One turn of the loop: ask for the frame after the current one, and write down the answer."""
        answer = self.ask(frame + 1)
        start, new = answer["frame"], answer["newChordTokens"]
        if new:
            self.tokens += [-1] * (start - len(self.tokens))
            self.tokens[start:] = new
        if answer["introChordTokens"] is not None:
            self.tokens[: len(answer["introChordTokens"])] = answer["introChordTokens"]
            self.intro_set = True
        for at, (symbol, pitches, onset) in enumerate(answer["newChords"], start):
            self.chords[at] = (symbol, tuple(pitches), onset)
        return answer

    def sounded(self) -> list[tuple[int, str]]:
        """(frame, symbol) of what is struck from the end of the silence on."""
        struck, before = [], ()
        for frame in sorted(at for at in self.chords if at >= SILENCE):
            symbol, pitches, onset = self.chords[frame]
            if pitches and (onset or pitches != before):
                struck.append((frame, symbol))
            before = pitches
        return struck


@pytest.fixture
def place(tiny_home):
    place = Place()
    yield place
    place.stop()


def tune(page, frame):
    """A note each beat: up and down a scale."""
    scale = (60, 62, 64, 65, 67, 65, 64, 62)
    if frame % 4 == 0:
        page.note(True, scale[frame // 4 % 8], frame)
    if frame % 4 == 3:
        page.note(False, scale[frame // 4 % 8], frame)


def test_sixty_four_beats(place):
    (name,) = place.get("/models")
    page = Page(place, name)
    for frame in range(64 * 4):
        tune(page, frame)
        if frame % 3:  # the page asks as fast as it is answered; here two frames of three
            continue
        answer = page.play(frame)
        asked = frame + 1
        assert answer["frame"] == asked
        if asked < SILENCE - 4:
            assert (answer["newChords"], answer["newChordTokens"], answer["introChordTokens"]) == ([], [], None)
            continue
        assert len(answer["newChords"]) == len(answer["newChordTokens"]) == LOOKAHEAD
        for symbol, pitches, onset in answer["newChords"]:
            assert bool(symbol) == bool(pitches)
            assert isinstance(onset, bool)
            if pitches:
                assert 36 <= pitches[-1] <= 47
                assert all(48 <= pitch < 72 for pitch in pitches[:-1])
            else:
                assert onset
    assert page.intro_set
    assert -1 not in page.tokens[SILENCE:]
    struck = page.sounded()
    assert len({symbol for _, symbol in struck}) > 2
    assert struck[-1][0] > 200, "it plays to the end"


def test_what_was_promised_comes_back_unchanged(place):
    """With commit = lookahead each call that advances one frame makes one new chord at the far end."""
    page = Page(place, "online")
    for frame in range(0, 60):
        tune(page, frame)
        before = list(page.tokens)
        answer = page.play(frame)
        if len(before) > frame + 1 and answer["newChordTokens"]:
            known = before[frame + 1 :]
            assert answer["newChordTokens"][: len(known)] == known
            assert len(known) == LOOKAHEAD - 1


def test_the_introduction_is_made_once_and_covers_the_past(place):
    page = Page(place, "online")
    for frame in range(0, 36):
        tune(page, frame)
        answer = page.play(frame)
        if answer["introChordTokens"] is not None:
            assert len(answer["introChordTokens"]) == answer["frame"] == SILENCE - 4
            break
    assert page.intro_set
    assert page.play(frame + 1)["introChordTokens"] is None


def test_missed_frames_had_the_last_chord(place):
    """The page leaves -1 where no answer came in time. What rang on then is what the model is told: as if the chord
    had been held, which is a token that earlier answers held it with."""
    page = Page(place, "online", commit=0)
    for frame in range(60):
        tune(page, frame)
        page.play(frame)
    # A frame in which a chord is held that is held in the next frame too.
    at = next(f for f in range(40, 70) if page.tokens[f] == page.tokens[f + 1] and not page.chords[f][2])
    answers = []
    for missed in ([-1, -1], [], [page.tokens[at]] * 2):
        page.tokens = [*page.tokens[: at + 1], *missed]
        answers.append(page.ask(at + 3)["newChordTokens"])
    assert answers[0] == answers[1] == answers[2]


def test_beyond_256_frames(place):
    page = Page(place, "online")
    page.intro_set = True
    for frame in range(0, 700, 20):
        for at in range(frame, frame + 20):
            tune(page, at)
        answer = page.play(frame + 19)
        if frame >= SILENCE:
            assert len(answer["newChordTokens"]) == LOOKAHEAD


def test_a_turn_is_followed(own_home):
    """Of a model that follows turns an answer depends on nothing before the last one, and pages still share work."""
    file = own_home / "models" / "online" / "bundle.json"
    file.write_text(file.read_text().replace('"follows_turns": false', '"follows_turns": true'))
    place = Place()
    try:
        answers = []
        for before in (60, 48):
            page = Page(place, "online", commit=0)
            page.intro_set = True
            for number in range(64):
                low = 66 if number >= 48 else before if 0 < number < 36 else 60
                pitch = low + (0, 2, 4, 5, 7, 9, 11)[number * 5 % 7]
                page.note(True, pitch, number)
                page.note(False, pitch, number + 1)
            page.tokens = [3] * 64
            answers.append([page.ask(64)["newChordTokens"] for _ in range(2)])
        assert answers[0][0] == answers[0][1] == answers[1][0]
    finally:
        place.stop()


def test_nothing_is_computed_twice(place):
    """A page that asks again for what it has asked gets the same, and players do not disturb each other."""
    one, two = Page(place, "online"), Page(place, "online")
    for frame in range(0, 60):
        tune(one, frame)
        two.note(True, 50 + frame % 30, frame)
        two.note(False, 50 + frame % 30, frame)
        one.play(frame)
        two.play(frame)
    alone = Page(place, "online")
    for frame in range(0, 60):
        tune(alone, frame)
        alone.play(frame)
    assert alone.tokens == one.tokens != two.tokens


def test_temperature_0_is_silent_only_when_it_means_it(place):
    """Greedy answers follow the grammar: a held chord is the one that sounds."""
    page = Page(place, "online", commit=0)
    page.intro_set = True
    for frame in range(48):
        tune(page, frame)
    answer = page.ask(48, {"temperature": 0})
    assert answer == page.ask(48, {"temperature": 0})
    before = ()
    for _, pitches, onset in answer["newChords"]:
        assert onset or tuple(pitches) == before or not before
        before = tuple(pitches)


def test_who_plays_melodies_is_not_offered(own_home):
    partner = own_home / "models" / "partner"
    shutil.copytree(own_home / "models" / "online", partner)
    described = (partner / "bundle.json").read_text().replace('"chord"', '"melody"')
    (partner / "bundle.json").write_text(described)
    place = Place()
    try:
        assert place.get("/models") == ["online"]
        parts = {model["name"]: (model["kind"], model["part"]) for model in place.get("/v1/models")["models"]}
        assert parts["partner"] == ("online", "melody")
        with pytest.raises(urllib.error.HTTPError) as refused:
            Page(place, "partner").ask(40)
        assert refused.value.code == 404
        refused.value.close()
    finally:
        place.stop()


WRONG = {
    "model": ({"model": "GAPT"}, 404, "unknown_model"),
    "pitch": ({"notes": [{"on": True, "pitch": 200, "frame": 0}]}, 400, "wrong_value"),
    "token": ({"chordTokens": [99999]}, 400, "wrong_value"),
    "special token": ({"chordTokens": [1]}, 400, "wrong_value"),
    "frame": ({"frame": -1}, 400, "wrong_value"),
    "lookahead": ({"lookahead": 0}, 400, "wrong_value"),
    "temperature": ({"temperature": 9}, 400, "wrong_value"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_questions_are_refused(place, case):
    changes, status, code = WRONG[case]
    page = Page(place, "online")
    with pytest.raises(urllib.error.HTTPError) as refused:
        page.ask(40, changes)
    assert refused.value.code == status
    assert f'"{code}"'.encode() in refused.value.read()
