"""All tests of this room run on one thread."""

import pytest


@pytest.fixture(autouse=True)
def _threads(one_thread: None) -> None:
    pass
