"""Song -> a chord chart as an `irealbook://` link, inside a small page that can be tapped.

Written after the public description of the protocol: a link names title, composer, style, key, `n` and the
progression, told apart by `=`; the progression is a row of cells, 16 a line, between bar lines. A bar takes four
cells (more if it has more pulses), a chord stands on a pulse. What the protocol has no word for is brought to the
nearest it has: a chord between two pulses goes to a free cell beside it, or is left out; a quality becomes the
nearest of its list. A pickup is left out: it is counted in.
"""

from html import escape
from urllib.parse import quote

from sideman.errors import WrongValue
from sideman.music.chord import Chord
from sideman.music.metre import bar_lines
from sideman.music.pitch import PLAIN_NAMES, Key, spell
from sideman.music.song import Meter, Song

STYLE = "Pop"
BAR_CELLS = 4
_EPSILON = 1e-6

METERS = {
    "2/4": "T24", "3/4": "T34", "4/4": "T44", "5/4": "T54", "6/4": "T64", "7/4": "T74", "2/2": "T22", "3/2": "T32",
    "3/8": "T38", "5/8": "T58", "6/8": "T68", "7/8": "T78", "9/8": "T98", "12/8": "T12",
}  # fmt: skip
QUALITIES = {
    "": (0, 4, 7), "-": (0, 3, 7), "o": (0, 3, 6), "+": (0, 4, 8), "5": (0, 7), "2": (0, 2, 7), "sus": (0, 5, 7),
    "add9": (0, 2, 4, 7), "6": (0, 4, 7, 9), "-6": (0, 3, 7, 9), "69": (0, 2, 4, 7, 9), "-69": (0, 2, 3, 7, 9),
    "7": (0, 4, 7, 10), "^7": (0, 4, 7, 11), "-7": (0, 3, 7, 10), "-^7": (0, 3, 7, 11), "o7": (0, 3, 6, 9),
    "h7": (0, 3, 6, 10), "7sus": (0, 5, 7, 10), "7#5": (0, 4, 8, 10), "7b5": (0, 4, 6, 10), "^7#5": (0, 4, 8, 11),
    "9": (0, 2, 4, 7, 10), "^9": (0, 2, 4, 7, 11), "-9": (0, 2, 3, 7, 10), "-^9": (0, 2, 3, 7, 11),
    "h9": (0, 2, 3, 6, 10), "9sus": (0, 2, 5, 7, 10), "9#5": (0, 2, 4, 8, 10), "9b5": (0, 2, 4, 6, 10),
    "7b9": (0, 1, 4, 7, 10), "7#9": (0, 3, 4, 7, 10), "7#11": (0, 4, 6, 7, 10), "7b13": (0, 4, 7, 8, 10),
    "7b9sus": (0, 1, 5, 7, 10), "7b9b5": (0, 1, 4, 6, 10), "7b9#5": (0, 1, 4, 8, 10), "7#9#5": (0, 3, 4, 8, 10),
    "^7#11": (0, 4, 6, 7, 11), "^9#11": (0, 2, 4, 6, 7, 11), "9#11": (0, 2, 4, 6, 7, 10),
    "7alt": (0, 1, 3, 4, 8, 10), "-11": (0, 2, 3, 5, 7, 10), "11": (0, 2, 4, 5, 7, 10), "13": (0, 2, 4, 7, 9, 10),
    "^13": (0, 2, 4, 7, 9, 11), "13sus": (0, 2, 5, 7, 9, 10), "13b9": (0, 1, 4, 7, 9, 10), "-b6": (0, 3, 7, 8),
}  # fmt: skip
_MASKS = {name: sum(1 << tone for tone in tones) for name, tones in QUALITIES.items()}
_ROOTS = {"Cb", "C#", "D#", "Gb", "G#", "A#", *PLAIN_NAMES}

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<p><a href="{link}">{title}</a></p>
</html>
"""


def write_ireal(song: Song) -> bytes:
    """UTF-8 bytes of an HTML page with the link. Raises WrongValue for a metre the protocol has not."""
    return _PAGE.format(title=escape(song.title or "Chords"), link=escape(ireal_link(song))).encode()


def ireal_link(song: Song) -> str:
    """The link, percent-encoded. Raises WrongValue."""
    names = [_plain(song.title) or "Chords", _plain(song.composer) or "Unknown", STYLE, _key(song.key), "n"]
    return "irealbook://" + quote("=".join([*names, progression(song)]), safe="=")


def progression(song: Song) -> str:
    """The row of cells, bar lines between them. Raises WrongValue."""
    bars = [bar for bar in bar_lines(song.meters, song.beats) if bar[0] >= song.pickup - _EPSILON]
    text, stated = "[", ""
    for number, (onset, length, meter) in enumerate(bars):
        if str(meter) != stated:
            stated = str(meter)
            text += _meter(stated)
        text += _bar(song, onset, length, meter) + ("Z" if number + 1 == len(bars) else "|")
    return text


def _bar(song: Song, onset: float, length: float, meter: Meter) -> str:
    """The cells of a bar: a chord, or a space. A chord right behind another is kept apart by a comma."""
    pulses = max(1, round(meter.bar_beats / meter.pulse_beats))
    cells = [""] * max(BAR_CELLS, pulses)
    step = len(cells) // pulses
    for at, name in _changes(song, onset, onset + length):
        wished = min(len(cells) - 1, int((at - onset) / meter.pulse_beats + _EPSILON) * step)
        free = next((cell for cell in (wished, wished + 1) if cell < len(cells) and not cells[cell]), None)
        if free is not None:
            cells[free] = name
    text = ""
    for cell in cells:
        text += f",{cell}" if cell and text[-1:] not in ("", " ") else cell or " "
    return text


def _changes(song: Song, start: float, stop: float) -> list[tuple[float, str]]:
    """(beat, what stands there) of a bar: a bar always says what begins it."""
    found: list[tuple[float, str]] = []
    end = start
    for span in song.chords:
        if span.offset <= start + _EPSILON or span.onset >= stop - _EPSILON:
            continue
        if span.onset > end + _EPSILON:
            found.append((end, "n"))
        found.append((max(span.onset, start), _name(span.chord, song.key_at(span.onset))))
        end = span.offset
    if end < stop - _EPSILON and song.beats > end + _EPSILON:
        found.append((end, "n"))
    return found


def _name(chord: Chord, key: Key | None) -> str:
    quality = min(_MASKS, key=lambda name: _distance(_MASKS[name], chord.mask))
    root, bass = _root(chord.root, key), _root(chord.bass, key)
    return root + quality + (f"/{bass}" if chord.bass != chord.root else "")


def _distance(known: int, mask: int) -> int:
    """Tones that differ; one that the chord has not got weighs more than one that is left out."""
    return (known ^ mask).bit_count() + (known & ~mask).bit_count()


def _root(pitch_class: int, key: Key | None) -> str:
    name = spell(pitch_class, key)
    return name if name in _ROOTS else PLAIN_NAMES[pitch_class]


def _meter(meter: str) -> str:
    if meter not in METERS:
        raise WrongValue(f"The chart has no sign for {meter}.", f"It knows {', '.join(METERS)}.")
    return METERS[meter]


def _key(key: Key | None) -> str:
    if key is None:
        return "C"
    tonic = _root(key.tonic, key)
    return f"{tonic}-" if key.mode == "minor" else tonic


def _plain(text: str) -> str:
    """A name that cannot be taken for the end of its field."""
    return " ".join(text.replace("=", " ").split())
