"""Rule rewards on examples made by hand, and against plain loops over the definitions."""

import pytest
import torch

from sideman.music.vocabulary import own_vocabulary
from sideman.train.rl import rules

V = own_vocabulary()
ON, HOLD, S = V.chord_on, 260, 3
CHORDS, NOTES = rules.Alphabet.of(V, "chord"), rules.Alphabet.of(V, "melody")
C, F = 0, 5  # indices of C and F
NAMES = dict(enumerate(V.names))


def chords(*tokens: int) -> torch.Tensor:
    return torch.tensor([tokens])


def everywhere(tokens: torch.Tensor) -> torch.Tensor:
    return torch.ones_like(tokens, dtype=torch.bool)


def test_the_names_used_here():
    assert (NAMES[C], NAMES[F]) == ("C", "F")


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ([ON, HOLD, HOLD, HOLD], 0.0),
        ([ON, HOLD, 2, HOLD], -0.2),  # EOS with two frames to go
        ([0, 2, HOLD, HOLD], -0.4),
    ],
)
def test_early_stop(tokens: list[int], expected: float):
    assert float(rules.early_stop(chords(*tokens), everywhere(chords(*tokens)))) == pytest.approx(expected)


def test_early_stop_counts_to_the_end_of_the_piece():
    tokens, mask = chords(ON, 2, 0, 0), torch.tensor([[True, True, True, False]])
    assert float(rules.early_stop(tokens, mask)) == pytest.approx(-0.2)


@pytest.mark.parametrize(
    ("tokens", "wrong"),
    [
        ([ON + C, HOLD + C, ON + F, HOLD + F], False),
        ([HOLD + C, HOLD + C, S, HOLD + F], False),  # a crop; a hold after silence begins a chord
        ([ON + C, HOLD + F, S, S], True),
        ([ON + C, HOLD + C, HOLD + F, S], True),
        ([ON + C, 140, S, S], True),  # a note
        ([ON + C, 1, HOLD + C, S], False),  # a special id is dropped before decoding
        ([ON + C, 1, HOLD + F, S], True),
    ],
)
def test_undecodable(tokens: list[int], wrong: bool):
    assert bool(rules.undecodable(chords(*tokens), everywhere(chords(*tokens)), CHORDS)) == wrong


def test_invalid_is_minus_ten_for_special_ids_in_either_part():
    fine = chords(ON, HOLD, HOLD, HOLD)
    melody, mask = torch.full_like(fine, 140), everywhere(fine)
    assert float(rules.invalid(fine, melody, mask, CHORDS)) == 0
    assert float(rules.invalid(chords(ON, 2, HOLD, HOLD), melody, mask, CHORDS)) == -10
    assert float(rules.invalid(fine, melody.index_fill(1, torch.tensor([3]), 0), mask, CHORDS)) == -10
    assert float(rules.invalid(chords(ON, HOLD + F, HOLD, HOLD), melody, mask, CHORDS)) == -10


def test_silence_costs_where_more_than_four_percent_are_silent():
    tokens = torch.full((2, 58), HOLD)
    tokens[:, :8] = S  # listening is free
    tokens[0, 20:22] = S  # 2 of 50 frames: 4 %, not more
    tokens[1, 20:23] = S
    melody = torch.full_like(tokens, 140)
    score = rules.silence(tokens, melody, everywhere(tokens))
    assert score[0].abs().sum() == 0
    assert score[1].nonzero().flatten().tolist() == [20, 21, 22]
    assert score[1].sum().item() == pytest.approx(-0.3)
    melody[1, 20:22] = S  # where the melody rests too, nobody minds
    assert rules.silence(tokens, melody, everywhere(tokens)).abs().sum() == 0


def test_long_notes():
    tokens = chords(ON, *[HOLD] * 31, ON, *[HOLD] * 32, *[S] * 33)
    assert float(rules.long_note(tokens, everywhere(tokens))) == pytest.approx(-(32 + 33) / 10)
    tokens[0, 70:] = 0  # 5 silent frames before the first PAD
    assert float(rules.long_note(tokens, everywhere(tokens))) == pytest.approx(-3.2)


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ([ON + C] * 4, 0.0),
        ([ON + C] * 5, -0.5),
        ([ON + C, HOLD + C] * 5, -0.5),
        ([ON + C, S] * 5, -0.5),  # silence ends no run
        ([ON + C, S, HOLD + C, S, ON + C, ON + C, ON + C], -0.5),  # a hold after silence is an event
        ([ON + C] * 4 + [ON + F] + [ON + C] * 4, 0.0),
        ([ON + C] * 5 + [ON + F] * 6, -1.1),
        ([ON + C] * 5 + [HOLD + F], -1.0),  # cannot be decoded
    ],
)
def test_repetition(tokens: list[int], expected: float):
    assert float(rules.repetition(chords(*tokens), everywhere(chords(*tokens)), CHORDS)) == pytest.approx(expected)


