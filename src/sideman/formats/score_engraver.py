"""The process that engraves: one job on stdin, one answer on stdout, both MessagePack. `score_engrave` starts it.

Verovio is a C++ library that has been seen to abort on odd input, and typst draws what it made; whatever happens to
them here ends this process and no other. It is fed nothing but MusicXML that `score_musicxml_write` wrote.
"""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import msgspec

from sideman.formats.score_svg import finish

Want = Literal["page", "pages", "pdf", "timeline"]
MEMORY_BYTES = 3 << 30
_PAGE = {"pageWidth": 2100, "pageHeight": 2970, "pageMarginTop": 100, "pageMarginBottom": 100}
_OPTIONS: dict[str, Any] = _PAGE | {
    "scale": 40, "header": "none", "footer": "none", "breaks": "auto", "svgViewBox": True, "smuflTextFont": "none",
    "xmlIdSeed": 1,
}  # fmt: skip
_AGAIN = re.compile(r"-rend\d+$")


class Job(msgspec.Struct, frozen=True):
    """What to make of a score: one page as SVG (from 1, -1 the last), all of them, a PDF, or what begins where.
    `width`: of the pages, in CSS pixels; None: that of A4."""

    musicxml: str
    want: Want
    page: int = 1
    width: int | None = None
    title: str = ""
    composer: str = ""


class Moment(msgspec.Struct, frozen=True):
    """Elements of a page that begin `beats` after their bar."""

    bar: int
    beats: float
    page: int
    ids: tuple[str, ...]


class Engraved(msgspec.Struct, frozen=True):
    """`count`: pages there are; of the rest, what was wanted."""

    count: int
    pages: tuple[str, ...] = ()
    pdf: bytes = b""
    timeline: tuple[Moment, ...] = ()


def engrave(job: Job) -> Engraved:
    """Do a job. Raises ValueError for a score that Verovio does not read."""
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    toolkit: Any = verovio.toolkit()
    width = {} if job.width is None else {"pageWidth": job.width * 100 // _OPTIONS["scale"]}
    # Room for the heading; Verovio has one margin for all pages.
    heading = {"pageMarginTop": 240} if job.want == "pdf" and (job.title or job.composer) else {}
    toolkit.setOptions(_OPTIONS | width | heading | {"adjustPageHeight": job.want in ("page", "pages")})
    numbered, first_bar = _numbered(job.musicxml)
    if not toolkit.loadData(numbered):
        raise ValueError("Verovio does not read it.")
    count = int(toolkit.getPageCount())
    if job.want == "timeline":
        return Engraved(count, timeline=tuple(_timeline(toolkit)))
    number = count if job.page == -1 else job.page
    wanted = [number] if job.want == "page" else range(1, count + 1)
    glyphs = Path(verovio.__file__).parent / "data" / "Leipzig"
    pages = tuple(finish(toolkit.renderToSVG(n), glyphs, first_bar) for n in wanted if 1 <= n <= count)
    return Engraved(count, pdf=_pdf(job, pages)) if job.want == "pdf" else Engraved(count, pages)


def _numbered(musicxml: str) -> tuple[str, int]:
    """The score with an id for each bar, `bar-0` and so on, that the pages will have too, and the number of the first:
    0 for a pickup, else 1."""
    root = ElementTree.fromstring(musicxml)
    part: Element | None = root.find("part")
    measures = list(part.iterfind("measure")) if part is not None else []
    for index, measure in enumerate(measures):
        measure.set("id", f"bar-{index}")
    pickup = bool(measures) and measures[0].get("number") == "0"
    return ElementTree.tostring(root, encoding="unicode"), 0 if pickup else 1


def _timeline(toolkit: Any) -> Iterator[Moment]:
    """What begins when, the first time each bar is played."""
    bar, start, seen = -1, 0.0, set[int]()
    for entry in toolkit.renderToTimemap({"includeMeasures": True, "includeRests": True}):
        measure = str(entry.get("measureOn", ""))
        if measure:
            bar, start = int(_AGAIN.sub("", measure).removeprefix("bar-")), float(entry["qstamp"])
            again = bar in seen
            seen.add(bar)
        ids = [_AGAIN.sub("", name) for name in (*entry.get("on", ()), *entry.get("restsOn", ()))]
        if ids and bar >= 0 and not again:
            yield Moment(bar, float(entry["qstamp"]) - start, int(toolkit.getPageWithElement(ids[0])), tuple(ids))


def _pdf(job: Job, pages: tuple[str, ...]) -> bytes:
    """A4 pages, the first with title and composer over it."""
    import typst

    inputs = {f"page{number}": page for number, page in enumerate(pages)}
    lines = ['#set page(paper: "a4", margin: 0mm)', "#set par(spacing: 0pt)", "#set document(date: none)"]
    for number in range(len(pages)):
        image = f'image(bytes(sys.inputs.page{number}), format: "svg", width: 210mm)'
        if number == 0 and (job.title or job.composer):
            lines.append(_HEADING)
        lines.append(f"#{image}" if number == 0 else f"#pagebreak(weak: true)\n#{image}")
    source = "\n".join(lines).encode()
    return bytes(typst.compile(source, sys_inputs=inputs | {"title": job.title, "composer": job.composer}))


_HEADING = """\
#place(top + center, dy: 6mm, text(size: 15pt, sys.inputs.title))
#place(top + right, dx: -12mm, dy: 10mm, text(size: 9pt, sys.inputs.composer))"""


def main() -> None:
    """Read a job, answer it; whatever libraries print goes to stderr."""
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    job = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Job)
    answer.write(msgspec.msgpack.encode(engrave(job)))
    answer.close()


if __name__ == "__main__":
    main()
