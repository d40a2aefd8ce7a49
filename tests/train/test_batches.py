"""What the networks are fed: layouts of spec 1.6, crops, transpositions, mixes, truncation."""

import msgspec
import numpy as np
import pytest
from toy_music import toy_pack

from sideman.data.madeup import song
from sideman.data.pack import Pack, make_pack
from sideman.errors import WrongValue
from sideman.music.chord import Chord
from sideman.music.frames import encode
from sideman.music.reference_names import reference_vocabulary
from sideman.music.song import ChordSpan, Meter, Note, Song
from sideman.music.vocabulary import CHORD_HOLD, own_vocabulary
from sideman.train.batches import Batch, Source, batches, interleaved_form, share, single_form
from sideman.train.recipe import DataConfig

VOCABULARY = own_vocabulary()
PLAIN = DataConfig(pack="", transpose=0, form_dropout=0.0)


def two_rows() -> Batch:
    """Three frames: 60 on, hold, 62 on over chord 0 on, hold, chord 1 on; two: 64 on, rest over silence, chord 2 on."""
    on = VOCABULARY.chord_on
    return Batch(
        melody=np.array([[192, 64, 194], [196, 3, 0]]),
        chords=np.array([[on, CHORD_HOLD, on + 1], [3, on + 2, 0]]),
        form=np.arange(18, dtype=np.uint8).reshape(2, 3, 3),
        lengths=np.array([3, 2]),
        pieces=np.array([0, 1]),
    )


def test_interleaved_layout():
    on = VOCABULARY.chord_on
    assert two_rows().interleaved("chord").tolist() == [
        [1, on, 192, CHORD_HOLD, 64, on + 1, 194, 2],
        [1, 3, 196, on + 2, 3, 2, 0, 0],
    ]
    assert two_rows().interleaved("melody").tolist() == [
        [1, 192, on, 64, CHORD_HOLD, 194, on + 1, 2],
        [1, 196, 3, 3, on + 2, 2, 0, 0],
    ]


def test_single_layout():
    on = VOCABULARY.chord_on
    assert two_rows().single("melody").tolist() == [[1, 192, 64, 194, 2], [1, 196, 3, 2, 0]]
    assert two_rows().single("chord").tolist() == [[1, on, CHORD_HOLD, on + 1, 2], [1, 3, on + 2, 2, 0]]


def test_form_stands_at_the_position_that_predicts_its_frame():
    form = two_rows().form[:1]
    a, b, c = form[0].tolist()
    nothing = [0, 0, 0]
    # BOS predicts c1, c1 predicts m1, m1 predicts c2 ..; the last predicts EOS.
    assert interleaved_form(form)[0].tolist() == [a, a, b, b, c, c, nothing]
    assert single_form(form)[0].tolist() == [nothing, a, b, c, nothing]


def test_the_beginning_ends_where_it_says():
    cut = two_rows().beginning(2)
    assert cut.single("melody").tolist() == [[1, 192, 64, 2], [1, 196, 3, 2]]
    assert cut.lengths.tolist() == [2, 2]


def test_windows_are_the_song_itself():
    """Whole pieces untransposed are what the vocabulary makes of their frames."""
    pack = toy_pack()
    source = Source(pack, VOCABULARY, PLAIN, "train")
    batch = source.draw(seed=1, step=0, batch=6)
    for row, piece in enumerate(batch.pieces):
        length = int(batch.lengths[row])
        melody, chords = VOCABULARY.encode(pack.frames(int(piece)))
        assert batch.melody[row, :length].tolist() == melody.tolist()
        assert batch.chords[row, :length].tolist() == chords.tolist()
        assert (batch.form[row, :length] == pack.frames(int(piece)).form).all()
        assert not batch.melody[row, length:].any()
        assert not batch.chords[row, length:].any()


def test_crops_start_on_beats_and_reach_both_ends():
    source = Source(toy_pack(), VOCABULARY, DataConfig(pack="", window_frames=20, transpose=0, form_dropout=0), "train")
    seen = set()
    for step in range(60):
        batch = source.draw(0, step, 16)
        assert batch.melody.shape == (16, 20)
        places = np.stack([batch.form[:, 0, 2].astype(int), batch.form[:, 0, 0].astype(int)], 1)
        seen |= {(int(p), int(bar), int(at)) for p, (bar, at) in zip(batch.pieces, places, strict=True)}
    assert {at for _, _, at in seen} == {1, 5, 9, 13}  # frame in the bar, counted from 1
    shortest = [(bar, at) for piece, bar, at in seen if piece == 0]  # 48 frames: starts 0, 4 .. 28
    assert sorted(shortest) == [(1, 1), (1, 5), (1, 9), (1, 13), (2, 1), (2, 5), (2, 9), (2, 13)]


