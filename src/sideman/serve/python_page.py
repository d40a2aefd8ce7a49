"""The Python interface as pages: what each room holds, read from its source, so that nothing has to be imported. A page
is made when it is first asked for, and kept.

Public is what stands at the top of a module and does not begin with `_`; of a class its fields and methods.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache
from html import escape
from inspect import cleandoc
from pathlib import Path

from sideman.serve.page import html_page

SOURCE = Path(__file__).parent.parent
# In the order in which one meets them; each builds on those before it.
ROOMS = ("music", "formats", "data", "engine", "options", "jam", "compose", "models", "train", "evaluate")

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def modules(room: str) -> dict[str, ast.Module]:
    """The modules of a room by their names, such as `sideman.music.chord`; those that hold nothing public left out."""
    found = {}
    for path in sorted((SOURCE / room).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if public(tree.body):
            found[".".join(("sideman", *path.relative_to(SOURCE).with_suffix("").parts))] = tree
    return found


def public(body: Sequence[ast.stmt]) -> list[Definition]:
    """The public classes and functions of a module, or methods of a class."""
    return [node for node in body if isinstance(node, Definition) and not node.name.startswith("_")]


@cache
def index_page(link: str = "python/{}") -> str:
    """All rooms and their modules; `link` leads to the page of a room."""
    parts = ["<p>The rooms of the package <code>sideman</code>; a module is <code>sideman.ROOM.NAME</code>.</p>"]
    for room in ROOMS:
        found = modules(room)
        short = len(f"sideman.{room}.")
        names = [f'<a href="{link.format(room)}#{name}"><code>{name[short:]}</code></a>' for name in found]
        about = ast.get_docstring(ast.parse((SOURCE / room / "__init__.py").read_text(encoding="utf-8"))) or ""
        rows = [f"<tr><td>{at}</td><td>{_line(tree)}</td></tr>" for at, tree in zip(names, found.values(), strict=True)]
        heading = f'<h2 id="{room}"><a href="{link.format(room)}">{room}</a></h2>'
        parts += [heading, _prose(about), f"<table>{''.join(rows)}</table>"]
    return html_page("Sideman in Python", parts)


@cache
def room_page(room: str, index: str = "../python") -> str:
    """Everything public of a room. Raises KeyError for a name that is no room."""
    if room not in ROOMS:
        raise KeyError(room)
    parts = [f'<p><a href="{index}">All rooms</a></p>']
    for name, tree in modules(room).items():
        parts += [f'<h2 id="{name}">{name}</h2>', _prose(ast.get_docstring(tree) or "")]
        for node in public(tree.body):
            parts += [f'<div id="{name}.{node.name}">', *_entry(node), "</div>"]
    return html_page(f"sideman.{room}", parts)


def _entry(node: Definition) -> Iterator[str]:
    """A class with its fields and methods, or a function."""
    if not isinstance(node, ast.ClassDef):
        yield _head(_signature(node))
        yield _prose(ast.get_docstring(node) or "")
        return
    bases = f"({', '.join(ast.unparse(base) for base in node.bases)})" if node.bases else ""
    yield _head(f"class {node.name}{bases}")
    yield _prose(ast.get_docstring(node) or "")
    fields = [line for line in node.body if isinstance(line, ast.AnnAssign) and not _name(line).startswith("_")]
    if fields:
        yield f"<pre>{escape(chr(10).join(map(ast.unparse, fields)))}</pre>"
    made = [inner for inner in node.body if isinstance(inner, ast.FunctionDef) and inner.name == "__init__"]
    for inner in (*made, *public(node.body)):
        yield f'<div class="inner">{"".join(_entry(inner))}</div>'


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """`name(arguments) -> type`, or `name: type` of a property."""
    returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    marks = {ast.unparse(mark) for mark in node.decorator_list}
    if {"property", "cached_property", "functools.cached_property"} & marks:
        return f"{node.name}:{returned.removeprefix(' ->')}"
    before = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    return f"{before}{node.name}({ast.unparse(node.args)}){returned}"


def _name(line: ast.AnnAssign) -> str:
    return ast.unparse(line.target)


def _head(text: str) -> str:
    return f"<h3><code>{escape(text)}</code></h3>"


def _line(tree: ast.Module) -> str:
    """The first line of a module's docstring."""
    return _inline((ast.get_docstring(tree) or "").partition("\n")[0])


def _prose(text: str) -> str:
    """Paragraphs, and examples that are indented."""
    parts = []
    for part in re.split(r"\n\s*\n", cleandoc(text)):
        indented = all(line.startswith("    ") for line in part.splitlines())
        parts.append(f"<pre>{escape(cleandoc(part))}</pre>" if indented and part else f"<p>{_inline(part)}</p>")
    return "".join(parts) if text else ""


def _inline(text: str) -> str:
    return re.sub(r"`+([^`]+)`+", r"<code>\1</code>", escape(text))
