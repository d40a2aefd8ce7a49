"""One voice cut into its bars (spec 1.3)."""

import re
from dataclasses import dataclass

# All barlines, the longer ones first.
BARLINE = r"\|\|:|:\|\||\[\|:|:\|\]|\|\]:|:\[\||\|:|::|:\||\[\||\|\||\|\]|\|"
_SPLIT = re.compile(f"({BARLINE})")
_IS_BARLINE = re.compile(BARLINE)
_FIELDS = re.compile(r"(?:\[[A-Za-z]:[^\]]*\]\s*)+")
_VOLTA = re.compile(r"[0-9:][0-9,.\-:]*")


@dataclass(slots=True)
class VoiceBars:
    """Bars of one voice: `texts[i]` is closed by `barlines[i]`; before the first stand `prefix` (inline fields, such
    as the key of a transposing part) and `left`, its opening barline, both mostly empty."""

    texts: list[str]
    barlines: list[str]
    prefix: str = ""
    left: str = ""

    def __len__(self) -> int:
        return len(self.texts)

    def bar(self, index: int) -> str:
        """Bar `index` as it stands in an interleaved line behind its voice tag."""
        opening = self.prefix + self.left if index == 0 else ""
        return opening + self.texts[index] + self.barlines[index]


def split_bars(text: str) -> VoiceBars:
    """A voice -> bars. A bar without a closing barline gets a plain one; barlines in a row become one."""
    pieces = [piece.strip() for piece in _SPLIT.split(text) if piece.strip()]
    voice = VoiceBars([], [])
    if pieces and _FIELDS.fullmatch(pieces[0]) and len(pieces) > 1 and _IS_BARLINE.fullmatch(pieces[1]):
        voice.prefix = pieces.pop(0)
    bar = ""
    for piece in pieces:
        if _IS_BARLINE.fullmatch(piece):
            _close(voice, bar, piece)
            bar = ""
        else:
            bar = _move_volta(voice, " ".join(piece.split("\n")) if "\n" in piece else piece)
    if bar:
        _close(voice, bar, "|")
    return voice


def _close(voice: VoiceBars, bar: str, barline: str) -> None:
    """End a bar; without one, the barline opens the voice or joins the one before it."""
    if bar:
        voice.texts.append(bar)
        voice.barlines.append(barline)
    elif voice.texts:
        voice.barlines[-1] = _joined(voice.barlines[-1], barline)
    else:
        voice.left = _joined(voice.left, barline) if voice.left else barline


def _move_volta(voice: VoiceBars, bar: str) -> str:
    """A bar without the volta numbers at its start, which belong to the barline before it."""
    found = _VOLTA.match(bar)
    if found is None:
        return bar
    if voice.texts:
        voice.barlines[-1] += found[0]
    else:
        voice.left += found[0]
    return bar[found.end() :].lstrip()


def _joined(first: str, second: str) -> str:
    """Two barlines with nothing between them, as one: repeats win, then heavy ones, then the later one."""
    if first.endswith(":|") and second.startswith("|:"):
        return "::"
    return first if second == "|" or first[-1].isdigit() or (":" in first and ":" not in second) else second


def split_voice_bar(text: str) -> tuple[str, str]:
    """`c4|]` -> bar and right barline, with the volta numbers behind it; a bar without a barline has an empty one."""
    last = None
    for last in _IS_BARLINE.finditer(text):  # noqa: B007 - the last one is wanted
        pass
    return (text, "") if last is None else (text[: last.start()], text[last.start() :])


def split_first_bar(text: str) -> tuple[str, str, str, str]:
    """The first bar of a voice, behind its tag -> prefix, left barline, bar, right barline."""
    bar, right = split_voice_bar(text)
    found = _IS_BARLINE.search(bar)
    if found is None:
        return "", "", bar, right
    volta = _VOLTA.match(bar, found.end())
    end = volta.end() if volta else found.end()
    return bar[: found.start()], bar[found.start() : end], bar[end:], right
