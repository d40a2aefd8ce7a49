"""A server that answers as badly as told, one connection after the other."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Stub:
    """Reads a request's head (`reads`: and its body), then sends `answer`, `pause` seconds before each byte of it; then
    keeps the line open as long as the client does, or hangs up at once."""

    def __init__(
        self,
        answer: bytes,
        pause: float = 0.0,
        reads: bool = True,
        stays: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.answer, self.pause, self.reads, self.stays, self.tls = answer, pause, reads, stays, tls
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # what is not read waits at the sender
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._listening.getsockname()[1]}"
        self._over = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._over.set()
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._listening.accept()
                with suppress(OSError), self._welcome(line) as welcomed:
                    self._talk(welcomed)

    def _welcome(self, line: socket.socket) -> socket.socket:
        line.settimeout(20)
        return self.tls.wrap_socket(line, server_side=True) if self.tls else line

    def _talk(self, line: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += self._some(line)
        if self.reads:
            self._read_body(line, head)
        if self.pause:
            for byte in self.answer:
                time.sleep(self.pause)
                line.sendall(bytes([byte]))
        line.sendall(self.answer)
        if self.stays and self.reads:
            line.recv(1)  # nothing, when the client has gone
        elif self.stays:
            self._over.wait(20)

    def _read_body(self, line: socket.socket, head: bytes) -> None:
        head, _, body = head.partition(b"\r\n\r\n")
        lengths = [row.split(b":")[1] for row in head.lower().split(b"\r\n") if row.startswith(b"content-length:")]
        length, read = int(lengths[0]) if lengths else 0, len(body)
        while read < length:
            read += len(self._some(line))

    @staticmethod
    def _some(line: socket.socket) -> bytes:
        """What comes next. Raises ConnectionError at the end."""
        if not (read := line.recv(65536)):
            raise ConnectionError
        return read


@contextmanager
def stub(answer: bytes, **how: object) -> Iterator[str]:
    """The address of a Stub."""
    server = Stub(answer, **how)  # type: ignore[arg-type]
    try:
        yield server.url
    finally:
        server.close()


def http(status: str, body: bytes, *headers: str) -> bytes:
    """A whole answer."""
    rows = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(rows).encode() + b"\r\n\r\n" + body
