"""Scores of several movements, cut where the numbers of the bars begin again."""

from dataclasses import replace
from fractions import Fraction

from sideman.music.movements import movements
from sideman.music.score import (
    Bar,
    Clef,
    Event,
    KeySignature,
    Metre,
    Note,
    Part,
    Pitch,
    Score,
    StaffBar,
    Tempo,
    Voice,
)

FOUR = Fraction(4)
ZERO = Fraction(0)
TEMPO = Tempo(ZERO, Fraction(1), 90.0)


def bar(number: str, **what: object) -> Bar:
    return Bar(FOUR, number, **what)  # type: ignore[arg-type]


def note(step: str) -> tuple[Event, ...]:
    return (Event(ZERO, FOUR, (Note(Pitch(step, 0, 4)),)),)


def quartet() -> Score:
    """Two movements of two and three bars, the second with a pickup bar without a number."""
    hidden = (Event(ZERO, FOUR, hidden=True),)
    staff = [StaffBar() for _ in range(5)]
    staff[0] = StaffBar(clefs=((ZERO, Clef()),), keys=((ZERO, KeySignature(2)),))
    staff[1] = StaffBar(clefs=((Fraction(2), Clef("F", 4)),))
    part = Part(
        "Violin",
        (
            Voice(0, tuple(note(step) for step in "CDEFG")),
            Voice(0, (note("A"), hidden, hidden, hidden, hidden)),
        ),
        (tuple(staff),),
    )
    bars = (
        bar("1", metre=Metre("4", 4), tempos=(TEMPO,)),
        bar("2", right="final"),
        bar(""),
        bar("1"),
        bar("2", right="final"),
    )
    return Score(bars, (part,), title="Quartet")


def test_movements_begin_with_what_holds_there():
    first, second = movements(quartet())
    assert [len(first.bars), len(second.bars)] == [2, 3]
    assert second.bars[0].metre == Metre("4", 4)
    assert second.bars[0].tempos == (TEMPO,)
    (staff,) = second.parts[0].staves
    assert staff[0].clefs == ((ZERO, Clef("F", 4)),)
    assert staff[0].keys == ((ZERO, KeySignature(2)),)
    assert second.parts[0].key() == KeySignature(2)
    assert [voice.bars[0][0].notes[0].pitch.step for voice in second.parts[0].voices] == ["E"]
    assert len(first.parts[0].voices) == 2


def test_a_piece_in_one_movement_stays():
    score = quartet()
    numbered = replace(score, bars=tuple(replace(b, number=str(i)) for i, b in enumerate(score.bars)))
    assert movements(numbered) == (numbered,)
    pickup = replace(
        score, bars=tuple(replace(b, number=n) for b, n in zip(score.bars, ["", "1", "2", "3", ""], strict=True))
    )
    assert movements(pickup) == (pickup,)


def test_changes_at_the_first_bar_win():
    score = quartet()
    staff = list(score.parts[0].staves[0])
    staff[2] = StaffBar(keys=((ZERO, KeySignature(-1)),))
    bars = list(score.bars)
    bars[2] = replace(bars[2], metre=Metre("3", 4))
    part = replace(score.parts[0], staves=(tuple(staff),))
    second = movements(replace(score, bars=tuple(bars), parts=(part,)))[1]
    assert second.bars[0].metre == Metre("3", 4)
    assert second.parts[0].key() == KeySignature(-1)
