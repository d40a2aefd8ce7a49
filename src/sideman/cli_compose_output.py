"""Where pieces go: their ABC on stdout while they grow, or files whose kind follows from their ending."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import click

from sideman.cli import DONE, WRONG_CALL
from sideman.compose.compose import Event, Finished, Grown, Started
from sideman.engine.bundle import load_bundle
from sideman.engine.models import find_model
from sideman.errors import BadSheet, SidemanError, WrongValue
from sideman.files import check_place, write_atomic
from sideman.formats.score_abc import from_abc
from sideman.formats.score_files import ENDINGS, check_kind, numbered, write_score
from sideman.music.sheet.prompts import without_prompt
from sideman.music.sheet.rests import complete
from sideman.progress import progress

# Takes the events and returns the exit code.
Output = Callable[[Iterator[Event]], int]
_PROBLEM = "Another --seed may do better; .abc takes it as it is."


def choose_output(paths: Sequence[Path], count: int, streamed: bool) -> Output:
    """What to do with the events of `count` pieces: write each into all of `paths`, or print it where there are none;
    `streamed`: they come in whole lines. Raises WrongValue, CannotWrite and MissingExtra before any work is done."""
    if not paths:
        return partial(_print, streamed=streamed and count == 1)
    for path in paths:
        _check(path)
    return partial(_save, list(zip(*(numbered(path, max(count, 1)) for path in paths), strict=True)))


def _check(path: Path) -> None:
    ending = path.suffix.lower()
    if ending != ".abc" and ending not in ENDINGS:
        raise WrongValue(
            f"What to write into {path} does not show from its ending.", f"Use one of .abc, {', '.join(ENDINGS)}."
        )
    if path.is_dir():
        raise WrongValue(f"{path} is a folder.", "Name a file in it.")
    check_place(path)
    if ending != ".abc":
        check_kind(ENDINGS[ending])


def print_prompts(model: str | None) -> None:
    """The prompts of a model on stdout, one a line: period, composer, instrumentation between tabs."""
    file = load_bundle(find_model(model, "sheet")).file
    if file.kind != "sheet":
        raise WrongValue(f"The model '{file.name}' writes no sheet music.", "Name another with --model.")
    if not file.prompts:
        click.echo(f"The model '{file.name}' takes no prompts.", err=True)
    for prompt in file.prompts:
        click.echo("\t".join(prompt))


def _print(events: Iterator[Event], streamed: bool) -> int:
    code, text, lines = DONE, "", 0
    for event in events:
        if isinstance(event, Grown) and streamed:
            text += event.text
            lines += _print_from(_whole(text), lines)
        elif isinstance(event, Finished):
            _remark(event)
            if not event.abc:
                code = WRONG_CALL
            if streamed:
                _print_from(event.abc, lines)
            else:
                click.echo((event.abc or event.original).replace("X:1\n", f"X:{event.piece + 1}\n", 1))
    return code


def _whole(text: str) -> str:
    """What can be printed of a piece that is being written: no line of it will be another."""
    try:
        return f"X:1\n{complete(without_prompt(text))}"
    except BadSheet:  # not yet a header, or a rest whose length the next bar tells
        return ""


def _print_from(abc: str, printed: int) -> int:
    fresh = abc.splitlines(keepends=True)[printed:]
    for line in fresh:
        click.echo(line, nl=False)
    return len(fresh)


def _save(targets: Sequence[Sequence[Path]], events: Iterator[Event]) -> int:
    code = DONE
    with progress("Writing bars", None) as advance:
        for event in events:
            if isinstance(event, Started):
                click.echo(f"{event.model} writes, seed {', '.join(map(str, event.seeds))}", err=True)
            elif isinstance(event, Grown):
                advance(event.text.count("[r:"))
            else:
                try:
                    _save_piece(targets[event.piece], event)
                except SidemanError as error:
                    if len(targets) == 1:
                        raise
                    code = WRONG_CALL
                    click.echo(f"sideman: piece {event.piece + 1}: {error}", err=True)
    return code


def _save_piece(targets: Sequence[Path], piece: Finished) -> None:
    """Write one piece into all its files, ABC first: it is there even of what is no score. Raises BadSheet where only
    that could be written."""
    _remark(piece)
    for target in sorted(targets, key=lambda path: path.suffix.lower() != ".abc"):
        _write(target, piece)


def _write(target: Path, piece: Finished) -> None:
    if target.suffix.lower() == ".abc":
        files: tuple[bytes, ...] = ((piece.abc or piece.original).encode(),)
    elif not piece.abc:
        raise BadSheet(f"The piece of seed {piece.seed} is no score: {piece.problem.rstrip('.')}.", _PROBLEM)
    else:
        files = write_score(from_abc(piece.abc), ENDINGS[target.suffix.lower()])
    for path, content in zip(numbered(target, len(files)), files, strict=True):
        write_atomic(path, content)
        click.echo(f"Wrote {path}: {piece.bars} bars in {piece.seconds:.1f} s", err=True)


def _remark(piece: Finished) -> None:
    if piece.why == "time":
        click.echo(f"The time was up after {piece.bars} bars.", err=True)
    if piece.problem:
        click.echo(f"Seed {piece.seed}: {piece.problem}", err=True)
