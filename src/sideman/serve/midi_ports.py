"""MIDI ports of this machine: which there are, opening one, noticing that it was unplugged, and its return.

Threads: no thread of the MIDI system ever runs Python. It would wait for the interpreter, which rtmidi keeps to itself
while it opens or deletes a port and waits for that thread; and what it was to call may be gone by then. So every input
has a thread that asks for what came in and hands it over. `send` may be called in any thread; everything else belongs
to one at a time. A port that fails while sending says so by `gone`, never by an exception: the music is in full swing.
"""

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Any

from sideman.errors import MissingExtra, SidemanError, WrongValue

CLIENT = "sideman"
# So long the system may need to pass on the last messages of a port that is closed.
_PARTING_SECONDS = 0.1
# How often an input is asked for what came in.
_ASK_SECONDS = 0.001
# JACK refuses a client while another of its name, be it on another server, is just being let in.
_TRIES, _AGAIN_SECONDS = 3, 0.1
# ALSA ends its names with numbers that change when a device is plugged in again.
_NUMBERS = re.compile(r" \d+:\d+$")


class NoMidi(SidemanError):
    """This machine has nothing to play MIDI through."""

    code = "no_midi"


@dataclass(frozen=True, slots=True)
class PortName:
    """A port and the system (of rtmidi) that has it."""

    name: str
    system: int

    @property
    def stable(self) -> str:
        """What stays of the name when the device is plugged in again."""
        return _NUMBERS.sub("", self.name)


class Ports:
    """The ports there are. Raises MissingExtra, or NoMidi where there is no MIDI system."""

    def __init__(self) -> None:
        self._rtmidi = _import_rtmidi()
        self._systems: dict[int, tuple[Any, Any]] = {}
        name = f"{CLIENT}-ports-{os.getpid()}"
        with _no_noise():
            for system in self._rtmidi.get_compiled_api():
                try:
                    pair = self._rtmidi.MidiIn(system, name), self._rtmidi.MidiOut(system, name)
                except self._rtmidi.RtMidiError:
                    continue
                self._systems[system] = pair
        if not self._systems:
            raise NoMidi(
                "This machine has no MIDI system that answers.",
                "On Linux load snd-seq or start JACK; or play in the page: sideman jam.",
            )

    def close(self) -> None:
        """Ask for nothing more. Who ends without that keeps JACK, and all who play on it, waiting for seconds."""
        for pair in self._systems.values():
            for port in pair:
                port.delete()
        self._systems.clear()

    def inputs(self) -> list[PortName]:
        return self._names(0)

    def outputs(self) -> list[PortName]:
        return self._names(1)

    def input(self, wanted: str | None, virtual: str | None, hear: Callable[[bytes], None]) -> "InPort":
        """Open the input that `wanted` names, or a `virtual` one of our own. Raises WrongValue."""
        if wanted is None:
            return InPort(self, None, virtual or CLIENT, hear)
        return InPort(self, choose(self.inputs(), wanted, "input"), "in", hear)

    def output(self, wanted: str | None, virtual: str | None) -> "OutPort":
        """The same for an output."""
        if wanted is None:
            return OutPort(self, None, virtual or CLIENT)
        return OutPort(self, choose(self.outputs(), wanted, "output"), "out")

    def open(self, name: PortName | None, label: str, out: bool) -> Any:
        """A port of rtmidi, connected to `name` or, without one, there for others to connect to. Raises NoMidi."""
        for _ in range(_TRIES - 1):
            with suppress(NoMidi):
                return self._open(name, label, out)
            time.sleep(_AGAIN_SECONDS)
        return self._open(name, label, out)

    def _open(self, name: PortName | None, label: str, out: bool) -> Any:
        kind = self._rtmidi.MidiOut if out else self._rtmidi.MidiIn
        try:
            system = next(iter(self._systems)) if name is None else name.system
            port = kind(system, f"{CLIENT}-{'out' if out else 'in'}")
            if name is None:
                return port.open_virtual_port(label)
            return port.open_port([n.name for n in self._names(int(out))].index(name.name), label)
        except (self._rtmidi.RtMidiError, NotImplementedError, ValueError) as error:
            what = f"The port '{name.name}' cannot be opened" if name else "No virtual port can be opened here"
            raise NoMidi(f"{what}: {error}.", "Is another program using it? See: sideman jam --list-ports") from None

    def _names(self, side: int) -> list[PortName]:
        """The ports of one side; one that goes while they are listed has no name."""
        return [
            PortName(name, system) for system, pair in self._systems.items() for name in pair[side].get_ports() if name
        ]


