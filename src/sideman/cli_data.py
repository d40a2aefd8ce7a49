"""`sideman data`: fetch collections, convert them, look at them, pack them for a training machine."""

from pathlib import Path

import click

_NAME = click.argument("name")
_SOURCE = click.option(
    "--source", type=click.Path(path_type=Path), help="A local archive or folder instead of a download."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(
    epilog="\b\nExamples:\n  sideman data list\n  sideman data convert nottingham\n"
    "  sideman data pack nottingham pop909 -o runs/release.npz"
)
def data() -> None:
    """Collections of songs: where they come from, and what is in them."""


@data.command("list", epilog="\b\nExample:\n  sideman data list --json")
@_JSON
def list_collections(as_json: bool) -> None:
    """List the collections, their licences, and what is here already."""
    import msgspec

    from sideman.data.collections import collections
    from sideman.data.fetch import data_folder, source_folder
    from sideman.home import home

    rows = []
    for name, row in collections().items():
        fetched = source_folder(name, home()).is_dir()
        converted = any((data_folder(name, home()) / file).is_file() for file in ("manifest.json", "sheets.json"))
        state = "converted" if converted else "fetched" if fetched else "not here"
        rows.append({**msgspec.to_builtins(row), "state": state})
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode())
        return
    for entry in rows:
        click.echo(f"{entry['name']:<18} {entry['state']:<9}  {entry['use']:<8}  {entry['title']}")
        click.echo(f"{'':<40}{entry['licence']}. {entry['note']}")


@data.command(
    epilog="\b\nExamples:\n  sideman data fetch nottingham\n  sideman data fetch pop909 --source pop909.tar.gz"
)
@_NAME
@_SOURCE
def fetch(name: str, source: Path | None) -> None:
    """Load the source of a collection, checked and unpacked."""
    from sideman.data.fetch import fetch as load
    from sideman.home import home

    click.echo(load(name, source, home()))


@data.command(
    epilog="\b\nExamples:\n  sideman data convert nottingham\n"
    "  sideman data convert pop909 --source pop909.tar.gz --jsonl cache --augment\n"
    "  sideman data convert openscore-lieder --source openscore-lieder.tar.gz\n"
    "  sideman data convert nottingham --sheets"
)
@_NAME
@_SOURCE
@click.option("--workers", type=click.IntRange(1), help="Processes; all cores by default.")
@click.option("--jsonl", type=click.Path(path_type=Path), help="Also write the ReaLchords cache files to this folder.")
@click.option("--augment", is_flag=True, help="With --jsonl: add the files with 13 transpositions.")
@click.option("--sheets", is_flag=True, help="Sheet music, where the collection gives songs too.")
@click.option("--files", type=click.Path(path_type=Path), help="Also write NotaGen's training files to this folder.")
@click.option("--restart", is_flag=True, help="Do not go on with what an interrupted conversion left.")
def convert(
    name: str,
    source: Path | None,
    workers: int | None,
    jsonl: Path | None,
    augment: bool,
    sheets: bool,
    files: Path | None,
    restart: bool,
) -> None:
    """Convert a collection to the training cache, with a report of all that was lost.

    Collections of songs become melody and chords, collections of scores sheet music; --sheets asks for sheet music
    of one that gives both. A conversion of songs that was interrupted goes on when the command is given again.
    """
    from sideman.data.collections import collection
    from sideman.data.convert import convert as run
    from sideman.data.fetch import data_folder
    from sideman.home import home

    holds = collection(name).holds
    if sheets and "sheets" not in holds:
        raise click.UsageError(f"{name} gives no sheet music.")
    if sheets or "songs" not in holds:
        if jsonl is not None:
            raise click.UsageError("--jsonl is for songs: sheet music has no such cache.")
        return _convert_sheets(name, source, workers, files)
    if files is not None:
        raise click.UsageError("--files is for sheet music: add --sheets.")
    if augment and jsonl is None:
        raise click.UsageError("--augment needs --jsonl DIR: our own cache is transposed while training.")
    report = run(name, source, home(), workers, jsonl, augment, restart)
    for reason, ids in report.discarded.items():
        click.echo(f"discarded {len(ids)}: {reason}", err=True)
    splits = ", ".join(f"{split} {count}" for split, count in report.splits.items())
    click.echo(f"{report.converted} of {report.pieces} pieces of {name} converted ({splits}).")
    click.echo(f"Report: {data_folder(name, home()) / 'report.md'}")
    return None


