"""The page at /docs: the OpenAPI document for people, in one file that loads nothing.

It is made from the document alone, so it cannot say anything else.
"""

import json
from collections.abc import Sequence
from html import escape
from typing import Any

Schema = dict[str, Any]

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --ink: #1667b7; }
@media (prefers-color-scheme: dark) { :root { --ink: #7db8ee; } }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1.2rem; }
h3 { margin: 1.4rem 0 .3rem; } code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { background: var(--soft); padding: .8rem 1rem; overflow-x: auto; border-radius: 6px; }
table { border-collapse: collapse; width: 100%; display: block; overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); }
h3 code { font-weight: 600; }
.inner { margin-left: 1.5rem; } .inner h3 { font-size: 1em; } .inner p, .inner pre { margin-block: .3rem; }
a { color: var(--ink); } .method { color: var(--ink); font-weight: 600; } .soft { opacity: .75; }
"""


def html_page(title: str, parts: Sequence[str], heading: str = "") -> str:
    """A page in the style of all that describe something; `heading` is HTML, the title without it."""
    return "\n".join([
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>',
        f"<h1>{heading or escape(title)}</h1>",
        *parts,
        "</body></html>",
    ])  # fmt: skip


def docs_page(document: Schema, base: str) -> str:
    """The whole page as HTML; `base`: the address of the server, for its commands."""
    info = document["info"]
    rows = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    types = [_type(name, schema) for name, schema in document["components"]["schemas"].items()]
    parts = [
        *[f"<p>{escape(part)}</p>" for part in info["description"].split("\n\n")],
        '<p>For machines: <a href="openapi.json">/openapi.json</a>. From Python: '
        '<a href="docs/python">the package</a>.</p>',
        _table(("route", "what it does"), [_listed(*row) for row in rows]),
        *[_operation(*row, base) for row in rows],
        '<h2 id="types">Types</h2>',
        *types,
    ]
    return html_page(
        info["title"], parts, f'{escape(info["title"])} <span class="soft">{escape(info["version"])}</span>'
    )


def _listed(path: str, method: str, operation: Schema) -> tuple[str, str]:
    link = f'<a href="#{operation["operationId"]}"><code>{method.upper()} {escape(path)}</code></a>'
    return link, escape(operation["summary"])


def _operation(path: str, method: str, operation: Schema, base: str) -> str:
    parts = [
        f'<h2 id="{operation["operationId"]}"><span class="method">{method.upper()}</span> {escape(path)}</h2>',
        f"<p>{operation['summary']}</p>",
    ]
    if "description" in operation:
        parts.append(f"<p>{escape(operation['description'])}</p>")
    parts += [f"<pre>{escape(command)}</pre>" for command in _commands(base + path, operation)]
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        parts.append(f"<p>Body <code>{kind}</code>: {_kind(body['schema'])}</p>")
    rows = [_answer_row(status, answer) for status, answer in operation["responses"].items()]
    return "\n".join([*parts, _table(("answer", "when", "what"), rows)])


def _commands(address: str, operation: Schema) -> list[str]:
    """Commands to copy: one for each kind of body, of forms those that the document has."""
    secret = " -H 'Authorization: Bearer TOKEN'" if "security" in operation else ""
    content = operation.get("requestBody", {}).get("content")
    if "101" in operation["responses"]:
        return [f"websocat '{address.replace('http', 'ws', 1)}{'?token=TOKEN' if secret else ''}'"]
    if not content:
        return [f"curl{secret} {address}"]
    commands = []
    for kind, body in content.items():
        if "example" in body:
            sent = json.dumps(body["example"])
            commands.append(f"curl{secret} {address} -H 'Content-Type: {kind}' -d '{sent}'")
        else:
            commands += [f"curl{secret} {address} {form}" for form in body.get("x-curl", ())]
    return commands


def _answer_row(status: str, answer: Schema) -> tuple[str, str, str]:
    kinds = [f"<code>{kind}</code>: {_kind(body['schema'])}" for kind, body in answer.get("content", {}).items()]
    return status, escape(answer["description"]), "<br>".join(kinds)


def _type(name: str, schema: Schema) -> str:
    needed = schema.get("required", [])
    rows = [
        (f"<code>{escape(field)}</code>{'' if field in needed else ' (optional)'}", _kind(kind), _remarks(kind))
        for field, kind in schema.get("properties", {}).items()
    ]
    about = f"<p>{escape(schema.get('description', ''))}</p>"
    return f'<h3 id="{escape(name)}">{escape(name)}</h3>{about}{_table(("field", "type", "meaning"), rows)}'


def _kind(schema: Schema) -> str:
    """A type in words, with a link where it has a section of its own."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_kind(kind) for kind in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items') or {})}"
    if "contentMediaType" in schema:
        return "bytes"
    kind = escape(str(schema.get("type", "anything")))
    bounds = [sign + f"{schema[key]:g}" for key, sign in _BOUNDS.items() if key in schema]
    return kind + (f" ({', '.join(bounds)})" if bounds else "")


_BOUNDS = {"minimum": "≥ ", "exclusiveMinimum": "> ", "maximum": "≤ "}


def _remarks(schema: Schema) -> str:
    inner = [kind for kind in schema.get("anyOf", []) if "description" in kind]
    words = [escape((inner[0] if inner else schema).get("description", ""))]
    if "examples" in schema:
        words.append("Such as " + ", ".join(f"<code>{escape(str(e))}</code>" for e in schema["examples"]) + ".")
    if schema.get("default") not in (None, []):
        words.append(f"Default {escape(json.dumps(schema['default']))}.")
    return " ".join(word for word in words if word)


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{cell}</th>" for cell in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"
