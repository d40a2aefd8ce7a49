"""Weights laid out beforehand give the products they give anyhow, and only while that is asked for."""

import pytest
import torch
from torch import Tensor, nn

from sideman.train.rl.packed import packed


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("shape", [(6, 32), (3, 2, 32), (3, 1, 32)], ids=["rows", "two a row", "other rows"])
def test_the_product_is_the_same(bias: bool, shape: tuple[int, ...]):
    linear = nn.Linear(32, 48, bias=bias)
    x = torch.randn(shape)
    with torch.no_grad():
        expected = linear(x)
        with packed([linear], 6):
            torch.testing.assert_close(linear(x), expected, atol=1e-5, rtol=1e-5)


def test_weights_that_change_are_laid_out_anew():
    linear = nn.Linear(16, 16)
    x = torch.randn(4, 16)
    results: list[Tensor] = []
    for _ in range(2):
        with torch.no_grad(), packed([linear], 4):
            results.append(linear(x))
        with torch.no_grad():
            linear.weight.mul_(2)
            linear.bias.mul_(2)
    torch.testing.assert_close(results[1], 2 * results[0])


def test_afterwards_nothing_is_left():
    """Not after an error either; gradients flow as before."""
    linear = nn.Linear(16, 16)
    with pytest.raises(KeyError), packed([linear], 4):
        raise KeyError
    assert "forward" not in vars(linear)
    linear(torch.randn(4, 16)).sum().backward()
    assert linear.weight.grad is not None


def test_autocast_and_other_numbers_are_left_alone():
    """Half precision has kernels of its own."""
    single, double = nn.Linear(8, 8), nn.Linear(8, 8).double()
    with packed([double], 4):
        assert "forward" not in vars(double)
    with torch.autocast("cpu", torch.bfloat16), packed([single], 4):
        assert "forward" not in vars(single)
        assert single(torch.randn(4, 8)).dtype == torch.bfloat16
