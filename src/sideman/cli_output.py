"""Where the progressions go: a chart on stdout, or files whose kind follows from their ending.

JSON and MIDI hold all options of a melody in one file, and so does the text chart; MusicXML and ABC are sheets of
one progression each, so several options make several files, numbered by rank. A picture is a piano roll of all of them.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from sideman.errors import WrongValue
from sideman.files import check_place, write_atomic
from sideman.music.song import Song
from sideman.options.answer import Answer, Option
from sideman.serve.render import render, spans_of

ENDINGS = {
    "text": ".txt",
    "json": ".json",
    "midi": ".mid",
    "musicxml": ".musicxml",
    "abc": ".abc",
    "png": ".png",
    "svg": ".svg",
}
KINDS = {ending: kind for kind, ending in ENDINGS.items()} | {".midi": "midi", ".xml": "musicxml"}
SHEETS = ("musicxml", "abc")
PICTURES = ("png", "svg")

Output = Callable[[str, Song, Answer], None]


def choose_output(kind: str | None, path: str | None, several: bool) -> Output:
    """What to do with each (name, melody, answer). Raises WrongValue and CannotWrite before any work is done."""
    if path is None:
        kind = kind or "text"
        if kind == "midi" and (several or sys.stdout.isatty()):
            raise WrongValue("MIDI on stdout is one file, for a pipe.", "Name a file or folder with -o.")
        return partial(_print, kind)
    place = Path(path)
    if path.endswith("/") or place.is_dir():
        check_place(place)
        return partial(_save_in, kind or "text", place)
    if several:
        raise WrongValue(f"{path} is one file, but there are several melodies.", "Name a folder: end it with '/'.")
    kind = kind or KINDS.get(place.suffix.lower())
    if kind is None:
        raise WrongValue(
            f"What to write into {path} does not show from its ending.", f"Use {', '.join(KINDS)} or add --format."
        )
    check_place(place)
    return partial(_save_as, kind, place)


def _print(kind: str, name: str, melody: Song, answer: Answer) -> None:
    if kind in PICTURES:
        raise WrongValue("A picture is no text.", "Name a file with -o.")
    if kind in SHEETS and len(answer.options) > 1:
        raise WrongValue(f"One {kind} sheet holds one progression.", "Add -n 1, or a file or folder with -o.")
    for _, content in _files(kind, name, melody, answer):
        click.echo(content, nl=False)


def _save_in(kind: str, folder: Path, name: str, melody: Song, answer: Answer) -> None:
    _save_as(kind, folder / (name + ENDINGS[kind]), name, melody, answer)


def _save_as(kind: str, path: Path, name: str, melody: Song, answer: Answer) -> None:
    for rank, content in _files(kind, name, melody, answer):
        target = path if rank is None else path.with_stem(f"{path.stem}-{rank}")
        write_atomic(target, content)
        click.echo(f"Wrote {target}", err=True)


def _files(kind: str, name: str, melody: Song, answer: Answer) -> Iterator[tuple[int | None, bytes]]:
    """The files of one answer as (rank or None, content)."""
    if kind == "text":
        yield None, text_of(name, melody, answer).encode()
    elif kind == "json":
        yield None, render(melody, answer, "application/json") + b"\n"
    elif kind == "midi":
        yield None, render(melody, answer, "audio/midi")
    elif kind in PICTURES:
        yield None, _picture(kind, melody, answer)
    else:
        for option in answer.options:
            yield option.rank if len(answer.options) > 1 else None, _sheet(kind, melody, option)


def _sheet(kind: str, melody: Song, option: Option) -> bytes:
    song = replace(melody, chords=spans_of(option))
    if kind == "abc":
        from sideman.formats.abc_write import write_abc

        return write_abc(song).encode()
    from sideman.formats.musicxml_write import write_musicxml

    return write_musicxml(song)


def _picture(kind: str, melody: Song, answer: Answer) -> bytes:
    """A piano roll of the melody over the progressions."""
    from sideman.formats.pianoroll import plot_pianoroll

    lanes = [(f"{option.rank}\n{option.score:.2f}", spans_of(option)) for option in answer.options]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"roll.{kind}")
        plot_pianoroll(melody, lanes, path)
        return path.read_bytes()


def text_of(name: str, melody: Song, answer: Answer) -> str:
    """The answer for eyes: a chart of bars for each option, best first."""
    from sideman.formats.chart import write_chart

    lines = [f"{melody.title or name}: {answer.beats:g} beats in {answer.meter}, {answer.tempo:g} bpm"]
    lines += [f"Made by {answer.model} with seed {answer.seed} in {answer.elapsed_ms / 1000:.1f} s", ""]
    for option in answer.options:
        parts = ", ".join(f"{part} {value:.2f}" for part, value in option.scores.items())
        inside = "" if option.note_in_chord is None else f", {option.note_in_chord:.0%} of the notes in the chord"
        lines.append(f"{option.rank}.  score {option.score:.2f} ({parts}){inside}")
        keys = ", then ".join(change.key for change in option.explanation.keys)
        lines.append(f"    {keys}. {option.explanation.summary}")
        bars = write_chart(replace(melody, chords=spans_of(option))).partition("\n\n")[2]  # its head is said above
        lines += [f"    {row}".rstrip() for row in bars.splitlines()]
        lines.append("")
    return "\n".join(lines)
