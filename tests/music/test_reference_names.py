"""The reference's chord naming: published vectors, its slips, and vocabularies for foreign lists."""

from itertools import pairwise

import pytest

from sideman.errors import UnknownChord
from sideman.music.chord import Chord
from sideman.music.reference_names import name_of, read_name, reference_vocabulary, root_position_intervals

VECTORS = [
    (0, (4, 3), "C"), (9, (3, 4), "Am"), (7, (4, 3, 3), "G7"), (0, (4, 3, 4), "Cmaj7"), (11, (3, 3, 4), "Bm7b5"),
    (6, (3, 3, 3), "Gbo7"), (5, (5, 2), "Fsus"), (5, (2, 5), "Fsus2"), (0, (4, 3, 7), "C(add2)"), (2, (4, 3, 7), "D"),
    (0, (4, 3, 3, 3), "C7(addb2)"), (1, (4, 3, 3, 3), "Db7"), (0, (7,), "C5"), (8, (4, 4), "Ab+"),
    (0, (4, 3, 3, 4, 3), "C11"), (0, (4, 3, 3, 8), "C7(#11)"), (4, (5, 5, 2), "Asus/E"),
    (0, (4, 2, 4), "Cped(addb7)(add3)(addb5)"), (0, (5, 2, 3), "Csus7"), (9, (3, 5), "F/A"), (0, (5, 4), "F/C"),
]  # fmt: skip


@pytest.mark.parametrize(("root", "intervals", "name"), VECTORS)
def test_names_published_vectors(root: int, intervals: tuple[int, ...], name: str) -> None:
    assert name_of(root, intervals) == name


@pytest.mark.parametrize(
    ("name", "pitch_classes", "bass"),
    [
        ("C/E", (0, 4, 7), 4),
        ("C7(#9)", (0, 4, 7, 10, 3), 0),
        ("C(no3)", (0, 7), 0),
        ("Csus7", (0, 5, 7, 10), 0),
        ("Bbm7/Ab", (10, 1, 5, 8), 8),
        ("F##", (7, 11, 2), 7),
        ("C/o7", (0, 3, 6, 10), 0),
        ("C6/9", (0, 4, 7, 9, 2), 0),
        ("Cmin(maj7)", (0, 3, 7, 11), 0),
        ("C(add7)", (0, 4, 7, 10), 0),
        ("C(addb7)", (0, 4, 7, 9), 0),
        ("C(addb2)", (0, 4, 7, 1), 0),
        ("C7b5", (0, 4, 6, 10), 0),
        ("Cb5", (11, 6), 11),
    ],
)
def test_reads_names(name: str, pitch_classes: tuple[int, ...], bass: int) -> None:
    read = read_name(name)
    assert (read.pitch_classes, read.bass) == (pitch_classes, bass)


def test_sounding_pitches_fold_into_one_octave_over_a_bass() -> None:
    assert read_name("G7").pitches == (36 + 7, 50, 53, 55, 59)
    assert read_name("C/E").pitches == (40, 48, 52, 55)


@pytest.mark.parametrize("name", ["", "H", "C(no2)", "C(add3)", "Cfoo", "C#b", "C/", "c", "C(add0)", "Cm7\n"])
def test_unreadable_names_are_refused(name: str) -> None:
    with pytest.raises(UnknownChord):
        read_name(name)


def test_sets_without_a_third_or_fifth_are_pedals() -> None:
    assert name_of(0, ()) == "Cped"
    assert name_of(0, (6,)).startswith("Cped")


def test_four_semitones_in_a_row_have_no_name() -> None:
    with pytest.raises(UnknownChord):
        name_of(0, (1, 1, 1, 1, 1, 1, 1, 1))


@pytest.mark.parametrize(
    ("symbol", "intervals"),
    [
        ("C", (4, 3)), ("Am7", (3, 4, 3)), ("C9", (4, 3, 3, 4)), ("Cadd9", (4, 3, 7)), ("Csus2", (2, 5)),
        ("C6", (4, 3, 2)), ("C13", (4, 3, 3, 4, 7)), ("C7#9", (4, 3, 3, 5)), ("C7#11", (4, 3, 3, 8)),
        ("Cdim7", (3, 3, 3)), ("C9sus4", (5, 2, 3, 4)), ("D/F#", (4, 3)), ("C5", (7,)), ("C7b13", (4, 3, 3, 10)),
    ],
)  # fmt: skip
def test_chords_are_stacked_in_root_position(symbol: str, intervals: tuple[int, ...]) -> None:
    chord = Chord.parse(symbol)
    assert chord is not None
    assert root_position_intervals(chord) == intervals


def test_names_exist_for_all_but_624_of_all_sets_over_all_basses_and_every_name_reads_back() -> None:
    unnamed, names = 0, set()
    for mask in range(1, 4096):
        for bass in (p for p in range(12) if mask >> p & 1):
            tones = sorted((p - bass) % 12 for p in range(12) if mask >> p & 1)
            try:
                names.add(name_of(bass, tuple(b - a for a, b in pairwise(tones))))
            except UnknownChord:
                unnamed += 1
    assert unnamed == 624
    assert all(read_name(name) for name in names)


def test_foreign_list_finds_chords_by_derived_name() -> None:
    names = sorted(["C", "Am", "G7", "F/A", "D", "Asus/E", "C(add2)", "Bb"])
    vocabulary = reference_vocabulary(names)
    assert vocabulary.size == 260 + 2 * 8
    found = {s: vocabulary.lookup(c) for s in ("C", "C/E", "Am7", "Dadd9", "Cadd9", "A#") if (c := Chord.parse(s))}
    expected = {"C": "C", "C/E": "C", "Am7": None, "Dadd9": "D", "Cadd9": "C(add2)", "A#": "Bb"}
    assert found == {s: names.index(n) if n else None for s, n in expected.items()}
    assert int(vocabulary.masks[names.index("G7")]) == 1 << 7 | 1 << 11 | 1 << 2 | 1 << 5
    assert int(vocabulary.basses[names.index("F/A")]) == 9
    assert vocabulary.symbols[names.index("F/A")] == Chord.parse("F/A")


def test_foreign_list_with_an_unreadable_name_is_refused() -> None:
    with pytest.raises(UnknownChord):
        reference_vocabulary(["C", "banana"])
