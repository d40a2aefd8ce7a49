"""`sideman evaluate`: systems side by side on pieces with known chords."""

from pathlib import Path

import click


@click.command(
    epilog="\b\nExamples:\n  sideman evaluate truth keyprior viterbi\n"
    "  sideman evaluate truth viterbi --collection openewld --split all --report report/"
)
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--split", default="test", show_default=True, help="train, valid, test or all.")
@click.option("--collection", default="pop909,nottingham", show_default=True, help="Converted collections, by comma.")
@click.option(
    "--pack",
    type=click.Path(path_type=Path),
    help="Take the pieces from this pack file instead; --collection then chooses in it.",
)
@click.option(
    "--report", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), help="Write tables and plots."
)
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1, 100), help="Runs of each system.")
@click.option("--limit", metavar="N", type=click.IntRange(1), help="At most N pieces of each collection.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of Markdown.")
@click.pass_context
def evaluate(
    context: click.Context,
    names: tuple[str, ...],
    split: str,
    collection: str,
    pack: Path | None,
    report: Path | None,
    seeds: int,
    limit: int | None,
    as_json: bool,
) -> None:
    """Measure systems next to each other.

    NAME is truth (the chords of the data), keyprior (chords by how often they occur in the key), viterbi (harmony by
    rule), options (what `sideman options` ranks first) or a model of `sideman models list`, such as offline, sampled
    at a temperature of 1 or as in offline@0.8. Every system gets the first 256 frames of each melody.
    """
    import json

    from sideman.data.pack import load_pack
    from sideman.evaluate.pieces import load_packs, select, training_pieces
    from sideman.evaluate.report import About, write_report
    from sideman.evaluate.systems import Setting, make_system
    from sideman.evaluate.table import evaluate as run
    from sideman.evaluate.table import to_json, to_markdown
    from sideman.home import home
    from sideman.progress import progress

    chosen = [name.strip() for name in collection.split(",") if name.strip()]
    if pack is not None and context.get_parameter_source("collection") is click.core.ParameterSource.DEFAULT:
        chosen = []
    data = load_pack(pack) if pack is not None else load_packs(chosen, home())
    pieces = select(data, split, chosen, limit)
    setting = Setting(pieces.truth, lambda: training_pieces(data, home()))
    systems = [make_system(name, setting) for name in dict.fromkeys(names)]
    results = []
    with progress("Evaluating", len(systems)) as advance:
        for system in systems:
            results.append(run(system, pieces.truth, seeds))
            advance(1)
    click.echo(json.dumps(to_json(results)) if as_json else to_markdown(results), nl=as_json)
    if report is not None:
        source = pack.name if pack is not None else "converted collections"
        click.echo(f"Report: {write_report(report, results, pieces, About(split, seeds, source))}", err=True)