def _convert_sheets(name: str, source: Path | None, workers: int | None, files: Path | None) -> None:
    import os

    from sideman.data.fetch import data_folder
    from sideman.data.sheet_convert import convert_sheets
    from sideman.data.sheet_files import write_files
    from sideman.home import home

    report = convert_sheets(name, source, home(), workers)
    for reason, ids in report.discarded.items():
        click.echo(f"discarded {len(ids)}: {reason}", err=True)
    splits = ", ".join(f"{split} {count}" for split, count in report.splits.items())
    click.echo(f"{report.pieces} pieces from {report.scores} scores of {name} converted ({splits}).")
    folder = data_folder(name, home())
    if files is not None:
        count = write_files(folder / "sheets.npz", files, workers or os.cpu_count() or 1)
        click.echo(f"Files of {count} pieces in fifteen keys: {files}")
    click.echo(f"Report: {folder / 'sheets.md'}")


@data.command(epilog="\b\nExample:\n  sideman data stats nottingham pop909 --plot stats.png")
@click.argument("names", nargs=-1)
@_JSON
@click.option("--plot", "picture", type=click.Path(path_type=Path), help="Draw them to this PNG file.")
def stats(names: tuple[str, ...], as_json: bool, picture: Path | None) -> None:
    """Show what is in the converted collections (all of them by default)."""
    import msgspec

    from sideman.data.collections import collection
    from sideman.data.stats import converted, plot, stats_of, table
    from sideman.files import check_place
    from sideman.home import home

    if picture is not None:
        check_place(picture)
    for name in names:
        if "songs" not in collection(name).holds:
            raise click.UsageError(f"{name} gives no songs to count in; see sheets.md, the report of its conversion.")
    chosen = list(names) or _converted_or_fail(converted(home()))
    rows = [stats_of(name, home()) for name in chosen]
    click.echo(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode() if as_json else table(rows))
    if picture is not None:
        plot(rows, picture)
        click.echo(f"Picture: {picture}", err=True)


@data.command(
    epilog="\b\nExamples:\n  sideman data pack nottingham pop909 -o runs/release.npz\n"
    "  sideman data pack --sheets openscore-lieder openscore-quartets nottingham -o runs/sheets.npz"
)
@click.argument("names", nargs=-1, required=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The .npz file to write.")
@click.option("--sheets", is_flag=True, help="Pack sheet music instead of melodies and chords.")
def pack(names: tuple[str, ...], output: Path, sheets: bool) -> None:
    """Join converted collections into one small file for a training machine."""
    from sideman.data.collections import collection
    from sideman.data.fetch import data_folder
    from sideman.data.pack_files import join_packs
    from sideman.data.sheets import load_sheet_pack, merge_sheet_packs
    from sideman.home import home

    kind = "sheets" if sheets else "songs"
    for name in names:
        if kind not in collection(name).holds:
            raise click.UsageError(f"{name} gives no {kind}" + ("." if sheets else ": add --sheets."))
    folders = [data_folder(name, home()) for name in dict.fromkeys(names)]
    if sheets:
        texts = merge_sheet_packs([load_sheet_pack(folder / "sheets.npz") for folder in folders])
        texts.save(output)
        content = f"{len(texts)} pieces, {len(texts.text)} characters"
    else:
        pieces, frames = join_packs([folder / "cache.npz" for folder in folders], output)
        content = f"{pieces} pieces, {frames} frames"
    click.echo(f"{content}, {output.stat().st_size / 1e6:.1f} MB: {output}")


def _converted_or_fail(names: list[str]) -> list[str]:
    from sideman.errors import WrongValue

    if not names:
        raise WrongValue("No collection is converted yet.", "Run: sideman data convert NAME")
    return names
