"""Who is playing: seats by session name, kept a while after a line breaks.

Threads: a room belongs to the event loop; its scheduler plans in threads of its own. Networks this small gain
nothing from more rows a pass and little from more cores, so players are planned for side by side instead.
"""

import asyncio
import gc
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from sideman.engine.bundle import Bundle, load_bundle
from sideman.engine.models import find_model
from sideman.errors import SidemanError, UnknownModel
from sideman.files import write_atomic
from sideman.jam.log import Log, read_log
from sideman.jam.messages import Bye, Down, Notes, Service, Set, Start
from sideman.jam.recover import recover
from sideman.jam.scheduler import Scheduler
from sideman.jam.seat import Seat
from sideman.jam.service import Tally
from sideman.serve.jam_shelf import Shelf
from sideman.serve.outbox import Outbox

# How long a player who has left may come back, and how often that is looked at.
RESUME_SECONDS, SWEEP_SECONDS = 60.0, 5.0
MAX_PLAYERS = 256
# Jams that are over whose records can still be fetched.
KEPT_LOGS = 64
# A connection that ended is garbage in circles, some tens of kilobytes of it, and Python would leave it for minutes.
ENDED_LINES = 16
_CORES = os.cpu_count() or 1
# How many plan at once, and the most threads of a pass: networks this small gain nothing from more.
PLANNERS = min(4, _CORES)


class RoomFull(SidemanError):
    """No more seats."""

    code = "room_full"
    status = 503


