"""Listening: a socket, and uvicorn on it until somebody stops it."""

import socket as sockets

import uvicorn

from sideman.errors import SidemanError
from sideman.serve.app import make_app

GRACE_SECONDS = 5


class CannotListen(SidemanError):
    """The address is taken or not ours."""

    code = "cannot_listen"


def open_socket(host: str, port: int) -> sockets.socket:
    """A listening socket. Raises CannotListen."""
    try:
        family = sockets.getaddrinfo(host, port, type=sockets.SOCK_STREAM)[0][0]
        return sockets.create_server((host, port), family=family)
    except OSError as error:
        raise CannotListen(
            f"Cannot listen on {host}:{port}: {error.strerror or error}.", "Choose another --port or --host."
        ) from error


def serve_on(socket: sockets.socket, token: str | None) -> None:
    """Serve until SIGINT or SIGTERM; requests at work get GRACE_SECONDS to finish."""
    config = uvicorn.Config(
        make_app(token), log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE_SECONDS
    )
    uvicorn.Server(config).run(sockets=[socket])
