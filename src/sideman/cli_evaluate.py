"""`sideman evaluate`: systems side by side on pieces with known chords."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sideman.evaluate.columns import Column
    from sideman.evaluate.judging import Judge


@click.command(
    epilog="\b\nExamples:\n  sideman evaluate truth keyprior viterbi\n"
    "  sideman evaluate truth online gapt --perturb single_transpose_6 --report report/\n"
    "  sideman evaluate truth online gapt --collection pop909,nottingham --collection openewld:all\n"
    "  sideman evaluate truth given gapt online:64,gapt:64 --partner melody"
)
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--split", default="test", show_default=True, help="train, valid, test or all.")
@click.option(
    "--collection",
    "collections",
    default=["pop909,nottingham"],
    show_default=True,
    multiple=True,
    help="Converted collections, by comma; `openewld:all` for another split. Given twice: two tables.",
)
@click.option(
    "--pack",
    type=click.Path(path_type=Path),
    help="Take the pieces from this pack file instead; --collection then chooses in it.",
)
@click.option("--perturb", metavar="NAME", help="Also turn the melodies: single_transpose_6 or multiple_transpose.")
@click.option("--partner", metavar="MODEL", help="A melody model plays with the systems, in place of the data.")
@click.option(
    "--encoder", type=click.Path(path_type=Path), help="Contrastive network (run or checkpoint) for the Vendi score."
)
@click.option(
    "--judge", "judges", type=click.Path(path_type=Path), multiple=True, help="Reward network whose reward is shown."
)
@click.option(
    "--report", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), help="Write tables and plots."
)
@click.option(
    "--run", "runs", type=click.Path(path_type=Path), multiple=True, help="Training run whose curves the report shows."
)
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1, 100), help="Runs of each system.")
@click.option("--limit", metavar="N", type=click.IntRange(1), help="At most N pieces of each collection.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of Markdown.")
@click.pass_context
def evaluate(
    context: click.Context,
    names: tuple[str, ...],
    split: str,
    collections: tuple[str, ...],
    pack: Path | None,
    perturb: str | None,
    partner: str | None,
    encoder: Path | None,
    judges: tuple[Path, ...],
    report: Path | None,
    runs: tuple[Path, ...],
    seeds: int,
    limit: int | None,
    as_json: bool,
) -> None:
    """Measure systems next to each other.

    NAME is truth (the chords of the data), keyprior (chords by how often they occur in the key), viterbi (harmony by
    rule), options (what `sideman options` ranks first) or a model of `sideman models list`, such as offline, sampled
    at a temperature of 1 or as in offline@0.8. The folder of a bundle, run or checkpoint is a model too, and models
    take turns as in online:64,gapt:64. Every system gets the first 256 frames of each melody.
    """
    import json
    from functools import partial

    from sideman.data.pack import load_pack
    from sideman.evaluate.comparison import Question, compare
    from sideman.evaluate.curves import read_run
    from sideman.evaluate.kept import Kept
    from sideman.evaluate.perturb import find_perturbation
    from sideman.evaluate.pieces import load_packs, parse_choice, select, training_pieces
    from sideman.evaluate.report import About, to_json, to_text, write_report
    from sideman.home import home
    from sideman.progress import progress

    curves = [read_run(path) for path in runs]
    space, columns = _networks(encoder, judges)
    question = Question(names, seeds, columns, find_perturbation(perturb) if perturb else None, partner)
    if pack is not None and context.get_parameter_source("collections") is click.core.ParameterSource.DEFAULT:
        collections = ("",)
    kept = Kept(home() / "unfinished", partial(click.echo, err=True))
    comparisons = []
    with progress("Evaluating", len(collections) * len(set(names))) as advance:
        for choice in [parse_choice(text, split) for text in collections]:
            data = load_pack(pack) if pack is not None else load_packs(choice.collections, home())
            pieces = select(data, choice.split, choice.collections, limit)
            train = partial(training_pieces, data, home())
            comparisons.append(compare(choice.title, pieces, train, question, advance, kept))
    click.echo(json.dumps(to_json(comparisons)) if as_json else to_text(comparisons), nl=as_json)
    if report is not None:
        about = About(seeds, pack.name if pack is not None else "converted collections", partner, space)
        click.echo(f"Report: {write_report(report, comparisons, curves, about)}", err=True)
    kept.forget()


def _networks(encoder: Path | None, judges: tuple[Path, ...]) -> "tuple[Judge | None, tuple[Column, ...]]":
    """(the network of the Vendi score, the columns of all reward networks). Raises UnknownModel, WrongValue."""
    from sideman.errors import MissingExtra

    try:
        from sideman.evaluate.judging import default_encoder, load_encoder, load_judge, reward_column, vendi_columns
    except ImportError:
        if encoder is not None or judges:
            raise MissingExtra("Judging with reward networks", "train") from None
        click.echo("The Vendi score is left out: it needs PyTorch and a contrastive network.", err=True)
        return None, ()
    found = encoder or default_encoder()
    if found is None:
        click.echo("The Vendi score is left out: name a contrastive network with --encoder.", err=True)
        return None, tuple(reward_column(load_judge(path)) for path in judges)
    space = load_encoder(found)
    known = [space, *(load_judge(path) for path in judges if path != found)]
    return space, (*vendi_columns(space), *(reward_column(judge) for judge in known))
