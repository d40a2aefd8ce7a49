"""Players and devices on a machine with MIDI, and waiting for what they do."""

import time


def wait_for(happened, seconds=60.0):
    """True as soon as it happened, False if it did not in time."""
    end = time.monotonic() + seconds
    while not (done := happened()) and time.monotonic() < end:
        time.sleep(0.01)
    return bool(done)


class Device:
    """Somebody else's MIDI device with an input and an output port."""

    def __init__(self, name: str) -> None:
        import rtmidi

        self._heard: list[bytes] = []
        self._keys = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, f"{name}-keys")
        self._synth = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, f"{name}-synth")
        self._keys.open_virtual_port("out")
        self._synth.ignore_types(timing=False)
        self._synth.open_virtual_port("in")

    @property
    def heard(self) -> list[bytes]:
        """What was sent to it. (Asked for: a callback would make JACK wait for the interpreter.)"""
        while (event := self._synth.get_message()) is not None:
            self._heard.append(bytes(event[0]))
        return self._heard

    def play(self, *message: int) -> None:
        self._keys.send_message(message)

    def sounding(self) -> set[int]:
        """Keys that are down now; striking one twice is an error."""
        on: set[int] = set()
        for message in self.heard:
            kind = message[0] & 0xF0
            if kind == 0x90:
                assert message[1] not in on
                on.add(message[1])
            elif kind == 0x80:
                on.discard(message[1])
        return on

    def unplug(self) -> None:
        self._synth.delete()
        self._keys.delete()
