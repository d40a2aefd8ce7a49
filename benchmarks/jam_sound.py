"""How exactly chords sound: headless Chromium, the page's own sound recorded on the audio clock.

Three rows: the page left alone; its main thread blocked for 80 ms at random, half of the time; and, in that second run,
what sounding at callback time would have been (as ReaLJam's page does: the next time the page is woken).

    python benchmarks/jam_sound.py [--bars 120]        # needs playwright and a Chromium on the PATH
"""

import argparse
import shutil
import sys
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "page")]

from blocked_page import SETTINGS, Found, measure  # noqa: E402
from page_server import STUB, Server  # noqa: E402

FLAGS = ["--autoplay-policy=no-user-gesture-required", "--no-sandbox", "--disable-gpu"]


def row(name: str, errors: list[float], found: Found) -> str:
    p50, p99, worst = np.quantile(np.abs(errors), (0.5, 0.99, 1.0))
    return (
        f"| {name} | {len(errors)} | {p50:.2f} | {p99:.2f} | {worst:.2f} "
        f"| {found.late} | {found.blocks} | {found.stall:.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bars", type=int, default=120, help="two strikes each, at 220 beats a minute")
    bars = parser.parse_args().bars
    program = shutil.which("chromium") or shutil.which("google-chrome")
    server = Server(*STUB)
    server.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
            print(
                "| main thread | strikes | error p50 ms | p99 ms | worst ms | placed late | blocks | longest stall ms |"
            )
            print("|---|--:|--:|--:|--:|--:|--:|--:|")
            for blocked in (False, True):
                page = browser.new_page()
                page.goto(server.url)
                page.wait_for_function("window.sideman")
                for name, value in SETTINGS.items():
                    page.evaluate("([name, value]) => sideman.settings.set(name, value)", [name, value])
                found = measure(page, bars, blocked)
                print(row("blocked 80 ms at random" if blocked else "left alone", found.errors, found))
                page.close()
            print(row("blocked, sounding at callback time", found.callbacks, found))
            browser.close()
    finally:
        server.kill()


if __name__ == "__main__":
    main()
