"""`sideman serve`: the HTTP interface alone, for programs that ask."""

import os
from typing import TYPE_CHECKING

import click

from sideman.cli import INTERRUPTED
from sideman.errors import WrongValue

if TYPE_CHECKING:
    from socket import socket as Socket

LOCAL = ("127.0.0.1", "localhost", "::1")


@click.command(
    epilog="\b\nExamples:\n  sideman serve\n"
    "  curl -F file=@examples/greensleeves.mid http://127.0.0.1:8080/v1/options\n"
    "  sideman serve --host 0.0.0.0 --token a-long-secret --workers 4"
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; others than this need --token."
)
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0 takes any free one.")
@click.option(
    "--token",
    envvar="SIDEMAN_TOKEN",
    show_envvar=True,
    help="Ask every caller for this secret (Authorization: Bearer, or ?token=).",
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Processes behind the port; each has the models in memory.",
)
def serve(host: str, port: int, token: str | None, workers: int) -> None:
    """Answer over HTTP what the command line answers: POST a melody, get progressions.

    The page at /docs describes every route, with commands to copy; /openapi.json is for machines.
    """
    check_host(host, token)
    from sideman.serve.server import open_socket, serve_on
    from sideman.serve.workers import serve_with_workers

    socket = open_socket(host, port)
    click.echo(f"Listening on {shown_address(socket)}; see /docs. Ctrl-C stops.", err=True)
    try:
        if workers > 1:
            serve_with_workers(socket, workers, token)
        else:
            serve_on(socket, token)
    except KeyboardInterrupt:
        click.echo("sideman: Stopped.", err=True)
        os._exit(INTERRUPTED)  # nothing is left to save, and a melody at work must not hold up the end


def check_host(host: str, token: str | None) -> None:
    """Others are let in only with a token. Raises WrongValue."""
    if token == "":
        raise WrongValue("The token is empty.", "Give a long random text, or leave --token away on 127.0.0.1.")
    if host not in LOCAL and token is None:
        raise WrongValue(
            f"Serving on {host} lets others in.", "Add --token SECRET (or set SIDEMAN_TOKEN), or stay on 127.0.0.1."
        )


def shown_address(socket: "Socket", scheme: str = "http") -> str:
    """The address a listening socket is reached at."""
    shown, number = socket.getsockname()[:2]
    return f"{scheme}://{f'[{shown}]' if ':' in shown else shown}:{number}"
