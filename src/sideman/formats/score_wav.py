"""Score -> sound: a WAV file of 16-bit stereo at 44,100 Hz, or an MP3 of it, by our own voices or by FluidSynth where
both the program and a SoundFont are found.

Our voices add sines: one tone a pitch and kind of instrument is made and cut to the length of each note. Parts stand
side by side from left to right.
"""

import io
import math
import os
import shutil
import subprocess
import tempfile
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sideman.errors import MissingExtra, TooLarge
from sideman.formats.score_midi import performance_midi
from sideman.formats.score_performance import Performance, PlayedNote, perform
from sideman.formats.score_programs import Family, family_of
from sideman.music.score import Score

RATE = 44_100
MAX_SECONDS = 600
PEAK = 10 ** (-3 / 20)
TAIL_SECONDS = 1.5
# Nobody holds a tone longer.
MAX_TONE_SECONDS = 15
FLUIDSYNTH_SECONDS = 120
_FONTS = (
    "/usr/share/sounds/sf2/default-GM.sf2", "/usr/share/sounds/sf3/default-GM.sf3",
    "/usr/share/sounds/sf2/FluidR3_GM.sf2", "/usr/share/soundfonts/default.sf2",
)  # fmt: skip
_A4, _A4_HZ = 69, 440.0
# Strength of each partial, decay of the first in seconds (0: it sustains), attack and release in seconds.
_VOICES: dict[Family, tuple[tuple[float, ...], float, float, float]] = {
    "keys": ((1, 0.5, 0.28, 0.16, 0.1, 0.06, 0.03), 1.6, 0.004, 0.25),
    "pluck": ((1, 0.7, 0.5, 0.35, 0.22, 0.15, 0.1, 0.06), 0.7, 0.002, 0.12),
    "bells": ((1, 0.1, 0.3, 0.05, 0.12), 1.2, 0.002, 0.5),
    "strings": ((1, 0.6, 0.42, 0.3, 0.22, 0.16, 0.1, 0.06), 0, 0.05, 0.12),
    "wind": ((1, 0.35, 0.25, 0.08, 0.04), 0, 0.03, 0.08),
    "brass": ((1, 0.8, 0.65, 0.45, 0.3, 0.18, 0.1), 0, 0.03, 0.08),
    "voice": ((1, 0.45, 0.3, 0.22, 0.06, 0.03), 0, 0.06, 0.12),
    "organ": ((1, 0.6, 0.3, 0.4, 0.05, 0.15), 0, 0.02, 0.06),
}

Samples = NDArray[np.float32]


def write_wav(score: Score) -> bytes:
    """A score as sound. Raises TooLarge for more than ten minutes."""
    return wav_bytes(sound_of(score))


def write_mp3(score: Score) -> bytes:
    """A score as compressed sound. Raises TooLarge for more than ten minutes, MissingExtra."""
    try:
        import soundfile
    except ImportError:
        raise MissingExtra("An MP3", "audio") from None

    stream = io.BytesIO()
    soundfile.write(stream, sound_of(score), RATE, format="MP3")
    return stream.getvalue()


def can_compress() -> bool:
    """Whether MP3 files can be made here."""
    return find_spec("soundfile") is not None


def sound_of(score: Score) -> Samples:
    """Sound [samples, 2], its peak at -3 dBFS. Raises TooLarge for more than ten minutes."""
    played = perform(score)
    length = played.seconds(played.beats)
    if length > MAX_SECONDS:
        raise TooLarge(f"The score lasts {length / 60:.0f} minutes; sound is made of up to {MAX_SECONDS // 60}.")
    font = soundfont()
    found = _fluidsynth(performance_midi(score, played), font) if font else None
    return synthesise(played) if found is None else found


def synthesise(played: Performance) -> Samples:
    """Sound [samples, 2] by our own voices, its peak at -3 dBFS; silence where nothing sounds."""
    frames = int((played.seconds(played.beats) + TAIL_SECONDS) * RATE)
    sound = np.zeros((frames, 2), np.float32)
    for note in played.notes:
        start, stop = played.seconds(note.onset), played.seconds(note.onset + note.beats)
        family = "bells" if note.part in played.drums else family_of(played.programs[note.part])
        tone = _shaped(note, family, min(stop - start, MAX_TONE_SECONDS))
        at = int(start * RATE)
        tone = tone[: frames - at]
        for channel, gain in enumerate(_panned(note.part, len(played.programs))):
            sound[at : at + len(tone), channel] += gain * tone
    peak = float(np.max(np.abs(sound), initial=0.0))
    if peak:
        sound *= np.float32(PEAK / peak)
    return sound


