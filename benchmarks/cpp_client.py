"""Options through the C++ client from a warm server: five progressions over 64 beats, one request after the other.

python benchmarks/cpp_client.py [--rounds 40]

Builds examples/cpp in a scratch folder (needs cmake, g++, libcpp-httplib-dev, nlohmann-json3-dev).
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from sideman.serve.server import open_socket

SOURCE = Path(__file__).parents[1] / "examples" / "cpp"
WARM_ROUNDS = 3


def build(folder: str) -> Path:
    release = ["-DCMAKE_BUILD_TYPE=Release", "-DSIDEMAN_JUCE=OFF"]
    for command in (["cmake", "-S", SOURCE, "-B", folder, *release], ["cmake", "--build", folder]):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return Path(folder, "client_check")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        check = build(folder)
        with open_socket("127.0.0.1", 0) as free:
            port = str(free.getsockname()[1])
        server = subprocess.Popen([sys.executable, "-m", "sideman", "serve", "--port", port], stderr=subprocess.PIPE)
        try:
            assert server.stderr is not None
            server.stderr.readline()  # it listens
            words = [check, f"http://127.0.0.1:{port}", "bench", "notes=64", f"rounds={WARM_ROUNDS + rounds}"]
            found = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
        finally:
            server.terminate()
            server.wait()
    times = sorted(found["times"][WARM_ROUNDS:])
    p95 = times[min(len(times) - 1, int(0.95 * len(times)))]
    print(f"p50 {statistics.median(times):.0f} ms, p95 {p95:.0f} ms, worst {times[-1]:.0f} ms of {rounds}")


if __name__ == "__main__":
    main()
