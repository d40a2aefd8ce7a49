"""Devices that go while somebody plays, and come back."""

import math
from collections.abc import Callable

from sideman.errors import SidemanError
from sideman.serve.midi_display import Display
from sideman.serve.midi_ports import InPort, OutPort

_WATCH_SECONDS = 0.5
# How long a device that was unplugged may stay away.
REOPEN_SECONDS = 30.0


class Unplugged(SidemanError):
    """A MIDI device went away and did not come back."""

    code = "unplugged"


class Watch:
    """Notices devices that go and come. `mute` is called with true and false."""

    def __init__(self, ports: tuple[InPort, OutPort], display: Display, mute: Callable[[bool], None]) -> None:
        self._ports, self._display, self._mute = ports, display, mute
        self._looked = -math.inf
        self._since: float | None = None

    def look(self, now: float) -> None:
        """Look once in a while. Raises Unplugged when a device has been away for too long."""
        if now - self._looked < _WATCH_SECONDS:
            return
        self._looked = now
        if self._since is None:
            self._miss(now)
        else:
            self._return(now, self._since)

    def _miss(self, now: float) -> None:
        gone = [port.name.stable for port in self._ports if port.name is not None and not port.there()]
        if gone:
            self._since = now
            self._mute(True)
            for port in self._ports:
                port.lose()
            self._display.say(
                f"sideman: '{gone[0]}' was unplugged; what was played is kept. "
                f"Plug it in again within {REOPEN_SECONDS:.0f} seconds to go on."
            )

    def _return(self, now: float, since: float) -> None:
        # Only together: half of a device that is still going may be there for a moment.
        gone = [port for port in self._ports if not port.back()]
        gone = gone or [port for port in self._ports if port.gone and not port.reopen()]
        if not gone:
            self._since = None
            self._mute(False)
            self._display.say("It is back.")
        elif now - since > REOPEN_SECONDS:
            assert gone[0].name is not None
            raise Unplugged(
                f"'{gone[0].name.stable}' did not come back; what was played is kept.", "Plug it in and start again."
            )
