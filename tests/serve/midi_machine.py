"""Players and devices on a machine with MIDI, and waiting for what they do."""

import time


def wait_for(happened, seconds=60.0):
    """True as soon as it happened, False if it did not in time."""
    end = time.monotonic() + seconds
    while not (done := happened()) and time.monotonic() < end:
        time.sleep(0.01)
    return bool(done)


class Device:
    """Somebody else's MIDI device with an input and an output port; `heard`: what was sent to it."""

    def __init__(self, name: str) -> None:
        import rtmidi

        self.heard: list[bytes] = []
        self._keys = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, f"{name}-keys")
        self._synth = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, f"{name}-synth")
        self._keys.open_virtual_port("out")
        self._synth.ignore_types(timing=False)
        self._synth.open_virtual_port("in")
        self._synth.set_callback(lambda event, data: self.heard.append(bytes(event[0])))

    def play(self, *message: int) -> None:
        self._keys.send_message(message)

    def sounding(self) -> set[int]:
        """Keys that are down now; striking one twice is an error."""
        on: set[int] = set()
        for message in list(self.heard):
            kind = message[0] & 0xF0
            if kind == 0x90:
                assert message[1] not in on
                on.add(message[1])
            elif kind == 0x80:
                on.discard(message[1])
        return on

    def unplug(self) -> None:
        self._synth.cancel_callback()
        time.sleep(0.05)  # whoever is just being called must be done
        self._synth.delete()
        self._keys.delete()
