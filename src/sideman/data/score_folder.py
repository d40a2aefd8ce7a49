"""Folders of MusicXML lead sheets -> pieces: what OpenEWLD and Wikifonia share.

An id is the path of a file below the folder, without its ending. The mode these sheets state is
"major" throughout and says nothing, so a sheet that ends on the relative minor chord is read as minor.
"""

import re
import unicodedata
from dataclasses import replace
from pathlib import Path

from sideman.data.piece import Discarded, Piece
from sideman.errors import SidemanError
from sideman.formats.musicxml import read_sheet
from sideman.music.pitch import Key
from sideman.music.song import KeyChange, Song

_ENDINGS = (".mxl", ".musicxml", ".xml")


def score_paths(folder: Path) -> dict[str, Path]:
    """Files by id, sorted by id; of two files that differ in the ending only, the packed one."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*"), key=lambda p: (p.suffix != ".mxl", p.as_posix())):
        relative = path.relative_to(folder)
        hidden = any(part.startswith((".", "__MACOSX")) for part in relative.parts)
        if path.suffix.lower() in _ENDINGS and not hidden and path.is_file():
            found.setdefault(unicodedata.normalize("NFC", relative.with_suffix("").as_posix()), path)
    return dict(sorted(found.items()))


def convert_score(collection: str, path: Path, piece_id: str, title: str) -> Piece:
    """One lead sheet -> Piece; versions of a work share the `title`. Raises Discarded."""
    try:
        song, losses = read_sheet(path.read_bytes())
    except OSError:
        raise Discarded("the file cannot be opened") from None
    except SidemanError as error:
        raise Discarded(f"unreadable: {error.code}") from None
    if not song.notes:
        raise Discarded("no melody note")
    if not song.chords:
        raise Discarded("no chord symbol")
    song = replace(song, keys=_keys(song), title=song.title or title, source=f"{collection}:{piece_id}")
    return Piece(piece_id, song, f"{collection}:{_plain(title)}", losses=losses)


def _plain(title: str) -> str:
    """A title without accents, case, punctuation and version marks."""
    letters = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode() or title
    return "-".join(re.findall(r"\w+", re.sub(r"_?\[\d+\]$", "", letters).lower().replace("_", " ")))


def _keys(song: Song) -> tuple[KeyChange, ...]:
    """The keys of a song; a single major key becomes its relative minor where the song ends on that chord."""
    if len(song.keys) != 1 or song.keys[0].key.mode == "minor":
        return song.keys
    minor = Key.from_fifths(song.keys[0].key.fifths, "minor")
    last = song.chords[-1].chord
    ends_minor = last.root == minor.tonic and last.mask & 0b11000 == 0b01000
    return (KeyChange(song.keys[0].onset, minor),) if ends_minor else song.keys