class Models:
    """Bundles for jams, opened once each. Those who plan at once share the cores; one alone has them all."""

    def __init__(self) -> None:
        self._opened: dict[Path, Bundle] = {}
        self._lock = Lock()

    def online(self, name: str | None) -> Bundle:
        """A model that can play along. Raises UnknownModel."""
        bundle = self._open(find_model(name, kind="online"))
        if bundle.file.kind != "online":
            raise UnknownModel(
                f"The model '{bundle.folder.name}' cannot play along.",
                "GET /v1/models names those of kind online, that can.",
            )
        return bundle

    def offline(self) -> Bundle | None:
        """The model that harmonises introductions, if there is one."""
        try:
            return self._open(find_model(None))
        except UnknownModel:
            return None

    def logged(self, name: str, kind: str) -> Bundle:
        """A model that a log names. Raises UnknownModel."""
        return self._open(find_model(name, kind=kind))

    def _open(self, folder: Path) -> Bundle:
        with self._lock:
            if folder not in self._opened:
                bundle = load_bundle(folder, threads=min(PLANNERS, _CORES // PLANNERS), most=PLANNERS)
                # Now, not while somebody waits for his partner.
                _ = bundle.step, bundle.step_alone, bundle.vocabulary.symbols
                self._opened[folder] = bundle
            return self._opened[folder]


@dataclass
class Guest:
    """A seat and the line to its player; `left`: when it broke, in seconds of the clock."""

    seat: Seat
    outbox: Outbox | None
    left: float | None = None


class JamRoom:
    """Everybody who plays here. `log`: folder for the records of jams that are over. `shelf`: those that go on, where
    other processes serve the same address."""

    def __init__(self, model: str | None = None, log: Path | None = None, shelf: Shelf | None = None) -> None:
        self.scheduler = Scheduler(threads=PLANNERS)
        self.models = Models()
        self.model = model
        self.log = log
        self.shelf = shelf
        self._guests: dict[str, Guest] = {}
        self._over: dict[str, Log] = {}
        self._past = Tally()
        self._ended = 0  # lines since garbage was collected

    async def sit(self, start: Start, outbox: Outbox) -> tuple[Seat, bool]:
        """A seat for a player, his old one if he comes back in time, to whatever process. Raises UnknownModel,
        WrongValue, RoomFull."""
        self._let_go()
        known = self._guests.get(start.session or "")
        if known is not None:
            if known.outbox is not None:
                known.outbox.put(Bye("replaced", known.seat.session.tally.figures()))
            known.outbox, known.left = outbox, None
            known.seat.tell = self._teller(outbox)
            return known.seat, True
        if len(self._guests) >= MAX_PLAYERS:
            raise RoomFull(f"{MAX_PLAYERS} jams are going on already.", "Try again in a minute.")
        tell = self._teller(outbox)
        seat = await asyncio.to_thread(self._recovered, start.session, tell)
        resumed = seat is not None
        if seat is None:
            seat = await asyncio.to_thread(self._fresh, start, tell)
        self._guests[seat.name] = Guest(seat, outbox)
        self.scheduler.join(seat)
        return seat, resumed

    async def change(self, seat: Seat, message: Set) -> None:
        """New settings for a player. Raises UnknownModel."""
        bundle = await asyncio.to_thread(self.models.online, message.model) if message.model else None
        self._post(seat, message, bundle)

    def hear(self, seat: Seat, message: Notes) -> None:
        self._post(seat, message)

    def away(self, seat: Seat, outbox: Outbox) -> None:
        """The line of a player broke; his seat is kept a while."""
        self._ended += 1
        guest = self._guests.get(seat.name)
        if guest is not None and guest.outbox is outbox:
            guest.outbox, guest.left = None, self.scheduler.clock()
            seat.tell = _nobody

    def rise(self, seat: Seat) -> Service:
        """A player is done; returns how he was served."""
        guest = self._guests.pop(seat.name, None)
        if guest is not None:
            self.scheduler.leave(seat)
            if self.shelf is not None:
                self.shelf.end(seat.name)
            self._past += seat.session.tally
            self._over[seat.name] = seat.log
            for name in list(self._over)[:-KEPT_LOGS]:
                del self._over[name]
            if self.log is not None:
                write_atomic(self.log / f"{seat.name}.jsonl", seat.log.text())
        return seat.session.tally.figures()

    def log_of(self, name: str) -> bytes | None:
        """The record of a jam that goes on, or was over not long ago."""
        guest = self._guests.get(name)
        log = self._over.get(name) if guest is None else guest.seat.log
        if log is None:
            return None if self.shelf is None else self.shelf.read(name)
        return log.text()

    def service(self) -> Service:
        """Figures over all jams since the start."""
        return sum((guest.seat.session.tally for guest in self._guests.values()), self._past).figures()

    @property
    def players(self) -> int:
        return sum(guest.outbox is not None for guest in self._guests.values())

    async def sweep(self) -> None:
        """Clear the seats of those who did not come back, and what ended lines left, until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self._let_go()
            if self._ended >= ENDED_LINES:
                self._ended = 0
                gc.collect()
            if self.shelf is not None:
                await asyncio.to_thread(self.shelf.sweep)
            for guest in list(self._guests.values()):
                if guest.left is not None and self.scheduler.clock() - guest.left > RESUME_SECONDS:
                    self.rise(guest.seat)

    def farewell(self) -> None:
        """The server stops: everybody is told."""
        for guest in list(self._guests.values()):
            if guest.outbox is not None:
                guest.outbox.put(Bye("shutdown", guest.seat.session.tally.figures()))

    def close(self) -> None:
        self.scheduler.close()
        for guest in list(self._guests.values()):
            self.rise(guest.seat)

    def _post(self, seat: Seat, message: Notes | Set, bundle: Bundle | None = None) -> None:
        guest = self._guests.get(seat.name)
        if guest is not None:
            self.scheduler.post(seat, message, bundle)

    def _fresh(self, start: Start, tell: Callable[[Down], None]) -> Seat:
        """A new player's seat. Raises UnknownModel, WrongValue."""
        bundle = self.models.online(start.model or self.model)
        name = secrets.token_urlsafe(12)
        log = Log(keep=None if self.shelf is None else self.shelf.begin(name))
        return Seat.open(name, start, bundle, self.models.offline(), self.scheduler.clock, tell, log)

    def _recovered(self, name: str | None, tell: Callable[[Down], None]) -> Seat | None:
        """The seat of a player who had it at another process; None if nobody knows him, or not any more."""
        text = None if self.shelf is None or name is None else self.shelf.take(name)
        if self.shelf is None or name is None or not text:
            return None
        try:
            session = recover(read_log(text), self.models.logged)
        except SidemanError:
            return None  # he has his history, too
        log = Log(text, self.shelf.keeper(name))
        return Seat(name, session, self.models.offline(), self.scheduler.clock, tell, log)

    def _let_go(self) -> None:
        """Players who have gone on at another process are not ours any more."""
        for name in self.shelf.lost if self.shelf is not None else ():
            guest = self._guests.pop(name, None)
            if guest is not None:
                self.scheduler.leave(guest.seat)
                if guest.outbox is not None:
                    guest.outbox.put(Bye("replaced", guest.seat.session.tally.figures()))

    @staticmethod
    def _teller(outbox: Outbox) -> Callable[[Down], None]:
        """Tells a player something from the scheduler's thread."""
        loop = asyncio.get_running_loop()

        def tell(message: Down) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(outbox.put, message)

        return tell


def _nobody(message: Down) -> None:
    """Tells nobody."""
