"""Advantages, losses and divergences of reinforcement learning against tables worked out by hand."""

import math

import pytest
import torch
from torch import Tensor

from sideman.train.rl import advantage, ppo
from sideman.train.rl.adversary import deception
from sideman.train.rl.judges import at_the_end, cut, windowed

YES = torch.tensor([[True, True, True]])


def test_gae_of_three_actions():
    """gamma 1, lambda 0.5; rewards 1 0 2, values 0.5 1 0.25."""
    advantages, returns = advantage.gae(
        torch.tensor([[1.0, 0.0, 2.0]]), torch.tensor([[0.5, 1.0, 0.25]]), YES, 1.0, 0.5
    )
    # delta: 1 + 1 - 0.5 = 1.5;  0 + 0.25 - 1 = -0.75;  2 + 0 - 0.25 = 1.75
    expected = [1.5 + 0.5 * (-0.75 + 0.5 * 1.75), -0.75 + 0.5 * 1.75, 1.75]
    assert advantages[0].tolist() == pytest.approx(expected)
    assert returns[0].tolist() == pytest.approx([expected[0] + 0.5, expected[1] + 1.0, 2.0])


def test_gae_ends_where_the_actions_end():
    """What lies beyond the mask is as if it were not there: the last action sees a value of 0 ahead."""
    mask = torch.tensor([[True, True, False]])
    longer = advantage.gae(torch.tensor([[1.0, 2.0, 9.0]]), torch.tensor([[0.5, 1.0, 7.0]]), mask, 0.9, 0.95)
    shorter = advantage.gae(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.5, 1.0]]), mask[:, :2], 0.9, 0.95)
    for a, b in zip(longer, shorter, strict=True):
        assert a[0, :2].tolist() == pytest.approx(b[0].tolist())
        assert a[0, 2] == 0


def test_groups_are_compared_within():
    mask = torch.tensor([[True, True], [True, False], [True, True], [True, True]])
    rewards = torch.tensor([[1.0, 2.0], [1.0, 99.0], [5.0, 0.0], [5.0, 0.0]])
    out = advantage.grpo(rewards, mask, 2)
    assert out[0].tolist() == pytest.approx([1.0, 1.0], abs=1e-4)  # 3 against 1: mean 2, deviation 1
    assert out[1].tolist() == pytest.approx([-1.0, 0.0], abs=1e-4)
    assert out[2:].abs().max() < 1e-4


def test_rewards_to_go_are_compared_frame_by_frame():
    """Discount 0.5: one rollout has 1 0 2, the other of its group 0 1 0; a row ends early."""
    mask = torch.ones(4, 3, dtype=torch.bool)
    mask[2:, 2] = False
    rewards = torch.tensor([[1.0, 0.0, 2.0], [0.0, 1.0, 0.0], [1.0, 1.0, 9.0], [0.0, 0.0, 9.0]])
    out = advantage.to_go(rewards, mask, 2, 0.5)
    # To go: 1.5 1 2 against 0.5 1 0, and 1.5 1 - against 0 0 -.
    assert out.tolist() == [[0.5, 0.0, 1.0], [-0.5, 0.0, -1.0], [0.75, 0.5, 0.0], [-0.75, -0.5, 0.0]]


def test_standardised_over_actions_alone():
    out = advantage.standardised(torch.tensor([[1.0, 3.0], [5.0, 100.0]]), torch.tensor([[True, True], [True, False]]))
    deviation = math.sqrt(8 / 3)
    assert out.flatten().tolist() == pytest.approx([-2 / deviation, 0.0, 2 / deviation, 0.0])
    assert advantage.standardised(torch.ones(1, 3), YES).abs().max() == 0


@pytest.mark.parametrize(
    ("ratio", "gain", "expected"),
    [(1.5, 1.0, 1.2), (1.5, -1.0, -1.5), (0.5, 1.0, 0.5), (0.5, -1.0, -0.8), (1.1, 2.0, 2.2)],
)
def test_the_objective_is_clipped_on_the_side_that_would_pay(ratio: float, gain: float, expected: float):
    loss = ppo.policy_loss(
        torch.tensor([[math.log(ratio)]]), torch.zeros(1, 1), torch.tensor([[gain]]), YES[:, :1], 0.2
    )
    assert float(loss) == pytest.approx(-expected)


