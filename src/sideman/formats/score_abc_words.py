"""Lyrics of a line of music -> its `w:` lines, one a verse, one syllable or sign for every note."""

from collections.abc import Iterable

from sideman.music.score import Event, Syllable

_SAFE = str.maketrans({"-": "\\-", " ": "~", "*": "", "_": "", "|": "", "%": "", '"': "'", "\\": ""})


def words(events: Iterable[Event]) -> list[str]:
    """`w:` lines for the notes among `events`; none where nobody sings."""
    sung = [event.lyrics for event in events if event.notes and not event.is_grace]
    verses = max((len(lyrics) for lyrics in sung), default=0)
    return [_verse([lyrics[verse] if verse < len(lyrics) else None for lyrics in sung]) for verse in range(verses)]


def _verse(syllables: list[Syllable | None]) -> str:
    out: list[str] = []
    held = False
    for syllable in syllables:
        if syllable is None:
            out.append("_" if held else "*")
            continue
        held = syllable.held
        out.append((syllable.text.translate(_SAFE) or "*") + ("-" if syllable.hyphen else ""))
    while out and out[-1] == "*":
        out.pop()
    return "w:" + " ".join(out)
