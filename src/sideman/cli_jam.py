"""`sideman jam`: the page to play with, and jams played again from their logs."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sideman.cli import DONE, FAILED, INTERRUPTED
from sideman.cli_midi import midi_options, play_on_ports, wants_ports
from sideman.cli_serve import check_host, shown_address
from sideman.errors import UnreadableFile, WrongValue

if TYPE_CHECKING:
    from sideman.serve.server import Tls


@click.command(
    epilog="\b\nExamples:\n  sideman jam\n  sideman jam --port 9000 --no-open --log jams\n"
    "  sideman jam --host 0.0.0.0 --ssl --token a-long-secret\n  sideman jam --replay jams/x1y2.jsonl\n"
    "  sideman jam --midi-in keys --midi-out synth --bpm 96 --count-in\n  sideman jam --virtual Sideman --midi-clock"
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; others than this need --token."
)
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0 takes any free one.")
@click.option(
    "--ssl", is_flag=True, help="Serve https, which browsers ask for before they let another machine use MIDI."
)
@click.option(
    "--cert", type=click.Path(path_type=Path), help="Certificate for --ssl (PEM); made for the moment if absent."
)
@click.option("--key", type=click.Path(path_type=Path), help="Its private key (PEM).")
@click.option(
    "--token",
    envvar="SIDEMAN_TOKEN",
    show_envvar=True,
    help="Ask every player for this secret; it is part of the address that is printed.",
)
@click.option("--model", help="Who plays along (see: sideman models list).  [default: the best that ships]")
@click.option(
    "--log", type=click.Path(file_okay=False, path_type=Path), help="Folder to keep the record of every jam in."
)
@click.option("--open/--no-open", "browse", default=True, help="Open the page in a browser.")
@click.option("--replay", "record", type=click.Path(path_type=Path), help="Play a recorded jam again and compare.")
@midi_options
def jam(
    host: str,
    port: int,
    ssl: bool,
    cert: Path | None,
    key: Path | None,
    token: str | None,
    model: str | None,
    log: Path | None,
    browse: bool,
    record: Path | None,
    **midi: Any,
) -> int:
    """Play a melody and hear the accompanist now, or chords and hear a melody: opens a page for MIDI keyboard, computer
    keys or mouse."""
    if record is not None:
        return _replay(record)
    if wants_ports(midi):
        return play_on_ports(midi, model, log)
    check_host(host, token)
    if (cert is None) != (key is None) or (cert is not None and not ssl):
        raise WrongValue("--cert and --key belong together, and to --ssl.", "Give all three, or --ssl alone.")
    from sideman.engine.models import find_model
    from sideman.serve.server import open_socket, serve_on

    find_model(model, kind="online")
    with ExitStack() as scratch:
        tls = _tls(cert, key, host, scratch) if ssl else None
        socket = open_socket(host, port)
        address = shown_address(socket, "https" if ssl else "http") + ("/" if token is None else f"/?token={token}")
        click.echo(f"Play at {address} (Ctrl-C stops.)", err=True)
        if browse:
            _open(address)
        try:
            serve_on(socket, token, model, log, tls)
        except KeyboardInterrupt:
            click.echo("sideman: Stopped.", err=True)
            return INTERRUPTED
    return DONE


def _open(address: str) -> None:
    """Show the page once the server answers; a machine without a browser is no error."""
    import threading
    import webbrowser

    timer = threading.Timer(0.5, webbrowser.open, [address])
    timer.daemon = True
    timer.start()


def _tls(cert: Path | None, key: Path | None, host: str, scratch: ExitStack) -> "Tls":
    """The certificate to serve with: the given one, or one signed by itself that lives as long as the server."""
    import tempfile

    from sideman.serve.certificate import make_certificate
    from sideman.serve.server import Tls, check_tls

    if cert is not None and key is not None:
        tls = Tls(cert, key)
        check_tls(tls)
        return tls
    folder = Path(scratch.enter_context(tempfile.TemporaryDirectory()))
    click.echo("The certificate is signed by nobody: the browser will warn, once.", err=True)
    return make_certificate(folder, host)


def _replay(record: Path) -> int:
    """Play a recorded jam again; FAILED if a plan came out otherwise."""
    from sideman.engine.models import find_model, open_model
    from sideman.jam.log import read_log
    from sideman.jam.replay import replay

    try:
        text = record.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"{record} cannot be read: {error.strerror or error}.", "Name a log of a jam.") from error
    found = replay(read_log(text), lambda name, kind: open_model(find_model(name, kind)))
    if found.session is None:
        raise UnreadableFile(f"{record} is empty.", "Name a log of a jam.")
    if found.differ:
        requests = ", ".join(map(str, found.differ[:5]))
        click.echo(
            f"{len(found.differ)} of {found.plans} plans came out differently, the first for request {requests}."
        )
        return FAILED
    click.echo(f"All {found.plans} plans came out the same.")
    return DONE
