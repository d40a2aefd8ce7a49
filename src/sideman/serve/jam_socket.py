"""WS /v1/jam: one player's conversation, as a state machine that says what it expected.

First `start`, then any number of `notes` and `set`, then `stop`. Wrong messages are answered with an error and
change nothing; only what threatens the server ends the connection.
"""

import asyncio
from time import monotonic

from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from sideman.errors import SidemanError, TooLarge
from sideman.jam.messages import VERSION, Bye, Error, Notes, Set, Start, Started, read_message
from sideman.jam.seat import Seat
from sideman.serve.jam_room import JamRoom
from sideman.serve.messages import MAX_JSON_BYTES
from sideman.serve.outbox import Outbox

# Messages a second, and how many may come at once.
RATE, BURST = 100, 300
IDLE_SECONDS = 900
BEFORE, PLAYING = ["start"], ["notes", "set", "stop"]


class TooMany(SidemanError):
    """Messages come faster than anybody plays."""

    code = "too_many_messages"


class UnknownVersion(SidemanError):
    """Another version of the protocol."""

    code = "unknown_version"


class NoSocket(SidemanError):
    """A plain request where a WebSocket is meant."""

    code = "no_websocket"
    status = 426


class WrongOrder(SidemanError):
    """A message at the wrong time."""

    code = "wrong_order"


FATAL = (TooMany, TooLarge, UnknownVersion)


async def jam_without_socket(request: Request) -> Response:
    """GET /v1/jam, asked plainly."""
    raise NoSocket("A jam is played over a WebSocket.", "Open one at this address; GET /docs has its messages.")


async def jam_socket(socket: WebSocket) -> None:
    """Talk with one player until he stops, leaves, or must go."""
    await socket.accept()
    room: JamRoom = socket.app.state.jam
    outbox = Outbox(socket)
    sending = asyncio.create_task(outbox.run())
    talk = _Talk(socket, room, outbox)
    listening = asyncio.create_task(talk.listen())
    try:
        # Whichever ends first: the player left, or nothing more is to be said.
        await asyncio.wait({sending, listening}, return_when=asyncio.FIRST_COMPLETED)
        if talk.over:
            await sending
    finally:
        for task in (sending, listening):
            task.cancel()
        await asyncio.gather(sending, listening, return_exceptions=True)
        if talk.seat is not None:
            room.away(talk.seat, outbox)


class _Talk:
    """The state of a conversation: no seat before `start`; `over` once the last word is said."""

    def __init__(self, socket: WebSocket, room: JamRoom, outbox: Outbox) -> None:
        self.socket, self.room, self.outbox = socket, room, outbox
        self.seat: Seat | None = None
        self.over = False
        self._credit, self._at = float(BURST), monotonic()

    async def listen(self) -> None:
        try:
            while not self.over:
                async with asyncio.timeout(IDLE_SECONDS):
                    event = await self.socket.receive()
                if event["type"] == "websocket.disconnect":
                    return
                await self._take(event.get("text") or event.get("bytes") or "")
        except TimeoutError:
            self._end(Bye("idle", self.room.service() if self.seat is None else self.room.rise(self.seat)))
        except WebSocketDisconnect:
            return

    async def _take(self, text: str | bytes) -> None:
        """One message."""
        try:
            self._count(text)
            await self._obey(read_message(text))
        except SidemanError as error:
            fatal = isinstance(error, FATAL)
            expected = BEFORE if self.seat is None else PLAYING
            answer = Error(error.code, error.message, error.hint, fatal, expected)
            if fatal:
                self._end(answer)
            else:
                self.outbox.put(answer)

    async def _obey(self, message: Start | Notes | Set | object) -> None:
        if self.seat is None:
            if not isinstance(message, Start):
                raise WrongOrder("A jam begins with 'start'.", "Send it first.")
            await self._start(message)
        elif isinstance(message, Notes):
            self.room.hear(self.seat, message)
        elif isinstance(message, Set):
            await self.room.change(self.seat, message)
        elif isinstance(message, Start):
            raise WrongOrder("The jam has started already.", "Use 'set' to change it, or open another connection.")
        else:
            self._end(Bye("stopped", self.room.rise(self.seat)))

    async def _start(self, message: Start) -> None:
        if message.version != VERSION:
            raise UnknownVersion(
                f"This server speaks version {VERSION} of the jam, not {message.version}.", "Reload the page."
            )
        self.seat, resumed = await self.room.sit(message, self.outbox)
        session = self.seat.session
        model = session.bundle.folder.name
        self.outbox.put(Started(VERSION, self.seat.name, resumed, model, session.settings, session.part))

    def _end(self, last: Bye | Error) -> None:
        self.over = True
        self.outbox.put(last)

    def _count(self, text: str | bytes) -> None:
        """Raises TooLarge and TooMany."""
        if len(text) > MAX_JSON_BYTES:
            raise TooLarge(f"A message is larger than {MAX_JSON_BYTES / 1e6:g} MB.", "Send less at a time.")
        now = monotonic()
        self._credit = min(BURST, self._credit + (now - self._at) * RATE) - 1
        self._at = now
        if self._credit < 0:
            raise TooMany(f"More than {RATE} messages a second came.", "One for each 16th is enough; connect again.")
