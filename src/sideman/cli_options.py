"""`sideman options`: melodies in, ranked chord progressions out, as text, JSON, MIDI or sheets."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from sideman.cli import DONE, WRONG_CALL
from sideman.errors import SidemanError

if TYPE_CHECKING:
    from sideman.options.likeness import Style
    from sideman.options.request import Request

FORMATS = ("text", "json", "midi", "musicxml", "abc", "png", "svg")
STDIN = "-"
SEE_HELP = "Try: sideman options --help"


def read_keeps(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> list[dict[str, Any]]:
    """Each `BEAT:LENGTH:SYMBOL` as the fields of a kept chord."""
    keeps = []
    for text in texts:
        try:
            onset, duration, symbol = text.split(":", 2)
            keeps.append({"onset": float(onset), "duration": float(duration), "symbol": symbol})
        except ValueError:
            raise click.BadParameter(f"'{text}' is not BEAT:LENGTH:SYMBOL, such as 0:4:C or 12:2:G7.") from None
    return keeps


@click.command(
    epilog="\b\nExamples:\n  sideman options examples/greensleeves.mid\n"
    "  sideman options melody.abc -n 3 -o chords.mid        the melody and three chord tracks\n"
    "  sideman options melody.mid --keep 0:4:C --keep 60:4:C --between 16 32\n"
    "  sideman options melody.mid --complexity sevenths --bass 0.8 --cadence authentic\n"
    "  sideman options melody.mid --like 'Dm9 | G13 | Cmaj9 . A7 . | %' --surprise 0.7\n"
    "  sideman options melody.mid --like song.musicxml --key lock --density 2\n"
    "  sideman options melody.mid -o chords.png                a picture of them (needs the extra train)\n"
    "  sideman options songs/*.mid --format json > answers.jsonl\n"
    '  echo \'{"melody": {"frames": [60, -1, 64, -1, 67, -1, -1, -1]}}\' | sideman options -\n'
    "  sideman options --serve-stdio                           one JSON question a line, one answer a line"
)
@click.argument("melodies", metavar="MELODY...", nargs=-1)
@click.option("-n", "n", default=5, show_default=True, type=click.IntRange(1, 16), help="How many progressions.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**31 - 1), help="Same seed, same answer.")
@click.option(
    "--temperature",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0, 3),
    help="0 plays safe; above 1 takes chances.",
)
@click.option("--model", help="A name of `sideman models list`.  [default: the one that ships]")
@click.option("--format", "kind", type=click.Choice(FORMATS), help="[default: by the ending of -o, else text]")
@click.option("-o", "output", metavar="PATH", help="A file, or a folder for several (one file a melody and option).")
@click.option(
    "--keep",
    multiple=True,
    metavar="BEAT:LENGTH:SYMBOL",
    callback=read_keeps,
    help="A chord that must stay, in beats from the start. Repeatable.",
)
@click.option("--density", type=click.FloatRange(0.05, 16), help="Chords a bar, about.")
@click.option("--between", nargs=2, type=float, metavar="A B", help="Offer chords only from beat A to beat B.")
@click.option(
    "--complexity",
    type=click.Choice(("triads", "sevenths", "extensions")),
    help="Three tones at most; sevenths where they can be; ninths, elevenths, thirteenths.",
)
@click.option(
    "--bass", type=click.FloatRange(0, 1), help="0 stands chords on their roots, 1 turns them so that the bass steps."
)
@click.option(
    "--key", type=click.Choice(("lock", "free")), help="Only chords of the key, or borrowed ones and modulation."
)
@click.option(
    "--cadence",
    type=click.Choice(("authentic", "half", "plagal", "deceptive", "open")),
    help="How it ends: V-I, on V, IV-I, V-vi, or not at home.",
)
@click.option(
    "--like",
    metavar="FILE|CHART",
    help="Style by example: a song with chords, or a chart such as 'Dm9 | G13 | Cmaj9'; its density, root motion and "
    "kinds of chords are taken over.",
)
@click.option("--surprise", type=click.FloatRange(0, 1), help="0 the chords one expects, 1 those one does not.")
@click.option("--serve-stdio", is_flag=True, help="Answer lines of JSON from stdin until it ends, the models warm.")
def options(
    melodies: tuple[str, ...], kind: str | None, output: str | None, like: str | None, serve_stdio: bool, **choices: Any
) -> int:
    """Offer chord progressions for a melody.

    MELODY is a .mid, .musicxml, .mxl, .abc or .json file; - reads the JSON body of POST /v1/options from stdin, and
    flags given here win over what it says. The options are ranked and clearly different from one another. Beats are
    quarter notes from the first note or rest on, a pickup counted. Of several melodies those that cannot be read are
    named and left out.
    """
    if serve_stdio:
        return _serve_stdio(melodies)
    if not melodies:
        raise click.UsageError("Missing argument 'MELODY...'.", click.get_current_context())
    from sideman.cli_output import choose_output
    from sideman.options.offer import offer

    write = choose_output(kind, output, several=len(melodies) > 1)
    given = {name: choices[name] for name in choices if _is_given(name)}
    code = DONE
    for path in melodies:
        try:
            request = _question(path, given, like)
            answer = offer(request)
        except SidemanError as error:
            if len(melodies) == 1:
                raise
            code = WRONG_CALL
            click.echo(f"sideman: {path}: {error}", err=True)
            continue
        for remark in answer.remarks:
            click.echo(f"{path}: {remark}", err=True)
        write("melody" if path == STDIN else Path(path).stem, request.melody, answer)
    return code


def _serve_stdio(melodies: tuple[str, ...]) -> int:
    """Answer lines until there are no more."""
    if melodies:
        raise click.UsageError("--serve-stdio reads its melodies from stdin.", click.get_current_context())
    from sideman.serve.lines import serve_lines

    serve_lines(sys.stdin.buffer, sys.stdout.buffer)
    return DONE


def _question(path: str, given: dict[str, Any], like: str | None) -> "Request":
    """The question about one melody. Raises SidemanError."""
    request = _asked(path, given)
    return request if like is None else replace(request, like=_style(like))


def _style(like: str) -> "Style":
    """The style of a file, or of a chart. Raises SidemanError."""
    from sideman.formats.load import READABLE, load_example
    from sideman.options.likeness import Style, read_chart

    path = Path(like)
    if path.suffix.lower() in READABLE or path.is_file():
        song = load_example(path)
        return Style.of_spans(song.chords, song.meters[0].bar_beats)
    return read_chart(like)


def _asked(path: str, given: dict[str, Any]) -> "Request":
    import msgspec

    from sideman.formats.json_song import to_song
    from sideman.formats.load import load_song
    from sideman.serve.messages import OptionsBody, choices_of, decode_body, request_of

    if path != STDIN:
        return request_of(choices_of(given, SEE_HELP), load_song(Path(path)))
    body = decode_body(sys.stdin.buffer.read(), OptionsBody)
    said = {name: value for name, value in msgspec.to_builtins(body).items() if name != "melody"}
    return request_of(choices_of(said | given, SEE_HELP), to_song(body.melody))


def _is_given(name: str) -> bool:
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE
