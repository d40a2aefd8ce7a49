"""A machine with MIDI: JACK without a sound card, and a device on it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
from midi_machine import Device, wait_for


@pytest.fixture(scope="session")
def jack() -> Iterator[subprocess.Popen[bytes]]:
    """JACK with its dummy driver under a name of our own, so that nobody's music is disturbed. It waits for
    slow clients (-S), or a busy machine would lose messages."""
    rtmidi = pytest.importorskip("rtmidi", reason="python-rtmidi is not installed (extra midi)")
    if shutil.which("jackd") is None:
        pytest.skip("jackd is not installed (Debian: jackd2)")
    if rtmidi.API_UNIX_JACK not in rtmidi.get_compiled_api():
        pytest.skip("this python-rtmidi was built without JACK")
    name = f"sideman-test-{os.getpid()}"
    command = ["jackd", "--no-realtime", "-S", "-n", name, "-d", "dummy", "-r", "48000", "-p", "128"]
    before = os.environ.get("JACK_DEFAULT_SERVER")
    os.environ["JACK_DEFAULT_SERVER"] = name
    probe = f"import rtmidi; rtmidi.MidiIn({rtmidi.API_UNIX_JACK}, 'probe')"
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers() -> bool:
        nonlocal server
        if server.poll() is not None:  # servers that start at the same moment get into one another's way
            server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return subprocess.run([sys.executable, "-c", probe], capture_output=True).returncode == 0

    try:
        if not wait_for(answers):
            pytest.skip("jackd does not start here")
        yield server
    finally:
        server.terminate()
        server.wait(10)
        if before is None:
            del os.environ["JACK_DEFAULT_SERVER"]
        else:
            os.environ["JACK_DEFAULT_SERVER"] = before


@pytest.fixture
def device(jack: subprocess.Popen[bytes]) -> Iterator[Device]:
    device = Device("test")
    yield device
    device.unplug()
