"""The toy collection in place of the real ones."""

import sys
from collections.abc import Callable
from types import ModuleType

import pytest
from toy_collection import toy_convert

from sideman.data import collections as registry
from sideman.data.collections import Collection


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Collection]:
    """Call it to make `toy` the only collection; keywords change its row."""

    def register(**changes: object) -> Collection:
        row = {
            "name": "toy", "title": "Toy tunes", "url": "", "file": "toy.tar.gz", "sha256": (), "known": (),
            "licence": "CC0", "homepage": "https://example.org/x/toy-tunes", "use": "train", "note": "For tests.",
        }  # fmt: skip
        collection = Collection(**(row | changes))
        module = ModuleType("sideman.data.toy")
        module.pieces = lambda root: [f"s{n:03}" for n in range(60)]
        module.convert = toy_convert
        monkeypatch.setitem(sys.modules, "sideman.data.toy", module)
        monkeypatch.setattr(registry, "collections", lambda: {"toy": collection})
        return collection

    return register
