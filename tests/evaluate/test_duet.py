"""Two players: nobody hears the present, caches do not matter, networks take turns, influence is a divergence."""

from itertools import chain

import numpy as np
import pytest

from sideman.engine.sampling import Sampling, pick
from sideman.engine.stream import Stream
from sideman.errors import UnknownModel, WrongValue
from sideman.evaluate.comparison import Question, compare
from sideman.evaluate.duet import Given, Network, Seat, interleaved, play, seat_at
from sideman.evaluate.duet_systems import Duet, tokens_of
from sideman.evaluate.influence import divergence, influence, mean_influence
from sideman.evaluate.model_systems import ModelSystem
from sideman.evaluate.perturb import PERTURBATIONS
from sideman.evaluate.pieces import Pieces
from sideman.evaluate.seats import parse_seats
from sideman.evaluate.systems import Setting, make_partner, make_system
from sideman.music.chord import Chord
from sideman.music.frames import SILENT, encode
from sideman.music.grammar import chord_mask, melody_mask
from sideman.music.measures import note_events
from sideman.music.song import ChordSpan, Meter, Note, Song
from sideman.music.vocabulary import BOS, own_vocabulary


def piece(number, beats=8, meters=(Meter(0.0, 4, 4),)):
    rng = np.random.default_rng(number)
    notes = tuple(Note(float(i), 1.0, int(rng.integers(55, 80))) for i in range(beats))
    spans = tuple(ChordSpan(4.0 * i, 4.0, Chord.make(int(rng.integers(12)), (0, 4, 7))) for i in range(beats // 4))
    return encode(Song(notes, spans, meters))


PIECES = [piece(0), piece(1, 4, (Meter(1.0, 3, 4),)), piece(2, 12)]
MELODY, CHORDS, FORM = tokens_of(own_vocabulary(), PIECES)
DRAWS = np.random.default_rng(9).random((2, *MELODY.shape))


@pytest.fixture
def online(tiny_bundles):
    return tiny_bundles["online"]


def duet(online, melody, seats=None):
    return play(Network("chord", seats or (Seat(online),), FORM), Network("melody", (Seat(melody),), FORM), DRAWS)


def test_a_duet_is_two_networks_without_a_cache(online, tiny_melody):
    """Every token is drawn from a full pass over strictly earlier frames, own part first."""
    played, sung = duet(online, tiny_melody)
    for bundle, own, other, draws, mask in (
        (online, played, sung, DRAWS[0], chord_mask), (tiny_melody, sung, played, DRAWS[1], melody_mask),
    ):  # fmt: skip
        for t in (0, 1, 2, 7, own.shape[1] - 1):
            history = interleaved(own[:, :t], other[:, :t])
            places = FORM[:, np.arange(2 * t + 1) // 2]
            logits = Stream.open(bundle, len(own)).feed(history, places, read=np.array([2 * t]))[:, 0]
            before = own[:, t - 1] if t else np.full(len(own), BOS)
            scores = np.where(mask(bundle.vocabulary, before), logits, np.float32(-np.inf))
            assert pick(scores, draws[:, t], Sampling()).tolist() == own[:, t].tolist()


def test_nobody_hears_the_present(online):
    """A melody that changes in frame 10 changes no chord up to frame 10."""
    other = MELODY.copy()
    other[:, 10] = 132 + 90
    first, second = (
        play(Network("chord", (Seat(online),), FORM), Given(melody), DRAWS)[0] for melody in (MELODY, other)
    )
    assert first[:, :11].tolist() == second[:, :11].tolist()
    assert first.tolist() != second.tolist()


def test_a_duet_with_the_data_is_the_plain_model(online):
    alone = ModelSystem(online, "online").harmonise(PIECES, range(2))
    together = Duet("online", PIECES, (Seat(online),), None).harmonise(PIECES, range(2))
    for one, other in zip(chain(*alone), chain(*together), strict=True):
        assert (one.melody == other.melody).all()
        assert (one.chord == other.chord).all()
        assert (one.chord_onset == other.chord_onset).all()


def test_a_network_that_takes_over_has_read_everything(online, tiny_melody):
    once = duet(online, tiny_melody)
    again = duet(online, tiny_melody, (Seat(online, frames=5), Seat(online, frames=3)))
    assert once[0].tolist() == again[0].tolist(), "by itself: as if nothing had happened"
    safe = duet(online, tiny_melody, (Seat(online, frames=5), Seat(online, temperature=0.0)))
    assert safe[0][:, :5].tolist() == once[0][:, :5].tolist()
    assert safe[0].tolist() != once[0].tolist()


def test_turns():
    seats = [Seat(None, frames=frames) for frames in (2, 3)]  # type: ignore[arg-type]
    assert [seat_at(seats, t) for t in range(8)] == [0, 0, 1, 1, 1, 0, 0, 1]
    last = [Seat(None, frames=frames) for frames in (2, 0)]  # type: ignore[arg-type]
    assert [seat_at(last, t) for t in range(5)] == [0, 0, 1, 1, 1]
    assert seat_at([Seat(None)], 200) == 0  # type: ignore[arg-type]


def test_duets_have_length_metre_and_seeds_of_their_pieces(online, tiny_melody):
    system = Duet("x", PIECES, (Seat(online),), (Seat(tiny_melody),))
    runs = system.harmonise(PIECES, range(2))
    assert [[len(frames) for frames in run] for run in runs] == [[32, 16, 48]] * 2
    assert all((made.form == truth.form).all() for run in runs for made, truth in zip(run, PIECES, strict=True))
    assert any((one.melody != other.melody).any() for one, other in zip(*runs, strict=True))
    alone = system.harmonise(PIECES, [1])[0]
    assert all((one.melody == other.melody).all() for one, other in zip(runs[1], alone, strict=True))


def test_the_data_can_play_the_chords(tiny_melody):
    (run,) = Duet("given", PIECES, None, (Seat(tiny_melody),)).harmonise(PIECES, [0])
    names = [[frames.chords[i].name() for i in frames.chord if i != SILENT] for frames in (run[2], PIECES[2])]
    assert names[0] == names[1]
    assert len(note_events(run[2])[0])


def test_divergence_by_hand():
    # P1 = (1/2, 1/2), P2 = (1/4, 3/4): ln 2 / 2 + ln (2/3) / 2.
    one, other = np.log([[0.5, 0.5]]), np.log([[0.25, 0.75]])
    expected = 0.5 * np.log(2) + 0.5 * np.log(2 / 3)
    assert divergence(one + 3, other - 2).tolist() == pytest.approx([expected])
    assert divergence(one, one).tolist() == [0.0]


@pytest.mark.parametrize("part", ["chord", "melody"])
def test_influence_compares_before_and_after_the_other_token(online, tiny_melody, part):
    own, other = (CHORDS, MELODY) if part == "chord" else (MELODY, CHORDS)
    player, listener = (online, tiny_melody) if part == "chord" else (tiny_melody, online)
    found = influence(player, listener, own, other, FORM)
    row, t = 2, 40  # beyond the first chunk
    places = FORM[row : row + 1, np.arange(2 * t + 2) // 2]
    mine = Stream.open(player, 1).feed(interleaved(own[row : row + 1, :t], other[row : row + 1, :t]), places[:, :-1])
    history = np.append(interleaved(other[row : row + 1, :t], own[row : row + 1, :t]), other[row, t])[None]
    theirs = Stream.open(listener, 1).feed(history, places)
    assert found[row, t] == pytest.approx(float(divergence(mine[:, -1], theirs[:, -1])[0]), rel=1e-3)
    assert (found > 0).all()
    real = np.arange(48) < np.array([[32], [16], [48]])
    assert mean_influence(PIECES, part, player, listener) == pytest.approx(found[real].mean(), rel=1e-3)


def test_partners_by_name(duet_home):
    partner = make_partner("melody@0.9")
    assert partner[0].temperature == 0.9
    setting = Setting(PIECES, list, partner)
    assert make_system("online", setting).name == "online"
    assert make_system("given", setting).harmonise(PIECES, [0])
    for name in ("viterbi", "offline"):
        with pytest.raises(WrongValue, match="whole melody"):
            make_system(name, setting)
    with pytest.raises(UnknownModel, match="makes chords"):
        make_partner("online")
    with pytest.raises(UnknownModel, match="makes melodies"):
        make_system("melody", Setting(PIECES, list))


@pytest.mark.parametrize("name", ["online,online", "online:x", "online:0", "online:4,", "online:4,offline:4"])
def test_turns_nobody_can_take(duet_home, name):
    with pytest.raises((WrongValue, UnknownModel)) as failed:
        make_system(name, Setting(PIECES, list))
    assert failed.value.hint


def test_models_in_folders(duet_home, tiny_folders, online):
    (bundle,) = parse_seats(str(tiny_folders["online"] / "bundle"), "chord")
    assert bundle.bundle.file.checkpoint == online.file.checkpoint
    (exported,) = parse_seats(str(tiny_folders["online"] / "checkpoint"), "chord")
    assert exported.bundle.file.checkpoint == online.file.checkpoint
    assert exported.bundle.file.precision == "fp32"


def test_a_comparison_with_a_partner(duet_home):
    pieces = Pieces(PIECES, ["a", "b", "c"], ["x"] * 3, 0)
    question = Question(("truth", "given", "online:8,online:8", "online"), seeds=1, partner="melody")
    done = compare("x", pieces, list, question, lambda _: None)
    truth, given, turns, plain = done.results
    assert plain.mean("influence_chord") > 0
    assert plain.mean("influence_melody") > 0
    assert np.isnan(turns.mean("influence_chord")), "one network throughout is needed"
    assert np.isnan(plain.mean("root")), "another melody has another truth"
    assert truth.mean("root") == given.mean("density") / truth.mean("density") == 1.0
    with pytest.raises(WrongValue, match="perturbed"):
        Question(("online",), partner="melody", perturbation=PERTURBATIONS["single_transpose_6"]).check()
