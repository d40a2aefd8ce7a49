"""Score -> the bytes of any file of it that we make."""

from pathlib import Path
from typing import Literal

from sideman.errors import MissingExtra
from sideman.formats import score_engrave, score_wav
from sideman.formats.score_midi import write_score_midi
from sideman.formats.score_musicxml_write import write as write_musicxml
from sideman.music.score import Score

ScoreKind = Literal["musicxml", "midi", "svg", "pdf", "wav", "mp3"]
ENDINGS: dict[str, ScoreKind] = {
    ".musicxml": "musicxml", ".xml": "musicxml", ".mid": "midi", ".midi": "midi", ".svg": "svg", ".pdf": "pdf",
    ".wav": "wav", ".mp3": "mp3",
}  # fmt: skip
MEDIA_TYPES: dict[str, str] = {
    "musicxml": "application/vnd.recordare.musicxml+xml", "midi": "audio/midi", "svg": "image/svg+xml",
    "pdf": "application/pdf", "wav": "audio/wav", "mp3": "audio/mpeg",
}  # fmt: skip


def check_kind(kind: ScoreKind) -> None:
    """Raises MissingExtra where a kind of file cannot be made here, before any work is done for it."""
    if kind in ("svg", "pdf") and not score_engrave.can_engrave():
        raise MissingExtra("Drawing a score", "score" if kind == "svg" else "pdf")
    if kind == "pdf" and not score_engrave.can_print():
        raise MissingExtra("A PDF", "pdf")
    if kind == "mp3" and not score_wav.can_compress():
        raise MissingExtra("An MP3", "audio")


def write_score(score: Score, kind: ScoreKind) -> tuple[bytes, ...]:
    """The files of a score: one, but of SVG one a page. Raises CannotEngrave, MissingExtra, TooLarge."""
    check_kind(kind)
    if kind == "svg":
        return tuple(page.encode() for page in score_engrave.svg_pages(score))
    if kind == "pdf":
        return (score_engrave.pdf(score),)
    if kind == "midi":
        return (write_score_midi(score),)
    if kind == "wav":
        return (score_wav.write_wav(score),)
    if kind == "mp3":
        return (score_wav.write_mp3(score),)
    return (write_musicxml(score),)


def numbered(path: Path, count: int) -> list[Path]:
    """Where `count` files go that were asked for as `path`: there, or beside it with numbers from 1."""
    return [path] if count == 1 else [path.with_stem(f"{path.stem}-{number}") for number in range(1, count + 1)]
