"""The three pages have one head, one header and one footer, but for what is theirs."""

import re
from pathlib import Path

import sideman.serve.site

STATIC = Path(sideman.serve.site.__file__).parent / "static"
PAGES = {name: (STATIC / f"{name}.html").read_text(encoding="utf-8") for name in ("index", "options", "compose")}
# What may differ: words about the page, its own style and script, where to skip to, the tab that is open, the line.
OWN = re.compile(
    r'<meta name="description"[^>]*>|<title>.*?</title>|<link rel="stylesheet"[^>]*>|<script[^>]*></script>'
    r'|<a class="skip".*?</a>|<p id="line".*?</p>| aria-current="page"|\s+',
    re.IGNORECASE,
)


def shared(text: str) -> tuple[str, str]:
    """What stands before and after the page's own part."""
    before, _, rest = text.partition("<main>")
    return OWN.sub("", before), OWN.sub("", rest.partition("</main>")[2])


def test_pages_are_alike_around_what_is_theirs():
    index = shared(PAGES["index"])
    assert "<nav" in index[0]
    assert "<footer" in index[1]
    assert all(shared(text) == index for text in PAGES.values())


def test_every_page_names_itself_and_links_to_all():
    for name, text in PAGES.items():
        tabs = re.findall(
            r'<a href="([^"]+)"( aria-current="page")?>', text.partition("<nav")[2].partition("</nav>")[0]
        )
        assert [link for link, _ in tabs] == ["./", "options", "compose"]
        (current,) = [link for link, here in tabs if here]
        assert current == {"index": "./"}.get(name, name)
