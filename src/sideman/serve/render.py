"""The answer in the form the caller reads: JSON, or a MIDI file with the melody and one track an option."""

import msgspec

from sideman.errors import SidemanError
from sideman.formats.midi_write import write_options_midi
from sideman.music.chord import Chord
from sideman.music.song import ChordSpan, Song
from sideman.options.answer import Answer, Option

MEDIA_TYPES = ("application/json", "audio/midi")
MATCHES = {
    "*/*": MEDIA_TYPES[0],
    "application/*": MEDIA_TYPES[0],
    "application/json": MEDIA_TYPES[0],
    "audio/*": MEDIA_TYPES[1],
    "audio/midi": MEDIA_TYPES[1],
    "audio/x-midi": MEDIA_TYPES[1],
}


class NotAcceptable(SidemanError):
    """The caller reads none of our media types."""

    code = "not_acceptable"
    status = 406


def choose_media_type(accept: str, matches: dict[str, str] = MATCHES) -> str:
    """The media type an Accept header likes best, of those in `matches` (what it may say -> media type); ties go
    to the first. Raises NotAcceptable."""
    best, best_quality = None, 0.0
    for entry in accept.lower().split(","):
        name, *parameters = [part.strip() for part in entry.split(";")]
        quality = _quality(parameters)
        if name in matches and quality > best_quality:
            best, best_quality = matches[name], quality
    if best is None:
        kinds = dict.fromkeys(matches.values())
        raise NotAcceptable(f"There is no answer of type {accept}.", f"Accept {' or '.join(kinds)}.")
    return best


def render(melody: Song, answer: Answer, media_type: str) -> bytes:
    """The bytes of an answer."""
    if media_type == "application/json":
        return msgspec.json.encode(answer)
    named = [(f"Option {option.rank}", spans_of(option)) for option in answer.options]
    return write_options_midi(melody, named)


def spans_of(option: Option) -> tuple[ChordSpan, ...]:
    """The chords of an option in our own types."""
    parsed = [(chord, Chord.parse(chord.symbol)) for chord in option.chords]
    return tuple(ChordSpan(c.onset, c.duration, chord) for c, chord in parsed if chord is not None)


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0
