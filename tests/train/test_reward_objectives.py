"""What reward networks learn from: losses, negatives and figures against tables worked out by hand."""

import math

import pytest
import torch

from sideman.music.vocabulary import own_vocabulary
from sideman.train.negatives import delayed, equal_lengths, others, permuted, shifted_or_permuted
from sideman.train.retrieval import hits, info_nce, retrieval

V = own_vocabulary()
ON = V.chord_on


def test_info_nce_of_two_pairs():
    """Cosines 1 0.6 / 0 0.8 at scale 2: each row and each column is a choice between two."""
    melody, chords = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    rows = [math.log(1 + math.exp(1.2 - 2.0)), math.log(1 + math.exp(0 - 1.6))]
    columns = [math.log(1 + math.exp(0 - 2.0)), math.log(1 + math.exp(1.2 - 1.6))]
    expected = (sum(rows) + sum(columns)) / 4
    assert float(info_nce(melody, chords, torch.tensor(2.0))) == pytest.approx(expected, rel=1e-6)


def test_info_nce_of_rows_adds_up():
    """Parts that processes work on are told from the whole batch."""
    melody, chords = torch.nn.functional.normalize(torch.randn(2, 7, 4), dim=-1)
    scale = torch.tensor(5.0)
    parts = [info_nce(melody, chords, scale, slice(rank, None, 2)) for rank in range(2)]
    whole = info_nce(melody, chords, scale)
    assert float(parts[0] * 4 + parts[1] * 3) / 7 == pytest.approx(float(whole), rel=1e-5)


def test_retrieval_by_rank():
    """Three melodies whose chords come in at ranks 1, 2 and 3."""
    melody = torch.eye(3)
    chords = torch.tensor([[0.9, 0.5, 0.3], [0.5, 0.4, 0.8], [0.1, 0.3, 0.2]])
    figures = retrieval(melody, chords)
    # Row of cosines: melody 0 sees .9 .5 .1; melody 1 sees .5 .4 .3; melody 2 sees .3 .8 .2.
    assert figures["recall_at_1"] == pytest.approx(1 / 3)
    assert figures["recall_at_5"] == 1.0
    assert figures["map_at_10"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)


def test_beyond_rank_ten_nothing_is_found():
    chords = torch.cat([torch.full((11, 1), 0.9), torch.full((1, 1), 0.1)])
    melody = torch.ones(12, 1)
    figures = retrieval(melody, chords)
    assert figures["recall_at_10"] == pytest.approx(11 / 12)
    assert figures["map_at_10"] == pytest.approx(11 / 12)


def test_hits():
    matches = torch.tensor([True, True, True, False, False])
    predicted = torch.tensor([True, True, False, True, False])
    figures = hits(matches, predicted)
    assert figures == pytest.approx({"accuracy": 0.6, "precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3})
    assert hits(matches, torch.zeros(5, dtype=torch.bool))["f1"] == 0


def test_nobody_gets_itself():
    draw = torch.Generator().manual_seed(0)
    for count in (2, 3, 8):
        for _ in range(50):
            other = others(count, draw, reference=False)
            assert sorted(other.tolist()) == list(range(count))
            assert (other != torch.arange(count)).all()
    assert any((others(3, draw, reference=True) == torch.arange(3)).any() for _ in range(20))


def test_permuted_pairs_are_equally_long():
    melody = torch.tensor([[132, 4, 4, 0], [140, 12, 12, 12]])
    chords = torch.tensor([[ON, 260, 260, 0], [ON + 1, 261, 261, 261]])
    wrong = permuted(melody, chords, torch.Generator().manual_seed(0), reference=False)
    assert wrong[0].tolist() == [[140, 12, 12, 0], [132, 4, 4, 0]]
    assert wrong[1].tolist() == [[ON, 260, 260, 0], [ON + 1, 261, 261, 0]]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ([ON + 5, 265, ON + 7, 267, 267], [ON + 5, 265, 265, 265, ON + 7]),  # its onset becomes a hold
        ([265, 265, ON + 7, 267, 267], [ON + 5, 265, 265, 265, ON + 7]),  # a hold begins with an onset now
        ([3, 3, ON + 7, 267, 267], [3, 3, 3, 3, ON + 7]),
        ([192, 64, 3, 3, 0], [192, 64, 64, 64, 3]),
        ([64, 64, 3, 3, 0], [192, 64, 64, 64, 3]),
    ],
)
def test_a_part_delayed_by_two_frames(part: list[int], expected: list[int]):
    assert delayed(torch.tensor([part]), torch.tensor([2]), V.size).tolist() == [expected]


def test_delayed_pairs_keep_their_length_unless_as_the_reference():
    melody = torch.tensor([[132, 4, 4, 4, 0, 0, 0, 0]] * 40)
    chords = torch.tensor([[ON, 260, 260, 260, 0, 0, 0, 0]] * 40)
    for reference in (False, True):
        wrong = shifted_or_permuted(melody, chords, V.size, torch.Generator().manual_seed(1), reference)
        lengths = torch.stack([(part != 0).sum(1) for part in wrong])
        assert (lengths[0] == lengths[1]).all() == (not reference)


def test_equal_lengths():
    pair = equal_lengths(torch.tensor([[5, 6, 0]]), torch.tensor([[7, 0, 8]]))
    assert [x.tolist() for x in pair] == [[[5, 0, 0]], [[7, 0, 0]]]
