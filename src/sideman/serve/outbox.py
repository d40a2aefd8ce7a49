"""What waits to be sent to one player: never much, and of plans only the newest.

Threads: `put` belongs to the event loop.
"""

import asyncio
from collections import deque
from time import monotonic

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from sideman.jam.messages import Bye, Down, Error, Plan

MAX_WAITING = 64
# A reader who takes nothing for so long is gone.
PATIENCE_SECONDS = 20
POLICY_VIOLATION, NORMAL = 1008, 1000


class Outbox:
    """A bounded line before one connection."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._line: deque[Down] = deque()
        self._plan: Plan | None = None
        self._filled = asyncio.Event()
        self._last: Error | Bye | None = None

    def put(self, message: Down) -> None:
        """Send a message soon; a plan takes the place of one that waits. Nothing follows a fatal error or a bye."""
        if self._last is not None:
            return
        if isinstance(message, Plan):
            self._plan = message
        elif len(self._line) < MAX_WAITING:
            self._line.append(message)
        if isinstance(message, Bye) or (isinstance(message, Error) and message.fatal):
            self._last = message
            self._plan = None
        self._filled.set()

    async def run(self) -> None:
        """Send what comes until the last word is said or the reader is gone; then the connection is closed."""
        try:
            while (message := await self._next()) is not None:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._socket.send_text(_text(message))
        except (WebSocketDisconnect, TimeoutError, RuntimeError):
            pass
        await self._close()

    async def _next(self) -> Down | None:
        while not self._line and self._plan is None:
            if self._last is not None:
                return None
            self._filled.clear()
            await self._filled.wait()
        if self._line:
            return self._line.popleft()
        plan, self._plan = self._plan, None
        return plan

    async def _close(self) -> None:
        if self._socket.application_state == WebSocketState.CONNECTED:
            code = POLICY_VIOLATION if isinstance(self._last, Error) else NORMAL
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._socket.close(code)
            except (WebSocketDisconnect, TimeoutError, RuntimeError):
                pass


def _text(message: Down) -> str:
    if isinstance(message, Plan):
        timings = msgspec.structs.replace(message.timings, sent=round(1e3 * monotonic(), 3))
        message = msgspec.structs.replace(message, timings=timings)
    return msgspec.json.encode(message).decode()
