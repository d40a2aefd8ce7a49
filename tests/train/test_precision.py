"""What `precision: auto` takes on a CPU."""

import pytest
import torch

from sideman.train import running


@pytest.mark.parametrize(
    ("instructions", "speedup", "taken"),
    [
        ({"avx512_bf16": True, "amx_bf16": True}, 6.0, "bf16-mixed"),
        ({"avx512_bf16": True, "amx_bf16": False}, 0.5, "32-true"),
        ({"avx512_bf16": True}, 1.1, "32-true"),
        ({"avx512_bf16": False}, 6.0, "32-true"),
    ],
)
def test_auto_takes_bf16_where_its_products_are_faster(
    monkeypatch: pytest.MonkeyPatch, instructions: dict[str, bool], speedup: float, taken: str
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions)
    monkeypatch.setattr(running, "bf16_speedup", lambda: speedup)
    assert running.chosen_precision("auto") == taken
    assert running.chosen_precision("bf16-mixed") == "bf16-mixed"


def test_the_speedup_is_that_of_products(monkeypatch: pytest.MonkeyPatch):
    """A clock on which products in bf16 take a third as long."""
    real, now = torch.nn.functional.linear, 0.0

    def linear(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        nonlocal now
        now += 1.0 if x.dtype == torch.bfloat16 else 3.0
        return real(x[:1], weight)

    monkeypatch.setattr(torch.nn.functional, "linear", linear)
    monkeypatch.setattr(running.time, "perf_counter", lambda: now)
    assert running.bf16_speedup() == pytest.approx(3.0)
