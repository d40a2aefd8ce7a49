"""Late work of the main thread moves no sound."""

from collections.abc import Callable
from typing import Any

import numpy as np
from blocked_page import SETTINGS, Found, measure
from page_wakes import calmly


def test_blocking_the_main_thread_moves_no_chord(open_page: Callable[..., Any]) -> None:
    def attempt() -> tuple[Found, float]:
        page = open_page(settings=SETTINGS)
        found = measure(page, bars=6)
        page.close()
        return found, found.stall

    found = calmly(attempt, limit=250)
    assert found.blocks > 15
    assert found.late == 0
    assert np.percentile(np.abs(found.errors), 99) < 3
    assert np.percentile(found.callbacks, 90) > 20, "what sounds when the page is woken is late"
