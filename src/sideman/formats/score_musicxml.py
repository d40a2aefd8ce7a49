"""MusicXML (.musicxml, .xml, .mxl) -> Score: everything as written, in all parts and voices.

What a score cannot hold is counted in `Score.losses`. The hardened reader of `musicxml_container`
stands before this one: cut archives, entities and oversized files raise typed errors there.
"""

from collections import Counter
from pathlib import Path
from xml.etree.ElementTree import Element

from sideman.errors import UnreadableFile
from sideman.formats.musicxml_container import read_tree
from sideman.formats.score_draft import DraftPart
from sideman.formats.score_layout import lay_out
from sideman.formats.score_musicxml_bars import PartReader
from sideman.music.score import Group, Score

MAX_PARTS = 64


def read(source: Path | str | bytes) -> Score:
    """A MusicXML file, packed or plain, by its path or its bytes. Raises UnreadableFile, TooLarge."""
    return read_score(read_tree(source if isinstance(source, bytes) else _bytes(Path(source))))


def read_score(root: Element) -> Score:
    """The root element of a score -> Score. Raises UnreadableFile."""
    if root.tag not in ("score-partwise", "score-timewise"):
        raise UnreadableFile(f"The file is XML but no score: <{root.tag[:40]}>.", "Export it as MusicXML.")
    losses: Counter[str] = Counter()
    listed = {element.get("id", ""): element for element in root.iterfind("part-list/score-part")}
    measures = _measures(root)
    drafts = [_draft(listed.get(name), found, losses) for name, found in measures.items() if found]
    if not drafts:
        raise UnreadableFile("The score has no bars.", "Export it again as MusicXML.")
    if len(drafts) > MAX_PARTS:
        raise UnreadableFile(f"The score has more than {MAX_PARTS} parts.", "Export fewer parts.")
    bars, parts = lay_out(drafts, losses)
    return Score(
        bars, parts, _title(root), _creator(root), " ".join((root.findtext("identification/rights") or "").split()),
        _groups(root, [name for name, found in measures.items() if found]), {k: n for k, n in losses.items() if n},
    )  # fmt: skip


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"Cannot read {path}: {error.strerror or error}.") from error


def _measures(root: Element) -> dict[str, list[Element]]:
    """Measures by part, of a score written part by part or bar by bar."""
    partwise = root.tag == "score-partwise"
    found: dict[str, list[Element]] = {}
    for outer in root.iterfind("part" if partwise else "measure"):
        for inner in outer.iterfind("measure" if partwise else "part"):
            found.setdefault((outer if partwise else inner).get("id", ""), []).append(inner)
            if not partwise and not inner.get("number"):
                inner.set("number", outer.get("number", ""))
    return found


def _draft(listed: Element | None, measures: list[Element], losses: Counter[str]) -> DraftPart:
    reader = PartReader(losses)
    bars = [reader.bar(measure) for measure in measures]
    reader.slurs.close()
    return DraftPart(
        _line(listed, "part-name"), bars, _line(listed, "part-abbreviation"),
        reader.staves, reader.transpose, reader.percussion,
    )  # fmt: skip


def _groups(root: Element, parts: list[str]) -> tuple[Group, ...]:
    """Brackets and braces over parts; those of one part, and those with neither, mean nothing here."""
    opened: dict[str, tuple[int, Element]] = {}
    found: list[Group] = []
    at = 0
    for element in root.iterfind("part-list/*"):
        number = element.get("number", "1")
        if element.tag == "score-part":
            at += element.get("id", "") in parts
        elif element.get("type") == "start":
            opened[number] = (at, element)
        elif number in opened:
            first, start = opened.pop(number)
            symbol = (start.findtext("group-symbol") or "").strip()
            if at - first > 1 and symbol in ("bracket", "brace", "square"):
                joined = (start.findtext("group-barline") or "").strip() == "yes"
                found.append(Group(first, at - 1, "brace" if symbol == "brace" else "bracket", joined))
    return tuple(sorted(found, key=lambda g: (g.first, -g.last)))


def _line(listed: Element | None, name: str) -> str:
    return " ".join((listed.findtext(name) or "").split()) if listed is not None else ""


def _title(root: Element) -> str:
    titles = (root.findtext("work/work-title"), root.findtext("movement-title"))
    return next((" ".join(t.split()) for t in titles if t and t.strip()), "")


def _creator(root: Element) -> str:
    creators = {e.get("type", "composer"): e.text or "" for e in reversed(root.findall("identification/creator"))}
    return " ".join(creators.get("composer", "").split())
