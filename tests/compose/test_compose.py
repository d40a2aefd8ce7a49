"""From a request to events, over a network: seeds, company, limits, what is refused."""

import re
from collections.abc import Iterator

import pytest

from sideman.compose.compose import Event, Finished, Grown, Started, compose, compose_with
from sideman.compose.request import ComposeRequest
from sideman.engine.bundle import Bundle
from sideman.errors import BadSheet, UnknownModel, WrongValue
from sideman.music.sheet.alignment import align
from sideman.music.sheet.interleaved import read_interleaved

BEGINNING = "L:1/8\nM:2/4\nK:G\nV:1 treble\n[V:1]G2 A2|\n[V:1]B4|\n"


def told(events: Iterator[Event]) -> tuple[dict[int, str], dict[int, Finished]]:
    """What each piece said, and how it ended."""
    grown: dict[int, str] = {}
    ended: dict[int, Finished] = {}
    for event in events:
        if isinstance(event, Grown):
            assert event.piece not in ended
            grown[event.piece] = grown.get(event.piece, "") + event.text
        elif isinstance(event, Finished):
            ended[event.piece] = event
    return grown, ended


def test_two_bars_of_a_random_network_fit(tiny_sheet: Bundle):
    request = ComposeRequest(bars=2, key="Bb", meter="3/4", tempo=90, seed=3)
    events = list(compose_with(tiny_sheet, request))
    assert events[0] == Started("tiny-sheet", (3,))
    grown, ended = told(iter(events))
    done = ended[0]
    assert (done.why, done.bars, done.problem, done.seed) == ("end", 2, "", 3)
    assert grown[0] == done.original
    assert done.abc.startswith("X:1\n")
    for line in ("Q:1/4=90", "M:3/4", "K:Bb"):
        assert f"\n{line}\n" in done.abc
    assert align(read_interleaved(done.abc.removeprefix("X:1\n"))).good


def test_pieces_side_by_side_are_those_written_alone(tiny_sheet: Bundle):
    """The same seed is the same piece, whoever is written beside it."""
    asked = {"period": "Romantic", "composer": "Schubert, Franz", "instrumentation": "Art Song", "constrained": False}
    together, _ = told(compose_with(tiny_sheet, ComposeRequest(seed=5, count=2, **asked)))
    alone = [told(compose_with(tiny_sheet, ComposeRequest(seed=5 + n, **asked)))[0][0] for n in range(2)]
    assert [together[n] for n in range(2)] == alone
    assert alone[0] != alone[1]
    assert all(text.startswith("%Romantic\n%Schubert, Franz\n%Art Song\n") for text in alone)


def test_a_beginning_is_kept(tiny_sheet: Bundle):
    _, ended = told(compose_with(tiny_sheet, ComposeRequest(begin=BEGINNING, bars=3)))
    assert ended[0].original.startswith(
        "L:1/8\nM:2/4\nK:G\nV:1 treble\n[r:0/2][V:1]G2 A2|\n[r:1/1][V:1]B4|\n[r:2/0][V:1]"
    )
    assert ended[0].bars == 3


def test_cancelling_leaves_whole_lines(tiny_sheet: Bundle):
    calls = iter(range(10**9))
    request = ComposeRequest(begin=BEGINNING, bars=50)
    _, ended = told(compose_with(tiny_sheet, request, cancelled=lambda: next(calls) > 400))
    done = ended[0]
    assert done.why == "cancelled"
    assert 2 <= done.bars < 50
    assert done.original.endswith("\n")
    assert done.abc


def test_a_time_limit_returns_what_is_there(tiny_sheet: Bundle, monkeypatch: pytest.MonkeyPatch):
    clock = iter(range(10**9))
    monkeypatch.setattr("sideman.compose.compose.time.monotonic", lambda: float(next(clock)))
    _, ended = told(compose_with(tiny_sheet, ComposeRequest(begin=BEGINNING, bars=50, count=2, seconds=300)))
    assert {done.why for done in ended.values()} == {"time"}
    assert all(2 <= done.bars < 50 for done in ended.values())


def test_nothing_runs_once_nobody_listens(tiny_sheet: Bundle):
    asked = []
    events = compose_with(tiny_sheet, ComposeRequest(bars=50), cancelled=lambda: bool(asked.append(0)))
    next(event for event in events if isinstance(event, Grown))
    before = len(asked)
    events.close()  # type: ignore[attr-defined]
    assert len(asked) == before


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"bars": 0}, "bars is 0"),
        ({"bars": 10_000}, "from 1 to 1024"),
        ({"count": 0}, "count is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"key": "H"}, "'H' is no key"),
        ({"key": "none"}, "is no key"),
        ({"meter": "5"}, "no metre"),
        ({"meter": "0/4"}, "no metre"),
        ({"tempo": 0.0}, "tempo is 0"),
        ({"temperature": float("nan")}, "temperature"),
        ({"top_p": 2.0}, "top_p"),
        ({"period": "Romantic"}, "needs period, composer and instrumentation"),
        ({"constrained": False, "bars": 4}, "constrained writing"),
        ({"begin": BEGINNING, "bars": 2}, "already has 2 bars"),
        ({"begin": BEGINNING, "key": "C"}, "its own K: line"),
        ({"begin": "K:Ü\n"}, "plain ASCII"),
    ],
)
def test_what_cannot_be_asked_for(wrong: dict[str, object], said: str):
    with pytest.raises(WrongValue, match=re.escape(said)):
        ComposeRequest(**wrong).check()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "begin",
    ["[V:1]c4|\n", "K:G\nV:1\n[V:1]c4|\n", "%%score 1 2\nL:1/8\nM:4/4\nK:C\nV:1\n[V:1]c8|\n"],
    ids=["no header", "no metre", "a voice that is not declared"],
)
def test_beginnings_that_cannot_be_gone_on_from(begin: str):
    with pytest.raises(BadSheet, match="cannot be gone on from"):
        ComposeRequest(begin=begin).check()


def test_unknown_prompts_are_refused_with_the_nearest(tiny_sheet: Bundle):
    request = ComposeRequest(period="Romantic", composer="Schumann, Robert", instrumentation="Art Song")
    with pytest.raises(WrongValue, match="does not know") as refused:
        compose_with(tiny_sheet, request)
    assert refused.value.hint.startswith("The nearest it knows: Romantic / Schumann, Clara / Art Song; ")


def test_unknown_models_are_refused_before_anything_is_written(tiny_home: object):
    with pytest.raises(UnknownModel):
        compose(ComposeRequest(model="nobody"))
