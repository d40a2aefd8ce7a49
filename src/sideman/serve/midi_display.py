"""One line on the terminal that follows a jam; nothing where stderr is no terminal, but for what must be said."""

import sys

from sideman.music.song import Meter

_CLEAR = "\r\x1b[K"


class Display:
    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._shown = ""

    def show(self, line: str) -> None:
        """Put this line in the place of the last one."""
        if self._live and line != self._shown:
            self._shown = line
            sys.stderr.write(_CLEAR + line)
            sys.stderr.flush()

    def say(self, line: str) -> None:
        """A line that stays."""
        sys.stderr.write((_CLEAR if self._shown else "") + line + "\n")
        sys.stderr.flush()
        self._shown = ""

    def end(self) -> None:
        if self._shown:
            self.say(self._shown)


def status(beat: float, meter: Meter, bpm: float, now: str, following: tuple[float, str] | None, isr: float) -> str:
    """Where we are, what sounds, what comes next and where, and how reliably chords came in time."""
    place, after = position(beat, meter), ""
    if following is not None:
        after = f"-> {following[1]} at {position(following[0], meter)}"
    return f"{place:>6}  {now or '-':<10} {after:<24} {bpm:.0f} bpm  ISR {isr:.3f}"


def position(beat: float, meter: Meter) -> str:
    """Beat 0 is 1.1; pulses of the metre are counted. Before it, those that are left: -4 .. -1."""
    if beat < 0:
        return f"{int(beat // meter.pulse_beats)}"
    bar = int(beat // meter.bar_beats)
    return f"{bar + 1}.{int((beat - bar * meter.bar_beats) // meter.pulse_beats) + 1}"
