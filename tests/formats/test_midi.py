"""Reading MIDI: what becomes the melody and the chords, and what files of others and hostile ones do."""

import io
import random
from collections.abc import Iterable
from itertools import chain

import mido
import pytest

from sideman.errors import EmptyMelody, SidemanError, TooLarge, UnreadableFile
from sideman.formats.midi import read_midi
from sideman.music.pitch import Key
from sideman.music.song import Meter, Note, Tempo

DRUMS = 9


def note(start: float, length: float, pitch: int, channel: int = 0) -> list[tuple[float, mido.Message]]:
    return [
        (start, mido.Message("note_on", note=pitch, velocity=80, channel=channel)),
        (start + length, mido.Message("note_off", note=pitch, velocity=0, channel=channel)),
    ]


def meta(at: float, kind: str, **values: object) -> list[tuple[float, mido.MetaMessage]]:
    return [(at, mido.MetaMessage(kind, **values))]


def joined(groups: Iterable[list]) -> list:
    return list(chain.from_iterable(groups))


def midi(*tracks: list, kind: int = 1, tpq: int = 480) -> bytes:
    """Tracks as lists of (beat, message) -> bytes, written by mido."""
    file = mido.MidiFile(type=kind, ticks_per_beat=tpq, charset="latin1")
    for events in tracks:
        track, at = mido.MidiTrack(), 0
        file.tracks.append(track)
        for beat, message in sorted(events, key=lambda e: (e[0], "note_on" in e[1].type)):
            tick = round(beat * tpq)
            track.append(message.copy(time=tick - at))
            at = tick
    stream = io.BytesIO()
    file.save(file=stream)
    return stream.getvalue()


def scale(first: int = 60, channel: int = 0, count: int = 8) -> list:
    return joined(note(i, 1, first + i, channel) for i in range(count))


def named(name: str, events: list) -> list:
    return meta(0, "track_name", name=name) + events


def chord(start: float, length: float, *pitches: int, channel: int = 1) -> list:
    return joined(note(start, length, pitch, channel) for pitch in pitches)


def pitches(data: bytes) -> list[int]:
    return [n.pitch for n in read_midi(data).notes]


def test_notes_keep_their_times_in_beats():
    song = read_midi(midi(note(0, 1, 60) + note(4 / 3, 1 / 3, 62) + note(2.25, 0.25, 64), tpq=96))
    assert song.notes == (Note(0, 1, 60), Note(128 / 96, 32 / 96, 62), Note(2.25, 0.25, 64))


def test_a_track_called_melody_wins_over_a_higher_one():
    data = midi([], named("Strings", scale(84)), named("MELODY", scale(50)))
    assert pitches(data)[0] == 50
    assert any("MELODY" in remark for remark in read_midi(data).remarks)


def test_a_vocal_track_wins_over_a_lead_and_backing_vocals_do_not_count():
    data = midi(named("Lead Guitar", scale(70)), named("Backing Vocals", scale(80)), named("Vocals", scale(60)))
    assert pitches(data)[0] == 60


def test_without_names_the_high_single_voice_is_the_melody():
    comping = joined(chord(i, 1, 72, 76, 79) for i in range(8))
    assert pitches(midi(scale(36), comping, scale(65)))[0] == 65


def test_type_0_is_split_by_channel_and_drums_never_sing():
    data = midi(scale(40, 0) + scale(67, 3) + scale(90, DRUMS), kind=0)
    assert pitches(data) == list(range(67, 75))


def test_polyphony_is_reduced_to_the_highest_line_and_said():
    song = read_midi(midi(joined(note(i, 1, 60 + i) + note(i, 1, 40) for i in range(4))))
    assert [n.pitch for n in song.notes] == [60, 61, 62, 63]
    assert any("4 of 8" in remark for remark in song.remarks)


def test_a_track_of_block_chords_is_read_with_its_bass():
    blocks = chord(0, 1.9, 48, 52, 55) + chord(2, 1.9, 47, 50, 55) + chord(4, 2, 45, 48, 52, 55)
    chords = read_midi(midi(named("Melody", scale()), blocks)).chords
    assert [(c.onset, c.duration, c.chord.name()) for c in chords] == [(0, 2, "C"), (2, 2, "G/B"), (4, 2, "Am7")]


def test_two_tracks_of_block_chords_are_left_out_with_a_remark():
    blocks = chord(0, 2, 48, 52, 55) + chord(2, 2, 43, 47, 50)
    song = read_midi(midi(named("Melody", scale()), blocks, blocks))
    assert song.chords == ()
    assert any("2 tracks" in remark for remark in song.remarks)


def test_chord_symbols_in_markers_last_until_the_next():
    symbols = meta(0, "marker", text="Am7") + meta(3, "marker", text="D7") + meta(6, "marker", text="N.C.")
    chords = read_midi(midi(symbols, scale())).chords
    assert [(c.onset, c.duration, c.chord.name()) for c in chords] == [(0, 3, "Am7"), (3, 3, "D7")]