def wav_bytes(sound: Samples) -> bytes:
    """Sound [samples, channels] in -1..1 as a file of 16-bit PCM."""
    data: bytes = np.round(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()
    channels = int(sound.shape[1])
    head = b"fmt " + (16).to_bytes(4, "little") + (1).to_bytes(2, "little") + channels.to_bytes(2, "little")
    head += RATE.to_bytes(4, "little") + (RATE * channels * 2).to_bytes(4, "little")
    head += (channels * 2).to_bytes(2, "little") + (16).to_bytes(2, "little")
    body = b"WAVE" + head + b"data" + len(data).to_bytes(4, "little") + data
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def soundfont() -> Path | None:
    """The SoundFont FluidSynth plays: `SIDEMAN_SOUNDFONT`, or one of the system; None without the program."""
    if shutil.which("fluidsynth") is None:
        return None
    named = os.environ.get("SIDEMAN_SOUNDFONT")
    return next((path for path in map(Path, [named] if named else _FONTS) if path.is_file()), None)


def _fluidsynth(midi: bytes, font: Path) -> Samples | None:
    """The sound [samples, 2] as FluidSynth makes it, levelled like ours; None where it fails."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "score.mid"), Path(folder, "score.raw")
        source.write_bytes(midi)
        command = ["fluidsynth", "-ni", "-q", "-r", str(RATE), "-O", "s16", "-T", "raw", "-F", str(target)]
        try:
            subprocess.run(
                [*command, str(font), str(source)], capture_output=True, timeout=FLUIDSYNTH_SECONDS, check=True
            )
            sound = np.frombuffer(target.read_bytes(), "<i2").reshape(-1, 2).astype(np.float32)
        except (OSError, subprocess.SubprocessError, ValueError):
            return None
    peak = float(np.max(np.abs(sound), initial=0.0))
    return sound * np.float32(PEAK / peak) if peak else None


def _shaped(note: PlayedNote, family: Family, seconds: float) -> Samples:
    """One note with its attack and its release."""
    _, _, attack, release = _VOICES[family]
    count = int((seconds + release) * RATE)
    whole = _tone(family, note.pitch, 2 ** max(0, math.ceil(math.log2(max(count, 1) / RATE))))
    tone = whole[:count] * np.float32((note.velocity / 127) ** 1.5)
    rise = min(int(attack * RATE), count)
    tone[:rise] *= np.linspace(0, 1, rise, dtype=np.float32)
    fall = min(int(release * RATE), count)
    tone[count - fall :] *= np.linspace(1, 0, fall, dtype=np.float32)[: len(tone) - (count - fall)] ** 2
    return tone


@lru_cache(maxsize=96)
def _tone(family: Family, pitch: int, seconds: int) -> Samples:
    """A pitch held for `seconds`, without attack and release."""
    partials, decay, _, _ = _VOICES[family]
    base = _A4_HZ * 2 ** ((pitch - _A4) / 12)
    time = np.arange(seconds * RATE, dtype=np.float32) / RATE
    phase = 2 * np.pi * base * np.arange(seconds * RATE, dtype=np.float64) / RATE
    if not decay:  # a slow vibrato that sets in late
        phase += 0.12 * np.clip(time - 0.25, 0, 0.4) / 0.4 * np.sin(2 * np.pi * 5.2 * time)
    sound = np.zeros(len(time), np.float32)
    for number, strength in enumerate(partials, 1):
        if base * number < RATE / 2.5:
            wave = np.sin(number * phase).astype(np.float32)
            if decay:
                wave *= np.exp(-time * np.float32(number**0.7 / (decay * 2 ** ((60 - pitch) / 24))))
            sound += strength * wave
    return sound / np.float32(sum(partials))


def _panned(part: int, parts: int) -> tuple[float, float]:
    """Gains left and right, equal power."""
    angle = math.pi / 4 if parts < 2 else math.pi / 4 * (0.6 + 0.8 * part / (parts - 1))
    return math.cos(angle), math.sin(angle)