def test_transposition_moves_both_parts_alike():
    config = DataConfig(pack="", transpose=6, form_dropout=0)
    source = Source(toy_pack(), VOCABULARY, config, "train")
    pieces, starts = np.zeros(13, np.int64), np.zeros(13, np.int64)
    shifts = np.arange(-6, 7)
    batch = source.collect(pieces, starts, shifts)
    for row, shift in enumerate(shifts.tolist()):
        for part in (batch.melody, batch.chords):
            assert part[row].tolist() == VOCABULARY.transpose(part[6], shift).tolist()
    assert len({tuple(row) for row in batch.melody.tolist()}) == 13


def test_training_draws_every_transposition_and_validation_none():
    pack = toy_pack()
    source = Source(pack, VOCABULARY, DataConfig(pack="", transpose=6), "train")
    lowest = {}
    for step in range(40):
        batch = source.draw(0, step, 16)
        for row, piece in enumerate(batch.pieces):
            plain = pack.frames(int(piece)).melody
            first = int(np.flatnonzero(plain >= 0)[0])
            shift = (int(batch.melody[row, first]) - 4) % 128 - int(plain[first])
            lowest[shift] = lowest.get(shift, 0) + 1
    assert sorted(lowest) == list(range(-6, 7))
    assert max(lowest.values()) < 2.5 * min(lowest.values())
    valid = Source(pack, VOCABULARY, DataConfig(pack="", transpose=6), "valid").fixed(2)
    melody, _ = VOCABULARY.encode(pack.frames(int(valid.pieces[0])))
    assert valid.melody[0, : len(melody)].tolist() == melody.tolist()


def test_pitches_that_leave_the_range_fold_by_an_octave():
    song = Song((Note(0, 1, 125), Note(1, 1, 2)), (ChordSpan(0, 2, Chord.parse("C")),), (Meter(0, 4, 4),))
    pack = make_pack("x", [("a", "train", encode(song))])
    source = Source(pack, VOCABULARY, DataConfig(pack="", transpose=6), "train")
    batch = source.collect(np.zeros(2, np.int64), np.zeros(2, np.int64), np.array([5, -5]))
    onsets = [[int(t) - 132 for t in row if t >= 132] for row in batch.melody]
    assert onsets == [[118, 7], [120, 9]]


def mixed() -> Pack:
    return toy_pack(("hooktheory", "pop909", "nottingham"), pieces=10)


def shares(source: Source, draws: int = 400) -> dict[str, float]:
    names = source.pack.collections.tolist()
    pieces = np.concatenate([source.draw(0, step, 16).pieces for step in range(draws)])
    return {name: float((source.pack.collection[pieces] == k).mean()) for k, name in enumerate(names)}


def test_collections_are_mixed_by_weight_and_not_by_size():
    weights = {"hooktheory": 0.6, "pop909": 0.3, "nottingham": 0.1}
    source = Source(mixed(), VOCABULARY, DataConfig(pack="", weights=weights, window_frames=8), "train")
    assert shares(source) == pytest.approx(weights, abs=0.02)
    assert len(set(source.odds.tolist())) == 3


def test_what_has_no_weight_is_neither_trained_on_nor_validated_on():
    config = DataConfig(pack="", weights={"pop909": 1.0, "nottingham": 0.0}, window_frames=8)
    assert shares(Source(mixed(), VOCABULARY, config, "train"), 20) == {"hooktheory": 0, "pop909": 1, "nottingham": 0}
    pack = mixed()
    valid = Source(pack, VOCABULARY, config, "valid").fixed(100)
    assert {str(pack.ids[p]).partition("-")[0] for p in valid.pieces} == {"pop909"}


@pytest.mark.parametrize("weights", [{"wikifonia": 1.0}, {"pop909": 0.0}])
def test_weights_must_fit_the_pack(weights: dict[str, float]):
    with pytest.raises(WrongValue, match="hooktheory"):
        Source(mixed(), VOCABULARY, DataConfig(pack="", weights=weights), "train")


def test_a_batch_depends_on_seed_and_step_alone():
    source = Source(toy_pack(), VOCABULARY, DataConfig(pack=""), "train")
    ahead = list(batches(source, seed=5, first=3, last=6, batch=4))
    for step, batch in zip(range(3, 6), ahead, strict=True):
        again = Source(toy_pack(), VOCABULARY, DataConfig(pack=""), "train").draw(5, step, 4)
        assert (again.interleaved("chord") == batch.interleaved("chord")).all()
    assert (source.draw(5, 3, 4).pieces != source.draw(6, 3, 4).pieces).any()


