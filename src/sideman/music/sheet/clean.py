"""Standard ABC as a converter writes it -> the plain ASCII subset that sheets are made of (spec 1.4).

Titles, lyrics, numbering and other words about a piece go; what is played and how it is laid out stays.
"""

import re
import unicodedata

from sideman.music.sheet.bars import BARLINE

_DROPPED = re.compile(r"[XTCWwZ]:|%%MIDI|%%abc-include")
_FIELD = re.compile(r"[A-Za-z]:")
_BAR_NUMBER = re.compile(r"[ \t]*%\d+[ \t]*$")
_QUOTED = re.compile(r'"[^"]*"')
_BARLINE = re.compile(BARLINE)
_REPEATED = re.compile(r"([^A-Za-z0-9])\1+")
_LONGEST_ANNOTATION = 40  # with its quotes
# Letters and signs that canonical decomposition leaves beyond ASCII.
_ASCII = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ł": "l", "Ł": "L",
     "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i", "‘": "'", "’": "'", "‚": ",", "“": "'", "”": "'", "„": "'",
     "–": "-", "—": "-", "…": "...", "♭": "b", "♯": "#", "♮": "=", "\u00a0": " ", "×": "x", "°": "o", "«": "<<",
     "»": ">>", "\t": " ", "♩": "1/4", "♪": "1/8"}
)  # fmt: skip


def clean(text: str) -> str:
    """Clean header and body; every line of the result ends in a newline."""
    lines = [ascii_of(line) for line in text.splitlines()]
    lines = [line for line in lines if line.strip() and not _DROPPED.match(line)]
    body = body_start(lines)
    cleaned = (_clean_line(line, in_body=i >= body) for i, line in enumerate(lines))
    return "".join(line + "\n" for line in cleaned if line.strip())


def body_start(lines: list[str]) -> int:
    """Index of the last line that is `V:1`, with which the body begins; the number of lines where there is none."""
    found = [i for i, line in enumerate(lines) if line.strip() == "V:1"]
    return found[-1] if found else len(lines)


def ascii_of(text: str) -> str:
    """Text in ASCII: letters without their accents, signs by what is typed for them, others left out."""
    if text.isascii() and "\t" not in text:
        return _without_controls(text)
    plain = unicodedata.normalize("NFKD", text.translate(_ASCII)).translate(_ASCII)
    return _without_controls(plain.encode("ascii", "ignore").decode())


def _without_controls(text: str) -> str:
    return text if text.isprintable() else "".join(filter(str.isprintable, text))


def _clean_line(line: str, in_body: bool) -> str:
    if in_body:
        line = _BAR_NUMBER.sub("", line)
    if not _FIELD.match(line) and not line.startswith("%"):
        line = line.replace('\\"', "")
    return _QUOTED.sub(_kept_text, line) if '"' in line else line


def _kept_text(found: "re.Match[str]") -> str:
    """A quoted text, or nothing where it is empty, holds a barline, or is a long annotation."""
    text = found[0]
    if len(text) == 2 or _BARLINE.search(text):
        return ""
    if text[1] in "^_":
        text = _REPEATED.sub(r"\1", text)
        return "" if len(text) > _LONGEST_ANNOTATION else text
    return text
