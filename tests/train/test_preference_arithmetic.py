"""The loss of CLaMP-DPO against tables worked out by hand, and who is chosen."""

import math

import numpy as np
import pytest
import torch

from sideman.errors import WrongValue
from sideman.train.preference.choose import choose, is_aligned, is_grouped
from sideman.train.preference.loss import dpo_loss, fallen, margin

# Log-probabilities (policy: chosen, rejected; reference: chosen, rejected), margin, fall.
TABLE = [
    (-100.0, -110.0, -100.0, -110.0, 0.0, 0.0),  # nothing learned yet
    (-98.0, -112.0, -100.0, -110.0, 4.0, 0.0),  # as wanted
    (-103.0, -120.0, -100.0, -110.0, 7.0, 3.0),  # prefers it, but both have become less likely
    (-99.0, -105.0, -100.0, -110.0, -4.0, 0.0),  # the other way round
]


def column(number: int) -> torch.Tensor:
    return torch.tensor([row[number] for row in TABLE], dtype=torch.float64)


@pytest.mark.parametrize(("beta", "lambda_"), [(0.1, 10.0), (0.5, 0.0), (1.0, 2.0)])
def test_the_loss_is_the_hand_computed_one(beta: float, lambda_: float):
    before = column(2), column(3)
    loss = dpo_loss(column(0), column(1), before, beta, lambda_)
    expected = [math.log(1 + math.exp(-beta * (row[4] - lambda_ * row[5]))) for row in TABLE]
    assert loss.tolist() == pytest.approx(expected, rel=1e-9)
    assert margin(column(0), column(1), before).tolist() == [row[4] for row in TABLE]
    assert fallen(column(0), before[0]).tolist() == [row[5] for row in TABLE]


def test_published_settings_at_one_point():
    loss = dpo_loss(*(torch.tensor([x]) for x in (-103.0, -120.0)), (torch.tensor([-100.0]), torch.tensor([-110.0])),
                    0.1, 10.0)  # fmt: skip
    assert float(loss) == pytest.approx(math.log(1 + math.exp(2.3)))


def test_its_gradient_raises_the_chosen_and_lowers_the_rejected():
    chosen, rejected = (torch.tensor([-100.0], requires_grad=True) for _ in range(2))
    dpo_loss(chosen, rejected, (torch.tensor([-101.0]), torch.tensor([-100.0])), 0.1, 10.0).sum().backward()
    assert chosen.grad is not None and rejected.grad is not None  # noqa: PT018
    assert float(chosen.grad) < 0 < float(rejected.grad)


HEADER = 'L:1/8\nM:2/4\nK:C\nV:1 treble nm="Voice"\nV:2 treble nm="Piano"\nV:3 bass nm="Piano"\n'
GOOD = HEADER + "[r:0/1][V:2]c4|\n[r:1/0][V:1]d4|][V:2]c4|]\n"
UNEVEN = HEADER + "[r:0/0][V:1]c4|][V:2]d3|]\n"
APART = GOOD.replace('V:1 treble nm="Voice"', 'V:1 treble nm="Piano"').replace('V:2 treble nm="Piano"', 'V:2 nm="Oboe"')


def test_filters():
    assert is_aligned(GOOD)
    assert not is_aligned(UNEVEN)
    assert not is_aligned(GOOD.replace("d4|][V:2]c4|]", "d4|][V:2]c4|"))  # barlines differ
    assert not is_aligned("no music at all")
    assert is_grouped(GOOD)
    assert not is_grouped(APART)
    assert is_grouped("V:1 treble\nV:2 bass\n[V:1]c|\n")
    assert is_grouped('V:1 nm="A"\nV:2 nm="A"\nV:3\nV:4 nm="A"\n[V:1]c|\n')
    assert not is_grouped('V:1 nm="A"\nV:2 nm="B"\nV:3 nm="A"\n[V:1]c|\n')


def test_the_best_that_pass_and_the_worst_are_taken():
    texts = [GOOD, UNEVEN, APART, GOOD, GOOD, GOOD, UNEVEN, GOOD, GOOD, GOOD]
    scores = np.array([0.5, 0.9, 0.8, 0.7, 0.95, 0.1, 0.2, 0.3, 0.4, 0.6])
    nearest = np.array([0.1, 0.1, 0.1, 0.1, 0.951, 0.1, 0.1, 0.1, 0.1, 0.95])
    choice = choose(texts, scores, nearest, portion=0.2)
    assert choice.chosen == (3, 9)  # a likeness of 0.95 itself is no copy
    assert choice.rejected == (6, 5)  # whatever is wrong with them
    assert (choice.misaligned, choice.ungrouped, choice.copied) == (1, 1, 1)


def test_no_piece_is_on_both_sides():
    texts = [UNEVEN, UNEVEN, UNEVEN, GOOD]
    choice = choose(texts, np.array([4.0, 3.0, 2.0, 1.0]), np.zeros(4), portion=0.5)
    assert choice.chosen == (3,)
    assert choice.rejected == (2,)


def test_too_few_pieces_are_no_choice():
    with pytest.raises(WrongValue, match="portion"):
        choose([GOOD] * 9, np.arange(9.0), np.zeros(9), portion=0.1)
