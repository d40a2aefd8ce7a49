"""Progressions as a musician reads them: keys, numerals, voicings, tensions, and what sets each apart."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest

import numpy as np

from sideman.music.cadence import Cadence, cadence_of
from sideman.music.chord import Chord
from sideman.music.pitch import Key
from sideman.music.roman import in_key, local_keys, numeral
from sideman.music.song import ChordSpan, Song
from sideman.music.tension import tensions
from sideman.music.voice_leading import lead_voices
from sideman.options.answer import ChordOut, Explanation, KeyOut, TensionOut
from sideman.options.apart import alone, told_by_bars
from sideman.options.plan import final_key

BASS_OCTAVE = 36
# A trait is worth a word when it is this far from the mean of the other options, in its own unit.
_TELLING = 1.0
_ENDINGS: dict[Cadence, str] = {
    "authentic": "ends at home from the dominant",
    "plagal": "ends at home from the subdominant",
    "half": "ends open on the dominant",
    "deceptive": "ends deceptively on the sixth degree",
    "tonic": "ends at home",
    "open": "ends away from home",
}


@dataclass(frozen=True)
class Reading:
    """One progression with the key of each of its chords."""

    spans: tuple[ChordSpan, ...]
    keys: tuple[Key, ...]
    home: Key
    final: Key

    @classmethod
    def of(cls, spans: tuple[ChordSpan, ...], melody: Song, home: Key) -> "Reading":
        """`home`: the key of the melody at its beginning."""
        return cls(spans, tuple(local_keys([span.chord for span in spans], home)), home, final_key(melody, home))

    def numerals(self) -> list[str]:
        """A Roman numeral for each chord."""
        rows = zip_longest(self.spans, self.keys, (span.chord for span in self.spans[1:]))
        return [numeral(span.chord, key, following) for span, key, following in rows]

    def chords(self) -> list[ChordOut]:
        """The chords as others read them."""
        voicings = lead_voices(span.chord for span in self.spans)
        rows = zip(self.spans, self.numerals(), voicings, strict=True)
        return [chord_out(span, self.home, degree, voicing) for span, degree, voicing in rows]

    def explanation(self, melody: Song, summary: str) -> Explanation:
        changes = [at for at, key in enumerate(self.keys) if at == 0 or key != self.keys[at - 1]]
        keys = [KeyOut(0.0 if at == 0 else self.spans[at].onset, self.keys[at].name) for at in changes]
        return Explanation(
            keys=keys or [KeyOut(0.0, self.home.name)],
            cadence=self.cadence(),
            summary=summary,
            tensions=tensions_out(melody, self.spans, self.home),
        )

    def cadence(self) -> Cadence:
        return cadence_of([span.chord for span in self.spans], self.final)


def chord_out(span: ChordSpan, key: Key, degree: str, voicing: Sequence[int]) -> ChordOut:
    """A chord as others read it."""
    return ChordOut(
        onset=span.onset,
        duration=span.duration,
        symbol=span.chord.name(key),
        pitches=list(span.chord.voicing()),
        bass=BASS_OCTAVE + span.chord.bass,
        numeral=degree,
        voicing=list(voicing),
    )


def tensions_out(melody: Song, spans: tuple[ChordSpan, ...], key: Key) -> list[TensionOut]:
    """The tensions of a melody over chords, as others read them."""
    found = tensions(melody.notes, spans)
    return [TensionOut(t.onset, t.duration, t.pitch, t.chord.name(key), t.name) for t in found]


def summaries(readings: Sequence[Reading], melody: Song, bars: float) -> list[str]:
    """For each progression one sentence that none of the others shares: what sets it apart, and how it ends. Where
    nothing one hears at large does, the bars are named in which it differs."""
    said = _traits_apart(readings, bars)
    told = [told_by_bars(reading.spans, melody.meters, reading.home) for reading in readings]
    seen = Counter(", ".join([*said[at], _ENDINGS[reading.cadence()]]) for at, reading in enumerate(readings))
    out = []
    for at, reading in enumerate(readings):
        ending = _ENDINGS[reading.cadence()]
        parts = said[at]
        if len(readings) == 1:
            parts = [f"begins on {reading.numerals()[0] if reading.spans else 'nothing'}"]
        elif not parts or seen[", ".join([*parts, ending])] > 1:
            bars_apart = alone(told, at)
            where = [f"alone has {bars_apart}"] if bars_apart else []
            parts = [*parts, *where] if parts else [" but ".join(["much like the others", *where])]
        sentence = ", ".join([*parts, ending])
        out.append(sentence[0].upper() + sentence[1:] + ".")
    return out


def _traits_apart(readings: Sequence[Reading], bars: float) -> list[list[str]]:
    """For each progression what one hears of it more, or less, than of the others; at most two things."""
    traits = np.array([[trait.measure(reading, bars) for trait in TRAITS] for reading in readings])
    out = []
    for at in range(len(readings)):
        others = np.delete(traits, at, axis=0)
        away = (traits[at] - (others.mean(0) if len(others) else traits[at])) / [trait.unit for trait in TRAITS]
        telling = [i for i in np.argsort(-np.abs(away), kind="stable")[:2] if abs(away[i]) >= _TELLING]
        out.append([TRAITS[i].say(float(traits[at, i]), away[i] > 0) for i in telling])
    return out


@dataclass(frozen=True)
class Trait:
    """Something one hears: `more` and `less` say it of an option that has more or less of it than the others, `{}`
    taking the value; `unit` is a clear difference. Without `has` it is the number of chords a bar."""

    more: str
    less: str
    unit: float
    has: Callable[[Chord, Key], bool] | None = None

    def measure(self, reading: Reading, bars: float) -> float:
        if not reading.spans:
            return 0.0
        if self.has is None:
            return len(reading.spans) / max(bars, 1.0)
        inside = sum(span.duration for span in reading.spans if self.has(span.chord, reading.home))
        return inside / sum(span.duration for span in reading.spans)

    def say(self, value: float, more: bool) -> str:
        return (self.more if more else self.less).format(f"{value:.1f}" if self.has is None else f"{value:.0%}")


def _is_minor(chord: Chord, key: Key) -> bool:
    return bool(chord.mask & 1 << 3) and not chord.mask & 1 << 4


@lru_cache(maxsize=4096)
def _is_foreign(chord: Chord, key: Key) -> bool:
    return not in_key(chord, key)


TRAITS = (
    Trait("changes more often ({} chords a bar)", "changes less often ({} chords a bar)", 0.35),
    Trait("is darker ({} under minor chords)", "is brighter ({} under minor chords)", 0.12, _is_minor),
    Trait(
        "is richer ({} sevenths and beyond)",
        "is plainer ({} sevenths and beyond)",
        0.12,
        lambda chord, key: chord.mask.bit_count() > 3,
    ),
    Trait("leaves the key more ({} of the time)", "stays in the key more ({} outside)", 0.08, _is_foreign),
    Trait(
        "has more chords off their root ({})",
        "stands more on its roots ({} inverted)",
        0.12,
        lambda chord, key: chord.bass != chord.root,
    ),
    Trait("rests more on the tonic ({})", "avoids the tonic ({})", 0.12, lambda chord, key: chord.root == key.tonic),
    Trait(
        "is more open, without thirds ({})",
        "has fewer open chords ({})",
        0.1,
        lambda chord, key: not chord.mask & 0b11000,
    ),
)