def test_note_in_chord():
    tokens, melody = chords(ON + C, HOLD + C, S, ON + F), torch.tensor([[132 + 64, 4 + 65, 4 + 64, S]])
    inside, both = rules.note_in_chord(tokens, melody, everywhere(tokens), rules.token_masks(V, torch.device("cpu")))
    assert inside.tolist() == [[True, False, False, False]]
    assert both.tolist() == [[True, True, False, False]]


def test_a_melody_is_held_to_the_same_rules():
    """The same events as notes: a hold of another pitch, a chord among notes, a pitch struck five times."""
    on, hold = 132, 4
    fine = chords(on + 60, hold + 60, S, hold + 62, on + 62)
    heard, mask = torch.full_like(fine, ON), everywhere(fine)
    assert float(rules.invalid(fine, heard, mask, NOTES)) == 0
    assert float(rules.invalid(chords(on + 60, hold + 61, S, S, S), heard, mask, NOTES)) == -10
    assert float(rules.invalid(chords(on + 60, ON, S, S, S), heard, mask, NOTES)) == -10
    assert float(rules.invalid(fine, heard, mask, CHORDS)) == -10
    same = chords(*[on + 60, hold + 60, S] * 5)
    assert float(rules.repetition(same, everywhere(same), NOTES)) == pytest.approx(-0.5)
    assert float(rules.repetition(chords(*[on + 60] * 4, on + 72), everywhere(fine), NOTES)) == 0


# --- the same by plain loops ----------------------------------------------------------------------


def decoded(tokens: list[int]) -> list[int] | None:
    """Names of the events of spec 1.5, or None where it raises."""
    names, opened = [], None
    for token in tokens:
        if token <= 2:
            continue
        if token == S:
            opened = None
        elif token < HOLD:
            return None
        elif token >= ON:
            opened = token - ON
            names.append(opened)
        elif opened is None:
            opened = token - HOLD
            names.append(opened)
        elif opened != token - HOLD:
            return None
    return names


def run_lengths(values: list[int]) -> list[tuple[int, int]]:
    runs: list[list[int]] = []
    for value in values:
        if runs and runs[-1][0] == value:
            runs[-1][1] += 1
        else:
            runs.append([value, 1])
    return [(value, count) for value, count in runs]


@pytest.mark.parametrize("seed", range(4))
def test_vectorised_equals_plain(seed: int):
    draw = torch.Generator().manual_seed(seed)
    few = torch.tensor([S, S, HOLD, HOLD, HOLD + 1, ON, ON, ON + 1, 2, 0, 140])
    odds = torch.tensor([3.0, 3, 8, 8, 0.3, 8, 8, 2, 0.1, 0.1, 0.1])
    tokens = few[torch.multinomial(odds, 200 * 24, True, generator=draw)].view(200, 24)
    tokens[:20] = tokens[:20, :1]  # long runs
    tokens = torch.cat((tokens, tokens), 1)
    lengths = torch.randint(1, 49, (200,), generator=draw)
    mask = torch.arange(48) < lengths[:, None]
    tokens = torch.where(mask, tokens, 0)
    for row, length in enumerate(lengths.tolist()):
        mine = tokens[row, :length].tolist()
        names = decoded(mine)
        one, real = tokens[row : row + 1], mask[row : row + 1]
        assert bool(rules.undecodable(one, real, CHORDS)) == (names is None)
        runs = [count for _, count in run_lengths(names or []) if count > 4]
        expected = -1.0 if names is None else -sum(runs) / 10
        assert float(rules.repetition(one, real, CHORDS)) == pytest.approx(expected)
        until = mine.index(0) if 0 in mine else length
        long = [count for _, count in run_lengths(mine[:until]) if count >= 32]
        assert float(rules.long_note(one, real)) == pytest.approx(-sum(long) / 10)
        stop = min([n for n, token in enumerate(mine) if token in (0, 2)], default=length)
        assert float(rules.early_stop(one, real)) == pytest.approx((stop - length) / 10)