def test_sequences_count_alike_however_long():
    mask = torch.tensor([[True, True, True], [True, False, False], [False, False, False]])
    values = torch.tensor([[1.0, 2.0, 3.0], [10.0, 99.0, 99.0], [99.0, 99.0, 99.0]])
    assert float(ppo.over_sequences(values, mask)) == pytest.approx((2 + 10) / 2)
    assert float(ppo.value_loss(values, torch.zeros(3, 3), mask)) == pytest.approx(0.5 * (14 / 3 + 100) / 2)


P, Q = [0.5, 0.25, 0.25], [0.25, 0.25, 0.5]


def test_kl_and_entropy():
    p, q = (torch.tensor([[x]]).log() + 1.7 for x in (P, Q))
    forward = sum(a * math.log(a / b) for a, b in zip(P, Q, strict=True))
    backward = sum(b * math.log(b / a) for a, b in zip(P, Q, strict=True))
    assert float(ppo.kl(p, q)) == pytest.approx(forward, rel=1e-5)
    assert float(ppo.kl(p, q, reverse=True)) == pytest.approx(backward, rel=1e-5)
    assert float(ppo.entropy(p)) == pytest.approx(-sum(a * math.log(a) for a in P), rel=1e-5)


def test_what_the_grammar_forbids_has_no_part_in_them():
    p, q = (torch.tensor([[[*x, 0.123]]]).log() for x in (P, Q))
    p[..., -1] = q[..., -1] = -1e9
    p.requires_grad_()
    divergence = ppo.kl(p, q).sum()
    assert float(divergence.detach()) == pytest.approx(math.log(2) * 0.25, rel=1e-5)
    divergence.backward()
    assert p.grad is not None
    assert p.grad.isfinite().all()


def test_deceiving_the_adversary():
    logits = torch.tensor([[0.0, math.log(3.0)]])  # p = 3/4
    assert float(deception(logits, "logits_prob_log")) == pytest.approx(math.log(4), rel=1e-5)
    assert float(deception(logits, "prob")) == pytest.approx(0.75)
    assert float(deception(logits, "logits")) == pytest.approx(math.log(3))


def test_a_score_stands_at_the_last_action():
    mask = torch.tensor([[True, True, False], [True, True, True], [False, False, False]])
    assert at_the_end(torch.tensor([2.0, 3.0, 0.0]), mask).tolist() == [[0, 2, 0], [0, 0, 3], [0, 0, 0]]


def count(melody: Tensor, chords: Tensor) -> Tensor:
    """A judge whose reward is how many chord tokens it was shown (without BOS and EOS)."""
    assert (melody[:, 0] == 1).all()
    return (chords > 2).sum(1).float()


def test_windows_are_judged_where_they_end():
    melody = torch.tensor([[140] * 8, [140] * 5 + [0] * 3, [140] * 7 + [0], [140] + [0] * 7])
    chords = torch.where(melody > 0, 300, 0)
    assert windowed(count, melody, (melody, chords), ()).tolist() == [
        [0, 0, 0, 0, 0, 0, 0, 8], [0, 0, 0, 0, 5, 0, 0, 0], [0, 0, 0, 0, 0, 0, 7, 0], [1, 0, 0, 0, 0, 0, 0, 0],
    ]  # fmt: skip
    assert windowed(count, melody, (melody, chords), (4,)).tolist() == [
        [0, 0, 0, 4, 0, 0, 0, 4], [0, 0, 0, 4, 0, 0, 0, 0], [0, 0, 0, 4, 0, 0, 3, 0], [1, 0, 0, 0, 0, 0, 0, 0],
    ]  # fmt: skip
    both = windowed(count, melody, (melody, chords), (4, 8))
    assert torch.equal(
        both, windowed(count, melody, (melody, chords), (4,)) + windowed(count, melody, (melody, chords), (8,))
    )


def test_parts_of_a_length_that_does_not_divide():
    melody = torch.arange(10, 17)[None]
    (parts,), row, last = cut(melody, (melody,), 4)
    assert parts.tolist() == [[10, 11, 12, 13], [14, 15, 16, 0]]
    assert (row.tolist(), last.tolist()) == ([0, 0], [3, 6])