class _Port:
    """An open port. `gone`: it was unplugged."""

    def __init__(self, ports: Ports, name: PortName | None, label: str) -> None:
        self.name = name
        self.gone = False
        self._ports, self._label = ports, label
        self._port = self._opened()

    def there(self) -> bool:
        """Whether it is still plugged in; one of our own always is. Who once was gone must be opened again."""
        self.gone = self.gone or (self.name is not None and self.name not in self._present())
        return not self.gone

    def lose(self) -> None:
        """Something was unplugged. This may have gone with it and be back under its name, but not connected: unless it
        is our own it must be opened again."""
        self.gone = self.name is not None

    def back(self) -> bool:
        """Whether there is, again, what it can be opened on; for one of our own always."""
        return self.name is None or _back(self.name, self._present()) is not None

    def reopen(self) -> bool:
        """Try to open it again after it went."""
        name = _back(self.name, self._present())
        if name is None:
            return False
        self.close()
        self.name = name
        try:
            self._port = self._opened()
        except NoMidi:
            return False
        self.gone = False
        return True

    def close(self) -> None:
        if self._port is not None:
            self._hush()
            self._port.delete()
            self._port = None

    def _present(self) -> list[PortName]:
        """The ports of its kind that there are."""
        raise NotImplementedError

    def _opened(self) -> Any:
        raise NotImplementedError

    def _hush(self) -> None:
        """Nothing more comes in or goes out, and no thread has anything to do with the port."""
        raise NotImplementedError


class InPort(_Port):
    """An open input; `hear` gets every message, in a thread of its own."""

    def __init__(self, ports: Ports, name: PortName | None, label: str, hear: Callable[[bytes], None]) -> None:
        self._hear = hear
        self._listening = False
        super().__init__(ports, name, label)

    def _present(self) -> list[PortName]:
        return self._ports.inputs()

    def _opened(self) -> Any:
        port = self._ports.open(self.name, self._label, out=False)
        port.ignore_types(sysex=True, timing=False, active_sense=True)
        self._listening = True
        self._thread = Thread(target=self._listen, args=(port,), name="sideman-midi-in", daemon=True)
        self._thread.start()
        return port

    def _hush(self) -> None:
        self._listening = False
        self._thread.join()

    def _listen(self, port: Any) -> None:
        while self._listening:
            while (event := port.get_message()) is not None:
                self._hear(bytes(event[0]))
            time.sleep(_ASK_SECONDS)


class OutPort(_Port):
    """An open output. `gone`: it was unplugged or failed while sending, and everything since was dropped."""

    def __init__(self, ports: Ports, name: PortName | None, label: str) -> None:
        self._sending = Lock()
        super().__init__(ports, name, label)

    def send(self, message: bytes) -> None:
        with self._sending:
            if not self.gone:
                try:
                    self._port.send_message(message)
                except Exception:  # whatever a driver makes of a missing device
                    self.gone = True

    def _present(self) -> list[PortName]:
        return self._ports.outputs()

    def _opened(self) -> Any:
        return self._ports.open(self.name, self._label, out=True)

    def _hush(self) -> None:
        with self._sending:
            self.gone = True
        time.sleep(_PARTING_SECONDS)


def choose(names: Sequence[PortName], wanted: str, kind: str) -> PortName:
    """The port that a player means: the one of that name, or the only one whose name has it inside, whatever the
    case. Raises WrongValue naming those there are."""
    low = wanted.casefold()
    for fits in (
        [n for n in names if n.name == wanted],
        [n for n in names if low in (n.name.casefold(), n.stable.casefold())],
        [n for n in names if low in n.name.casefold()],
    ):
        if len(fits) == 1:
            return fits[0]
        if fits:
            raise WrongValue(
                f"'{wanted}' fits {len(fits)} MIDI {kind}s: {listed(fits)}.", "Give more of the name of one."
            )
    raise WrongValue(f"There is no MIDI {kind} '{wanted}'.", f"MIDI {kind}s: {listed(names)}.")


def listed(names: Sequence[PortName]) -> str:
    return ", ".join(f"'{n.name}'" for n in names) or "none; connect one, or make one with --virtual NAME"


def _back(gone: PortName | None, names: Sequence[PortName]) -> PortName | None:
    """The port that is what another one was before it went."""
    if gone is None:
        return None
    same = [n for n in names if n == gone] or [n for n in names if n.stable == gone.stable]
    return same[0] if same else None


def _import_rtmidi() -> Any:
    try:
        import rtmidi
    except ImportError:
        missing = MissingExtra("Playing on MIDI ports", "midi")
        missing.hint += " Or play in the page (sideman jam): browsers reach MIDI devices by themselves."
        raise missing from None
    return rtmidi


@contextmanager
def _no_noise() -> Iterator[None]:
    """Libraries of MIDI systems that are not there complain on stderr by themselves, past Python."""
    if sys.platform != "linux":
        yield
        return
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
