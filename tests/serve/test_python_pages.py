"""The pages of the Python interface hold everything public, and everything public says what it is."""

import ast
import importlib
import inspect
import pkgutil
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from sideman.serve.app import make_app
from sideman.serve.python_page import ROOMS, SOURCE, modules, public, room_page

REFERENCE = Path(__file__).parents[2] / "scripts" / "reference"


def test_every_room_but_the_server_has_its_page():
    packages = {info.name for info in pkgutil.iter_modules([str(SOURCE)]) if info.ispkg}
    assert packages - set(ROOMS) == {"serve"}, "which is described by /docs"


@pytest.mark.parametrize("room", ["music", "engine", "options", "formats", "data"])
def test_what_can_be_imported_is_there(room: str):
    page = room_page(room)
    for info in pkgutil.walk_packages([str(SOURCE / room)], f"sideman.{room}."):
        module = importlib.import_module(info.name)
        for name, found in vars(module).items():
            ours = inspect.isclass(found) or inspect.isfunction(found)
            if ours and found.__module__ == info.name and not name.startswith("_"):
                assert f'id="{info.name}.{name}"' in page


@pytest.mark.parametrize("room", ROOMS)
def test_all_of_it_is_explained(room: str):
    nodes = [(f"{name}.{node.name}", node) for name, tree in modules(room).items() for node in public(tree.body)]
    assert len(nodes) > 20
    assert [name for name, node in nodes if not ast.get_docstring(node)] == []


def test_signatures_and_fields_are_as_written():
    page = room_page("music")
    assert "estimate_key(melody: NDArray[np.integer]) -&gt; Key" in page
    assert "numerator: int\ndenominator: int" in page
    assert "<code>bar_beats: float</code>" in page, "a property"
    assert "<code>parse(cls, text: str, onset: float=0.0) -&gt; &#x27;Meter&#x27;</code>" in page


def test_pages_are_served_to_everybody_and_link_to_each_other():
    with TestClient(make_app(token="s3cret")) as client:
        assert 'href="docs/python"' in client.get("/docs").text
        index = client.get("/docs/python")
        assert index.status_code == 200
        assert "default-src 'none'" in index.headers["content-security-policy"]
        links = set(re.findall(r'href="(python/\w+)"', index.text))
        assert links == {f"python/{room}" for room in ROOMS}
        pages = {link: client.get(f"/docs/{link}") for link in links}
        named = {link: set(re.findall(r'id="([\w.]+)"', page.text)) for link, page in pages.items()}
        assert [
            row for row in re.findall(r'href="(python/\w+)#([\w.]+)"', index.text) if row[1] not in named[row[0]]
        ] == []
        assert all(page.status_code == 200 and 'href="../python"' in page.text for page in pages.values())
        assert client.get("/docs/python/serve").status_code == 404
        assert client.get("/docs/python/..%2Fserve").status_code == 404


def test_the_script_writes_them(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [str(REFERENCE), str(tmp_path)])
    with pytest.raises(SystemExit, match="0"):
        runpy.run_path(str(REFERENCE), run_name="__main__")
    assert Path(capsys.readouterr().out.strip()) == tmp_path / "index.html"
    for link in re.findall(r'href="([^"#]+)', (tmp_path / "index.html").read_text()):
        assert "index.html" in (tmp_path / link).read_text()
    assert len(list(tmp_path.iterdir())) == len(ROOMS) + 1


def test_nothing_is_imported_for_them():
    script = (
        f"import sys; sys.path.insert(0, {str(SOURCE.parent)!r})\n"
        "from sideman.serve.python_page import room_page; room_page('train')\n"
        "assert not {'torch', 'sideman.train'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
