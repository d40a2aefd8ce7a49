"""`sideman compose`: a prompt, or nothing at all, becomes sheet music."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from sideman.cli import FAILED


@click.command(
    epilog="\b\nExamples:\n  sideman compose                            ABC on stdout, as it grows\n"
    "  sideman compose --bars 16 -o song.pdf -o song.mid    .pdf needs the extra pdf; the others none\n"
    "  sideman compose --list                     the prompts the model knows\n"
    '  sideman compose --period Romantic --composer "Schubert, Franz" --instrumentation "Art Song" -o song.musicxml\n'
    "  sideman compose --begin examples/greensleeves.mid --bars 24 -o longer.mid\n"
    "  sideman compose --count 4 --key Bb --meter 3/4 -o waltz.mid          waltz-1.mid to waltz-4.mid"
)
@click.option("--period", default="", help="Of the prompt: when. The prompt is all three or none; see --list.")
@click.option("--composer", default="", help="Of the prompt: who.")
@click.option("--instrumentation", default="", help="Of the prompt: for whom.")
@click.option("--bars", type=int, help="How long; a beginning counts.  [default: as the model likes]")
@click.option("--key", default="", help="Such as G, Bbm or F#m.  [default: as the model likes]")
@click.option("--meter", default="", help="Such as 3/4, 6/8 or C.  [default: as the model likes]")
@click.option("--tempo", type=float, help="Quarter notes a minute.  [default: as the model likes]")
@click.option("--begin", metavar="FILE", type=Path, help="A beginning to go on from: .abc, .musicxml, .mxl or .mid.")
@click.option("--seed", default=0, show_default=True, help="Same seed, same piece.")
@click.option(
    "--temperature",
    default=0.9,
    show_default=True,
    type=click.FloatRange(0, 5),
    help="0 plays safe; higher takes chances.",
)
@click.option("--count", default=1, show_default=True, help="Pieces, with the seeds that follow.")
@click.option("--seconds", type=float, help="What there is by then is the piece.")
@click.option(
    "--free", is_flag=True, help="Put nothing right: bars may not fit, and bars, key, metre are not asked for."
)
@click.option("--model", help="A name of `sideman models list`.  [default: the one that ships]")
@click.option("--list", "listing", is_flag=True, help="Print the prompts a model knows, and nothing else.")
@click.option(
    "-o",
    "outputs",
    metavar="PATH",
    type=Path,
    multiple=True,
    help="A file: .abc, .musicxml, .mid, .svg, .pdf, .wav or .mp3. Give several for one piece in several forms.",
)
def compose(begin: Path | None, free: bool, listing: bool, outputs: tuple[Path, ...], **wishes: Any) -> int:
    """Write a new piece of sheet music.

    Without -o the ABC is printed while it is written. Of several pieces, or an SVG of several pages, each goes into a
    file with its number. --begin keeps what is in the file (of MIDI the melody) and goes on from there.
    """
    from sideman.cli_compose_output import choose_output, print_prompts
    from sideman.compose.beginning import beginning
    from sideman.compose.compose import compose as composing
    from sideman.compose.request import ComposeRequest
    from sideman.formats.score_load import load_file

    if listing:
        print_prompts(wishes["model"])
        return 0
    start = beginning(load_file(begin), begin.name) if begin else ""
    request = ComposeRequest(begin=start, constrained=not free, **wishes)
    write = choose_output(outputs, request.count, streamed=not free)
    try:
        return write(composing(request))
    except BrokenPipeError:  # whoever read our ABC has had enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
