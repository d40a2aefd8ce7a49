"""Listening: a socket, and uvicorn on it until somebody stops it."""

import asyncio
import gc
import socket as sockets
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from sideman.errors import SidemanError
from sideman.serve.app import make_app

GRACE_SECONDS = 5
# Players are told goodbye, and the word needs a moment to leave.
FAREWELL_SECONDS = 0.2
# Larger messages end a connection at once; smaller ones that are too large are told so.
MAX_MESSAGE_BYTES = 4_000_000
# A thread that computes in Python lets the others in so often: a 16th is some 100 ms.
SWITCH_SECONDS = 0.0005


class CannotListen(SidemanError):
    """The address is taken or not ours."""

    code = "cannot_listen"


class BadCertificate(SidemanError):
    """The certificate or its key cannot be used."""

    code = "bad_certificate"


def open_socket(host: str, port: int) -> sockets.socket:
    """A listening socket. Raises CannotListen."""
    try:
        family = sockets.getaddrinfo(host, port, type=sockets.SOCK_STREAM)[0][0]
        return sockets.create_server((host, port), family=family)
    except OSError as error:
        raise CannotListen(
            f"Cannot listen on {host}:{port}: {error.strerror or error}.", "Choose another --port or --host."
        ) from error


@dataclass(frozen=True, slots=True)
class Tls:
    """Files of a certificate and its key, PEM."""

    certificate: Path
    key: Path


def check_tls(tls: Tls) -> None:
    """Raises BadCertificate where the files do not serve."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls.certificate, tls.key)
    except (OSError, ssl.SSLError) as error:
        why = getattr(error, "strerror", None) or error
        raise BadCertificate(
            f"{tls.certificate} and {tls.key} are no certificate and its key: {why}.", "Give two matching PEM files."
        ) from error


class Server(uvicorn.Server):
    """uvicorn that lets the jam room say goodbye, and pieces come to their end, before it closes the connections."""

    def __init__(self, config: uvicorn.Config, app: Starlette) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[sockets.socket] | None = None) -> None:
        self._app.state.jam.farewell()
        self._app.state.composing.stop()
        await asyncio.sleep(FAREWELL_SECONDS)
        await super().shutdown(sockets)


def make_server(app: Starlette, tls: Tls | None = None) -> Server:
    """A server for the application; requests at work get GRACE_SECONDS to finish when it stops."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ws_max_size=MAX_MESSAGE_BYTES,
        ssl_certfile=None if tls is None else tls.certificate,
        ssl_keyfile=None if tls is None else tls.key,
    )
    return Server(config, app)


def serve_on(
    socket: sockets.socket,
    token: str | None,
    model: str | None = None,
    log: Path | None = None,
    tls: Tls | None = None,
    shelf: Path | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM."""
    sys.setswitchinterval(SWITCH_SECONDS)
    server = make_server(make_app(token, model, log, shelf), tls)
    _keep_what_is_loaded()
    server.run(sockets=[socket])


def _keep_what_is_loaded() -> None:
    """Collections of garbage pass over it from now on: in the midst of a jam they must be quick."""
    gc.collect()
    gc.freeze()
    gc.collect()