def test_section_letters_and_lyrics_are_no_chords():
    sections = meta(0, "marker", text="A") + meta(4, "marker", text="B")
    lyrics = joined(meta(i, "lyrics", text=t) for i, t in enumerate(["A", "bird", "came", "down", "the", "walk"]))
    assert read_midi(midi(sections, scale() + lyrics)).chords == ()


def test_tempo_map_key_and_metre():
    events = (
        meta(0, "set_tempo", tempo=500000) + meta(4, "set_tempo", tempo=600000)
        + meta(0, "time_signature", numerator=6, denominator=8) + meta(0, "key_signature", key="Ebm")
    )  # fmt: skip
    song = read_midi(midi(events, scale()))
    assert song.tempos == (Tempo(0, 120), Tempo(4, 100))
    assert song.meters == (Meter(0, 6, 8),)
    assert song.key == Key(3, "minor")


@pytest.mark.parametrize(
    ("signatures", "meters"),
    [
        ([], (Meter(0, 4, 4),)),
        ([(0, 1, 4), (1, 4, 4)], (Meter(1, 4, 4),)),  # a pickup bar of its own
        ([(0, 3, 4), (1, 3, 4)], (Meter(1, 3, 4),)),  # a pickup as a bar cut short
        ([(0, 4, 4), (4, 4, 4)], (Meter(0, 4, 4),)),  # restated without need
        ([(0, 4, 4), (4, 3, 4)], (Meter(0, 4, 4), Meter(4, 3, 4))),
        ([(0, 1, 4)], (Meter(0, 4, 4),)),  # no metre at all
    ],
)
def test_time_signatures(signatures, meters):
    events = joined(meta(at, "time_signature", numerator=n, denominator=d) for at, n, d in signatures)
    assert read_midi(midi(events, scale())).meters == meters


def test_a_played_melody_is_rounded_around_its_own_delay():
    random.seed(1)
    played = joined(note(i / 2 + 0.1 + random.uniform(-0.03, 0.03), 0.4, 60 + i) for i in range(16))
    song = read_midi(midi(played))
    assert [n.onset for n in song.notes] == [i / 2 for i in range(16)]
    assert any("played" in remark for remark in song.remarks)


def test_notes_released_early_are_filled_to_the_grid():
    song = read_midi(midi(joined(note(i, 0.93, 60 + i) for i in range(4))))
    assert [n.duration for n in song.notes] == [1.0] * 4


def test_a_track_name_in_another_encoding_does_no_harm():
    assert len(pitches(midi(named("Mélodie", scale())))) == 8


@pytest.mark.parametrize("data", [midi([]), midi(), midi(meta(0, "track_name", name="x"))])
def test_a_file_without_notes(data):
    with pytest.raises(EmptyMelody, match="no notes"):
        read_midi(data)


def test_a_file_of_drums():
    with pytest.raises(EmptyMelody, match="only drums"):
        read_midi(midi(scale(36, DRUMS)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"MThd",
        b"RIFF" + bytes(40),
        bytes(100),
        midi(scale())[:60],
        midi(scale())[:12] + b"\xe2\x50" + midi(scale())[14:],  # SMPTE
        midi(scale())[:12] + b"\0\0" + midi(scale())[14:],
        midi(scale())[:8] + b"\0\2" + midi(scale())[10:],  # type 2
    ],
)
def test_what_is_no_midi_song(data):
    with pytest.raises(UnreadableFile) as error:
        read_midi(data)
    assert error.value.hint


def test_too_many_notes_and_too_long():
    stroke = b"\x00\x90\x3c\x40\x01\x3c\x00"
    track = b"\x00\x90\x3c\x40\x01\x3c\x00" + stroke * 100_001 + b"\x00\xff\x2f\x00"
    head = midi(scale())[:10] + b"\0\1\x01\xe0MTrk"
    with pytest.raises(TooLarge):
        read_midi(head + len(track).to_bytes(4) + track)
    with pytest.raises(TooLarge):
        read_midi(midi(note(0, 1, 60) + note(500_000, 1, 60)))


def test_damaged_files_raise_only_our_errors():
    random.seed(3)
    good = midi(meta(0, "marker", text="Am7"), named("Melody", scale()), chord(0, 8, 48, 52, 55))
    outcomes = {"song": 0, "error": 0}
    for _ in range(1500):
        data = bytearray(good)
        for _ in range(random.choice([1, 2, 8])):
            data[random.randrange(8, len(data))] = random.randrange(256)
        if random.random() < 0.2:
            del data[random.randrange(len(data)) :]
        try:
            read_midi(bytes(data))
            outcomes["song"] += 1
        except SidemanError:
            outcomes["error"] += 1
    assert min(outcomes.values()) > 50