@pytest.mark.parametrize(("world", "accumulate"), [(1, 1), (2, 1), (1, 3), (2, 2), (3, 2), (2, 4)])
def test_processes_and_parts_see_each_example_of_the_batch_once(world: int, accumulate: int):
    """Also where nine examples cannot be divided evenly."""
    batch = Source(toy_pack(), VOCABULARY, DataConfig(pack=""), "train").draw(0, 0, 9)
    parts = [batch.rows(rows) for rank in range(world) for rows in share(rank, world, accumulate)]
    assert len(parts) == world * accumulate
    rows = [row.tolist() for part in parts for row in part.interleaved("chord")]
    assert sorted(rows) == sorted(batch.interleaved("chord").tolist())
    assert max(len(p.lengths) for p in parts) - min(len(p.lengths) for p in parts) <= 1


def test_some_examples_come_without_form():
    source = Source(toy_pack(), VOCABULARY, DataConfig(pack="", form_dropout=0.25), "train")
    blank = [not form.any() for step in range(50) for form in source.draw(0, step, 16).form]
    assert np.mean(blank) == pytest.approx(0.25, abs=0.05)


@pytest.mark.parametrize(("kind", "batch", "longest"), [("window", 4, 60), ("reference", 40, 39)])
def test_random_truncation(kind: str, batch: int, longest: int):
    """A fifth of the batches has 28 frames, a fifth 28 up to the window (or, as in the reference, the batch size)."""
    config = DataConfig(pack="", window_frames=60, random_truncate=kind, transpose=0)
    pack = make_pack("x", [(str(n), "train", song(7)) for n in range(4)])  # 160 frames each
    source = Source(pack, VOCABULARY, config, "train")
    lengths = [set(source.draw(0, step, batch).lengths.tolist()) for step in range(300)]
    assert all(len(found) == 1 for found in lengths)
    every = np.array([found.pop() for found in lengths])
    assert (every == 28).mean() == pytest.approx(0.2, abs=0.08)
    between = every[(every != 28) & (every != 60)]
    assert len(between) / 300 == pytest.approx(0.2, abs=0.08)
    assert between.min() < 32
    assert longest - 4 < between.max() <= longest


def test_truncation_off_leaves_the_examples_as_they_are():
    plain, cutting = (
        Source(toy_pack(), VOCABULARY, DataConfig(pack="", random_truncate=kind), "train") for kind in (None, "window")
    )
    for step in range(5):
        a, b = plain.draw(0, step, 4), cutting.draw(0, step, 4)
        assert (a.melody[:, : b.melody.shape[1]] == b.melody).all()


def test_chords_outside_the_list_are_counted_and_learned_as_silence():
    names = ("C", "F", "G7")
    source = Source(toy_pack(), reference_vocabulary(names), PLAIN, "train")
    assert {"Am7", "Dm", "Bdim"} <= set(source.unknown)
    batch = source.draw(0, 0, 8)
    assert set(np.unique(batch.chords)) <= {0, 3, *range(CHORD_HOLD, CHORD_HOLD + 6)}


def test_some_examples_turn_to_another_key():
    """From one beat on both parts are the plain example moved by the same step; what sounds there is struck again."""
    config = DataConfig(pack="", transpose=0, form_dropout=0.0, turns=1.0, window_frames=64)
    plain = Source(toy_pack(), VOCABULARY, msgspec.structs.replace(config, turns=0.0), "train").draw(1, 0, 24)
    turned = Source(toy_pack(), VOCABULARY, config, "train").draw(1, 0, 24)
    seen = set()
    for row, length in enumerate(plain.lengths):
        differs = np.flatnonzero((plain.chords[row] != turned.chords[row]) | (plain.melody[row] != turned.melody[row]))
        at, steps = differs[0], range(-6, 7)
        assert at % 4 == 0
        assert 16 <= at <= length - 16
        melody, chords = plain.melody[row, at:].copy(), plain.chords[row, at:].copy()
        melody[0], chords[0] = VOCABULARY.struck(melody[:1])[0], VOCABULARY.struck(chords[:1])[0]
        fitting = [
            step
            for step in steps
            if (VOCABULARY.transpose(melody, step) == turned.melody[row, at:]).all()
            and (VOCABULARY.transpose(chords, step) == turned.chords[row, at:]).all()
        ]
        assert len(fitting) == 1
        seen.add(fitting[0])
        # Refused if it is no music.
        VOCABULARY.decode(turned.melody[row, :length], turned.chords[row, :length])
    assert len(seen) > 4


def test_no_turns_with_a_list_that_cannot_be_transposed():
    names = reference_vocabulary(("C", "Dm"))
    with pytest.raises(WrongValue, match=r"data\.turns"):
        Source(toy_pack(), names, DataConfig(pack="", turns=0.5), "train")
