"""Requests made up from our own description: every answer is one that it names. The same few each time."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jam_server import Place

pytestmark = pytest.mark.live
FUZZ = Path(__file__).parents[2] / "benchmarks" / "fuzz_http.py"


def test_made_up_requests_get_the_answers_described(tiny_home: Path, fake_offer: list[Any]):
    pytest.importorskip("schemathesis", reason="made-up requests need schemathesis")
    place = Place()
    try:
        command = [sys.executable, FUZZ, "--cases", "60", "--url", place.url("")]
        done = subprocess.run(command, capture_output=True, text=True)
    finally:
        place.stop()
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.splitlines()[-1].split()[0]) >= 40
