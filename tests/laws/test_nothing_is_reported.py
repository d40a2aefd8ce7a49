"""Sideman works offline and tells nobody: ONNX Runtime's telemetry is off before it is imported."""

import os
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "greensleeves.mid"


def test_no_identity_is_written(tmp_path: Path):
    """With telemetry on, the runtime leaves a device id and a queue of events under the user's cache folder."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    environment = clean | {"HOME": str(tmp_path), "SIDEMAN_HOME": str(tmp_path / "sideman")}
    command = [sys.executable, "-m", "sideman", "options", str(EXAMPLE), "-n", "1"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert [str(path) for path in tmp_path.rglob("*") if "onnxruntime" in str(path)] == []
