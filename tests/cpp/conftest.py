"""The C++ client, built once a session by CMake and g++; without them its tests are skipped, and say so."""

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "examples" / "cpp"
CONFIGURE = ["cmake", "-S", SOURCE, "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS=-O0 -Werror"]


@pytest.fixture(scope="session")
def programs(request: pytest.FixtureRequest) -> Path:
    """Folder with `sideman_demo` and `client_check`; kept in pytest's cache, so that only what changed is compiled."""
    return build(request, "cpp-client", "-DSIDEMAN_JUCE=OFF")


@pytest.fixture(scope="session")
def juce_program(request: pytest.FixtureRequest) -> Path:
    """The JUCE example."""
    if not Path("/usr/share/juce/modules").is_dir():
        pytest.skip("JUCE's sources are not installed (Debian: juce-modules-source)")
    return build(request, "cpp-juce", "-DSIDEMAN_JUCE=ON") / "juce/options_to_midi_artefacts/Debug/options_to_midi"


def build(request: pytest.FixtureRequest, name: str, choice: str) -> Path:
    for program in ("cmake", "c++"):
        if shutil.which(program) is None:
            pytest.skip(f"the C++ client's tests need {program} (Debian: cmake g++)")
    if not Path("/usr/include/httplib.h").exists() or not Path("/usr/include/nlohmann/json.hpp").exists():
        pytest.skip("the C++ client's tests need libcpp-httplib-dev and nlohmann-json3-dev")
    folder: Path = request.config.cache.mkdir(name)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another process of pytest builds the same
        for command in ([*CONFIGURE, "-B", folder, choice], ["cmake", "--build", folder, "--parallel", "2"]):
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
    return folder
