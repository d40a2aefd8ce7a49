"""POST /v1/songs: a melody, perhaps with chords, in any form that is read; out comes any form that is written."""

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from sideman.errors import WrongValue
from sideman.formats.abc_write import write_abc
from sideman.formats.chart import write_chart
from sideman.formats.ireal import write_ireal
from sideman.formats.json_song import MelodyJson, from_song
from sideman.formats.midi_write import write_midi
from sideman.formats.musicxml_write import write_musicxml
from sideman.music.song import Song
from sideman.music.voice_leading import lead_voices

SongFormat = Literal["json", "midi", "musicxml", "abc", "text", "ireal"]
MEDIA_TYPES: dict[SongFormat, str] = {
    "json": "application/json",
    "midi": "audio/midi",
    "musicxml": "application/vnd.recordare.musicxml+xml",
    "abc": "text/vnd.abc",
    "text": "text/plain",
    "ireal": "text/html",
}


class SongChoices(Struct, forbid_unknown_fields=True):
    """What to make of a song; the same in JSON and in a form."""

    format: SongFormat = "json"


class SongBody(SongChoices, forbid_unknown_fields=True, kw_only=True):
    """A song, and what to make of it."""

    song: Annotated[MelodyJson, Meta(description="Notes, and `chords` where there are any.")]


class SongAnswer(Struct):
    """A song as the other routes take it, and what its reader had to choose or leave out."""

    song: MelodyJson
    remarks: list[str]


def render_song(read: Callable[[], Song], kind: SongFormat) -> bytes:
    """A song as bytes of one of MEDIA_TYPES. Raises SidemanError, as `read` does."""
    song = read()
    match kind:
        case "json":
            return msgspec.json.encode(SongAnswer(from_song(song), list(song.remarks)))
        case "midi":
            return write_midi(song, lead_voices(span.chord for span in song.chords))
        case "musicxml":
            return write_musicxml(song)
        case "abc":
            return write_abc(song).encode()
    if not song.chords:
        raise WrongValue(
            f"The format {kind} is a chart of chords, and this melody has none.",
            "Send a file with chord symbols, or JSON whose song has `chords`: those of an option of POST /v1/options.",
        )
    return write_chart(song).encode() if kind == "text" else write_ireal(song)
