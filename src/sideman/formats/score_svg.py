"""Verovio's pages made to stand alone: bars say which they are, and no text needs a font of musical signs."""

import re
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_EM = 1000
# What a letter of a serif font takes, on average.
_LETTER = 0.5
_PATH = re.compile(r'\sd="([^"]*)"')
ElementTree.register_namespace("", SVG)
ElementTree.register_namespace("xlink", XLINK)


def finish(svg: str, glyphs: Path, first_bar: int = 1) -> str:
    """A page as Verovio draws it -> the page. `glyphs`: folder with one XML file a sign of the font Leipzig;
    `first_bar`: the number of the first bar, 0 where that is a pickup."""
    root = ElementTree.fromstring(svg)
    for group in root.iter(f"{{{SVG}}}g"):
        if group.get("class") == "measure" and group.get("id", "").startswith("bar-"):
            index = int(group.get("id", "").removeprefix("bar-"))
            group.set("data-bar", str(index))
            group.set("data-number", str(index + first_bar))
    widths = _Widths(glyphs)
    for parent in root.iter(f"{{{SVG}}}g"):
        for text in [each for each in parent if each.tag == f"{{{SVG}}}text"]:
            if any(span.get("font-family") == "Leipzig" for span in text.iter(f"{{{SVG}}}tspan")):
                _outline(parent, text, glyphs, widths)
    return ElementTree.tostring(root, encoding="unicode")


class _Widths:
    """How far each sign advances, read when one is needed."""

    def __init__(self, glyphs: Path) -> None:
        self.path = glyphs.with_suffix(".xml")
        self.known: dict[str, float] = {}

    def of(self, code: str) -> float:
        """In thousandths of the font size."""
        if not self.known:
            rows = ElementTree.parse(self.path).getroot().iter("g")
            self.known = {row.get("c", ""): float(row.get("h-a-x", "0")) for row in rows}
        return self.known.get(code, 0.0)


def _outline(parent: Element, text: Element, glyphs: Path, widths: _Widths) -> None:
    """Replace a text that mixes letters and signs by its pieces, side by side; letters are not measured but estimated,
    which only matters behind them."""
    x, y = float(text.get("x", "0")), text.get("y", "0")
    at = list(parent).index(text)
    parent.remove(text)
    group = Element(f"{{{SVG}}}g")
    parent.insert(at, group)
    for span in text.iter(f"{{{SVG}}}tspan"):
        words, size = span.text or "", float((span.get("font-size") or "0px").removesuffix("px"))
        if not size or not words.strip():
            x += size * _LETTER / 2 * len(words) if words.isspace() and "\n" not in words else 0
        elif span.get("font-family") == "Leipzig":
            for sign in words.strip():
                x += _sign(group, f"{ord(sign):04X}", x, y, size / _EM, glyphs, widths)
        else:
            lead = len(words) - len(words.lstrip())
            x += lead * size * _LETTER / 2
            SubElement(
                group, f"{{{SVG}}}text", {"x": f"{x:g}", "y": y, "font-size": f"{size:g}px"}
            ).text = words.strip()
            x += size * _LETTER * len(words.strip()) + size * _LETTER / 2 * (len(words) - len(words.rstrip()))


def _sign(group: Element, code: str, x: float, y: str, scale: float, glyphs: Path, widths: _Widths) -> float:
    """Draw a sign; returns how far it advances."""
    try:
        found = _PATH.search((glyphs / f"{code}.xml").read_text(encoding="utf-8"))
    except OSError:
        return 0.0
    if found:
        place = f"translate({x:g}, {y}) scale({scale:g}, {-scale:g})"
        SubElement(group, f"{{{SVG}}}path", {"d": found[1], "transform": place})
    return widths.of(code) * scale
