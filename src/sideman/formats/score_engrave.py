"""Score -> engraved pages (SVG), PDF, and what begins where on them, by a process of its own with a time limit."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import msgspec

from sideman.errors import MissingExtra, SidemanError, WrongValue
from sideman.formats.score_engraver import Engraved, Job, Moment, Want
from sideman.formats.score_musicxml_write import write
from sideman.music.score import Score

SECONDS = 60.0
_COMMAND = (sys.executable, "-m", "sideman.formats.score_engraver")
_PACKAGE_PATH = str(Path(__file__).resolve().parents[2])


class CannotEngrave(SidemanError):
    """The engraver fails on a score, or takes too long."""

    code = "cannot_engrave"


def can_engrave() -> bool:
    """Whether the extra `score` is installed."""
    return find_spec("verovio") is not None


def can_print() -> bool:
    """Whether the extra `pdf` is."""
    return can_engrave() and find_spec("typst") is not None


def svg_page(score: Score, page: int = 1, width: int | None = None, seconds: float = SECONDS) -> tuple[str, int]:
    """A page (from 1; -1: the last) as SVG, `width` CSS pixels wide (None: A4), and how many there are.
    Raises CannotEngrave, MissingExtra, WrongValue."""
    made = _engrave(score, "page", seconds, page, width)
    if not made.pages:
        raise WrongValue(f"There is no page {page}; the score has {made.count}.", "Pages count from 1; -1 is the last.")
    return made.pages[0], made.count


def svg_pages(score: Score, seconds: float = SECONDS) -> tuple[str, ...]:
    """All pages. Raises CannotEngrave, MissingExtra."""
    return _engrave(score, "pages", seconds).pages


def pdf(score: Score, seconds: float = SECONDS) -> bytes:
    """A PDF file of A4 pages. Raises CannotEngrave, MissingExtra."""
    if not can_print():
        raise MissingExtra("A PDF", "pdf")
    return _engrave(score, "pdf", seconds).pdf


def timeline(score: Score, width: int | None = None, seconds: float = SECONDS) -> tuple[tuple[Moment, ...], int]:
    """What begins where on the pages of `svg_page`, and how many there are. Raises CannotEngrave, MissingExtra."""
    made = _engrave(score, "timeline", seconds, width=width)
    return made.timeline, made.count


def _engrave(score: Score, want: Want, seconds: float, page: int = 1, width: int | None = None) -> Engraved:
    if not can_engrave():
        raise MissingExtra("Drawing a score", "score")
    job = Job(write(score).decode(), want, page, width, score.title, score.composer)
    paths = [_PACKAGE_PATH, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    try:
        done = subprocess.run(
            _COMMAND,
            input=msgspec.msgpack.encode(job),
            capture_output=True,
            timeout=seconds,
            env=environment,
            check=True,
        )
        return msgspec.msgpack.decode(done.stdout, type=Engraved)
    except subprocess.TimeoutExpired as error:
        raise CannotEngrave(f"The score was not engraved within {seconds:g} s.", "Ask for fewer bars.") from error
    except (subprocess.CalledProcessError, msgspec.DecodeError) as error:
        raise CannotEngrave("The engraver fails on this score.", "Take MusicXML and open it elsewhere.") from error
    except OSError as error:
        raise CannotEngrave(f"The engraver does not start: {error.strerror or error}.") from error
