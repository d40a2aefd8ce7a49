"""MTF equals what mido reads from the same file, and a damaged file is refused."""

import contextlib
import io
import random

import mido
import pytest

from sideman.errors import UnreadableFile
from sideman.formats.mtf import read_mtf

TEXTS = ("text", "copyright", "track_name", "instrument_name", "lyrics", "marker", "cue_marker", "device_name")

KINDS = (
    "note_on", "note_off", "control_change", "program_change", "pitchwheel", "polytouch", "aftertouch", "set_tempo",
    "time_signature", "key_signature", "midi_port", "channel_prefix", "sequence_number", "smpte_offset", "text",
    "sysex", "sequencer_specific",
)  # fmt: skip


def saved(*tracks: list[mido.Message | mido.MetaMessage]) -> bytes:
    stream = io.BytesIO()
    file = mido.MidiFile(type=1, ticks_per_beat=480)
    file.tracks.extend(mido.MidiTrack(track) for track in tracks)
    file.save(file=stream)
    return stream.getvalue()


def by_mido(data: bytes) -> list[str]:
    """The lines as the published program makes them: mido's fields in mido's order, texts left out."""
    file = mido.MidiFile(file=io.BytesIO(data))
    out = [f"ticks_per_beat {file.ticks_per_beat}"]
    kept = (m for m in file.merged_track if m.type not in (*TEXTS, "sequencer_specific", "sysex"))
    return [*out, *(" ".join(map(str, message.dict().values())) for message in kept)]


def random_message(rng: random.Random) -> mido.Message | mido.MetaMessage:
    kind = rng.choice(KINDS)
    time, channel = rng.choice([0, 0, 1, 90, 200, 5000]), rng.randrange(16)
    seven = lambda: rng.randrange(128)  # noqa: E731
    given = {
        "note_on": lambda: {"note": seven(), "velocity": seven()},
        "note_off": lambda: {"note": seven(), "velocity": seven()},
        "control_change": lambda: {"control": seven(), "value": seven()},
        "program_change": lambda: {"program": seven()},
        "pitchwheel": lambda: {"pitch": rng.randrange(-8192, 8192)},
        "polytouch": lambda: {"note": seven(), "value": seven()},
        "aftertouch": lambda: {"value": seven()},
        "sysex": lambda: {"data": (1, 2, seven())},
    }
    if kind in given:
        where = {} if kind == "sysex" else {"channel": channel}
        return mido.Message(kind, time=time, **where, **given[kind]())
    meta = {
        "set_tempo": {"tempo": rng.randrange(1, 2**24)},
        "time_signature": {"numerator": rng.randrange(1, 13), "denominator": 2 ** rng.randrange(5)},
        "key_signature": {"key": rng.choice(["C", "F#m", "Cb", "Abm", "C#"])},
        "midi_port": {"port": seven()},
        "channel_prefix": {"channel": channel},
        "sequence_number": {"number": rng.randrange(65536)},
        "smpte_offset": {"frame_rate": rng.choice([24, 25, 29.97, 30]), "hours": 3, "sub_frames": 9},
        "text": {"text": "la"},
        "sequencer_specific": {"data": (1, 2)},
    }
    return mido.MetaMessage(kind, time=time, **meta[kind])


@pytest.mark.parametrize("seed", range(5))
def test_as_mido_reads_it(seed: int):
    rng = random.Random(seed)
    data = saved(*([random_message(rng) for _ in range(60)] for _ in range(3)))
    assert read_mtf(data, reference=True).splitlines() == by_mido(data)


def test_a_text_keeps_its_time():
    note, text = mido.Message("note_on", note=60, time=7), mido.MetaMessage("lyrics", text="la", time=100)
    end = mido.MetaMessage("end_of_track", time=3)
    data = saved([text, note, end])
    assert read_mtf(data).splitlines() == ["ticks_per_beat 480", "note_on 107 0 60 64", "end_of_track 3"]
    assert read_mtf(data, reference=True).splitlines()[1] == "note_on 7 0 60 64"


def test_an_end_of_one_track_is_not_the_end():
    first = [mido.Message("note_on", note=60, time=5), mido.MetaMessage("end_of_track", time=5)]
    second = [mido.Message("note_on", note=62, time=30), mido.MetaMessage("end_of_track", time=0)]
    data = saved(first, second)
    assert read_mtf(data).splitlines()[1:] == ["note_on 5 0 60 64", "note_on 25 0 62 64", "end_of_track 0"]
    assert read_mtf(data, reference=True).splitlines() == by_mido(data)


def test_an_unknown_meta_message_and_running_status():
    track = bytes([0, 0xFF, 0x60, 2, 1, 2, 0, 0x90, 60, 64, 10, 60, 0, 0, 0xFF, 0x2F, 0])
    data = b"MThd" + bytes([0, 0, 0, 6, 0, 0, 0, 1, 1, 224]) + b"MTrk" + len(track).to_bytes(4) + track
    assert read_mtf(data).splitlines()[1:] == [
        "unknown_meta 96 (1, 2) 0", "note_on 0 0 60 64", "note_on 10 0 60 0", "end_of_track 0",
    ]  # fmt: skip
    assert read_mtf(data).splitlines() == by_mido(data)


def test_a_damaged_file_is_refused():
    data = saved([mido.Message("note_on", note=60, time=5), mido.MetaMessage("set_tempo", tempo=400000)])
    for cut in range(len(data)):
        with pytest.raises(UnreadableFile):
            read_mtf(data[:cut])
    for place in range(14, len(data)):
        broken = bytearray(data)
        broken[place] ^= 0xFF
        with contextlib.suppress(UnreadableFile):
            read_mtf(bytes(broken))
