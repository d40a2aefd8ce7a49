"""Lyrics of a line of music -> its `w:` lines, one a verse, one syllable or sign for every note."""

from collections.abc import Iterable

from sideman.music.score import Event, Syllable

_SAFE = str.maketrans({"-": "\\-", " ": "~", "*": "", "_": "", "|": "", "%": "", '"': "'", "\\": ""})


def words(events: Iterable[Event]) -> list[str]:
    """`w:` lines for the notes among `events`; none where nobody sings."""
    line = [event for event in events if not event.is_grace]
    verses = max((len(event.lyrics) for event in line), default=0)
    return [_verse(line, verse) for verse in range(verses)]


def _verse(events: list[Event], verse: int) -> str:
    out: list[str] = []
    held = False  # a line is drawn after the last syllable, up to the next rest
    for event in events:
        syllable: Syllable | None = event.lyrics[verse] if verse < len(event.lyrics) else None
        held &= bool(event.notes)
        if not event.notes:
            continue
        if syllable is None:
            out.append("_" if held else "*")
            continue
        held = syllable.held
        out.append((syllable.text.translate(_SAFE) or "*") + ("-" if syllable.hyphen else ""))
    while out and out[-1] == "*":
        out.pop()
    return "w:" + " ".join(out)
