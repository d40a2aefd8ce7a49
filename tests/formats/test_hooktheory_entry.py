"""One Hooktheory entry: octaves, successive steps, inversions, and beats that are not quarters."""

import json
from collections import Counter

import pytest

from sideman.errors import UnreadableFile
from sideman.formats.hooktheory import entry_song, read_entry
from sideman.music.pitch import Key
from sideman.music.song import Meter, Song


def song(losses: Counter | None = None, **annotations) -> Song:
    return entry_song(read_entry(json.dumps({"annotations": annotations}).encode()), losses)


def note(onset: float, offset: float, octave: int = 0, pitch_class: int = 0) -> dict:
    return {"onset": onset, "offset": offset, "octave": octave, "pitch_class": pitch_class}


def chord(onset: float, offset: float, root: int, steps: list[int], inversion: int = 0) -> dict:
    return {
        "onset": onset, "offset": offset, "root_pitch_class": root, "root_position_intervals": steps,
        "inversion": inversion,
    }  # fmt: skip


def meter(beat: float, beats: int, unit: int) -> dict:
    return {"beat": beat, "beats_per_bar": beats, "beat_unit": unit}


def test_octave_zero_begins_at_middle_c():
    notes = song(melody=[note(1, 2), note(3, 3.5, -1, 11), note(3.5, 3.6, 1, 9)]).notes
    assert [(n.onset, round(n.duration, 6), n.pitch) for n in notes] == [(1, 1, 60), (3, 0.5, 59), (3.5, 0.1, 81)]


@pytest.mark.parametrize(
    ("root", "steps", "inversion", "name"),
    [
        (0, [4, 3], 0, "C"), (9, [3, 4], 0, "Am"), (11, [3, 3], 0, "Bdim"), (0, [4, 4], 0, "Caug"),
        (7, [5, 2], 0, "Gsus4"), (2, [2, 5], 0, "Dsus2"), (7, [4, 3, 3], 0, "G7"), (5, [4, 3, 4], 0, "Fmaj7"),
        (2, [3, 4, 3], 0, "Dm7"), (11, [3, 3, 4], 0, "Bm7b5"), (8, [3, 3, 3], 0, "Abdim7"), (7, [5, 2, 3], 0, "G7sus4"),
        (0, [4, 3, 7], 0, "Cadd9"), (7, [4, 3, 3, 4], 0, "G9"), (0, [4, 3], 1, "C/E"), (0, [4, 3], 2, "C/G"),
        (7, [4, 3, 3], 3, "G7/F"), (11, [4, 3], 2, "B/F#"),
    ],
)  # fmt: skip
def test_steps_and_inversions(root, steps, inversion, name):
    assert song(harmony=[chord(0, 4, root, steps, inversion)]).chords[0].chord.name() == name


def test_beats_of_six_eight_are_eighths():
    found = song(meters=[meter(0, 6, 8)], melody=[note(0, 3), note(3, 6)], harmony=[chord(6, 12, 0, [4, 3])])
    assert [(n.onset, n.duration) for n in found.notes] == [(0, 1.5), (1.5, 1.5)]
    assert (found.chords[0].onset, found.chords[0].duration) == (3, 3)
    assert found.meters == (Meter(0, 6, 8),)


def test_beats_change_with_the_metre():
    found = song(
        meters=[meter(0, 4, 4), meter(8, 6, 8), meter(20, 3, 4)], melody=[note(7, 9), note(14, 20), note(21, 22)]
    )
    assert [(n.onset, n.duration) for n in found.notes] == [(7, 1.5), (11, 3), (15, 1)]
    assert found.meters == (Meter(0, 4, 4), Meter(8, 6, 8), Meter(14, 3, 4))


def test_keys_take_the_mode_of_their_third():
    losses: Counter = Counter()
    scales = [[2, 2, 1, 2, 2, 2], [2, 1, 2, 2, 1, 2], [2, 1, 2, 2, 2, 1], [2, 2, 1, 2, 2, 1]]
    keys = [{"beat": 4 * i, "tonic_pitch_class": i, "scale_degree_intervals": s} for i, s in enumerate(scales)]
    found = song(losses, keys=keys).keys
    assert [k.key for k in found] == [Key(0), Key(1, "minor"), Key(2, "minor"), Key(3)]
    assert losses["scale read as major or minor"] == 2


def test_what_is_dropped_is_counted():
    losses: Counter = Counter()
    found = song(
        losses,
        melody=[note(0, 1), note(2, 2), note(-1, 1), note(4, 5, 5, 11), note(0, 1, 1)],
        harmony=[chord(0, 4, 0, [4, 3]), chord(2, 4, 7, [4, 3], 3), chord(5, 5, 0, [4, 3])],
    )
    assert [n.pitch for n in found.notes] == [72]
    assert [(c.onset, c.duration, c.chord.name()) for c in found.chords] == [(0, 2, "C"), (2, 2, "G")]
    assert +losses == {
        "note without length": 2, "note above the range of MIDI": 1, "note hidden by a higher one": 1,
        "chord cut by the next one": 1, "chord without length": 1, "inversion beyond the chord": 1,
    }  # fmt: skip


def test_the_tempo_comes_from_the_alignment_in_quarters():
    aligned = {"user": {"beats": [0, 12], "times": [1.0, 4.0]}, "refined": None, "swing": "STRAIGHT"}
    entry = {"annotations": {"meters": [meter(0, 6, 8)], "melody": [note(0, 1)]}, "alignment": aligned}
    assert entry_song(read_entry(json.dumps(entry).encode())).bpm == 120
    entry["annotations"]["meters"] = []
    assert entry_song(read_entry(json.dumps(entry).encode())).bpm == 240


@pytest.mark.parametrize("data", [b"", b"{}", b'{"annotations": {"melody": [{"onset": 0}]}}', b'{"annotations": 3}'])
def test_what_is_no_entry(data):
    with pytest.raises(UnreadableFile):
        read_entry(data)
