"""Tables, reports and the command: what is measured is what is printed, and nobody sees the answers."""

import json
import math

import numpy as np
import pytest
from click.testing import CliRunner

from sideman.cli_evaluate import evaluate as command
from sideman.data.pack import make_pack
from sideman.errors import SidemanError, UnknownModel, UnreadableFile, WrongValue
from sideman.evaluate import report
from sideman.evaluate.columns import COLUMNS
from sideman.evaluate.comparison import Question, compare
from sideman.evaluate.perturb import PERTURBATIONS
from sideman.evaluate.pieces import Choice, load_packs, parse_choice, select, training_pieces
from sideman.evaluate.report import About, to_json, to_text, write_report
from sideman.evaluate.systems import Setting, Truth, make_system
from sideman.evaluate.table import evaluate, part, to_markdown
from sideman.evaluate.table import to_json as table_json
from sideman.music.chord import Chord
from sideman.music.frames import encode
from sideman.music.measures import note_in_chord
from sideman.music.song import ChordSpan, Note, Song


def piece(number: int, bars: int = 4):
    """Chord tones of C, F, G and C in turn, with every eighth note a foreign one."""
    rng = np.random.default_rng(number)
    chords = [Chord.parse(name) for name in ("C", "F", "G7", "C")]
    notes = [
        Note(float(i), 1.0, 60 + int(rng.choice(chords[i // 4 % 4].pitch_classes)) + (i % 8 == 7))
        for i in range(4 * bars)
    ]
    return encode(Song(tuple(notes), tuple(ChordSpan(4.0 * i, 4.0, chords[i % 4]) for i in range(bars))))


PIECES = [piece(number) for number in range(6)]


@pytest.fixture
def results():
    setting = Setting(PIECES, lambda: PIECES)
    return [evaluate(make_system(name, setting), PIECES, seeds=3) for name in ("truth", "keyprior", "viterbi")]


def test_truth_is_what_the_data_say(results):
    truth = results[0]
    assert truth.values["harmony"] == [note_in_chord(PIECES)]
    assert truth.mean("onset_emd") == 0.0
    assert truth.mean("density") == pytest.approx(1.0)
    assert all(not math.isnan(truth.mean(column.name)) for column in COLUMNS)


def test_seeds_give_runs_and_a_spread(results):
    truth, prior, viterbi = results
    assert [len(r.runs) for r in results] == [1, 3, 1]
    assert prior.spread("harmony") == pytest.approx(np.std(prior.values["harmony"], ddof=1))
    assert truth.spread("harmony") == viterbi.spread("harmony") == 0.0
    assert prior.mean("harmony") < viterbi.mean("harmony"), "hearing the melody helps"


def test_systems_never_see_the_chords():
    seen = []

    class Spy:
        name, seeded = "spy", False

        def harmonise(self, melodies, seeds):
            seen.extend(melodies)
            return [list(PIECES)]

    evaluate(Spy(), PIECES)
    assert len(seen) == len(PIECES)
    assert all((melody.chord == -1).all() and not melody.chord_onset.any() and not melody.chords for melody in seen)


def test_an_answer_to_another_question_is_refused():
    with pytest.raises(ValueError, match="other"):
        Truth(PIECES).harmonise(PIECES[:2], [0])

    class Short:
        name, seeded = "short", False

        def harmonise(self, melodies, seeds):
            return [list(PIECES[:2])]

    with pytest.raises(ValueError, match="other pieces"):
        evaluate(Short(), PIECES)


def test_a_part_is_measured_alone(results):
    alone = part(results[1], PIECES, [1, 4])
    assert alone.values["harmony"] == [note_in_chord([run[1], run[4]]) for run in results[1].runs]


def test_markdown_and_json_agree(results):
    lines = to_markdown(results).splitlines()
    assert lines[0] == "| measure | truth | keyprior | viterbi |"
    assert len(lines) == 2 + len(COLUMNS)
    assert all(line.count("|") == 5 for line in lines)
    row = next(line for line in lines if line.startswith("| note in chord"))
    content = json.loads(json.dumps(table_json(results)))
    mean, spread = (100 * content["keyprior"]["harmony"][k] for k in ("mean", "spread"))
    assert f"{mean:.1f} ± {spread:.1f}" in row


def test_unknown_system():
    with pytest.raises(UnknownModel, match="nobody"):
        make_system("nobody", Setting(PIECES, list))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SIDEMAN_HOME", str(tmp_path))
    rows = [(f"{i}", "test" if i < 4 else "train", frames) for i, frames in enumerate(PIECES)]
    silent = encode(Song(chords=(ChordSpan(0.0, 4.0, Chord.make(0, (0, 4, 7))),)))
    make_pack("pop909", [*rows, ("silent", "test", silent)]).save(tmp_path / "data" / "pop909" / "cache.npz")
    make_pack("nottingham", rows[:5]).save(tmp_path / "data" / "nottingham" / "cache.npz")
    make_pack("openewld", rows[2:]).save(tmp_path / "data" / "openewld" / "cache.npz")
    return tmp_path


def test_pieces_are_chosen_by_split_and_collection(home):
    pack = load_packs(["pop909", "openewld"], home)
    chosen = select(pack, "test", ["pop909"])
    assert (chosen.ids, chosen.unusable) == (["0", "1", "2", "3"], 1)
    assert select(pack, "all").collections == ["pop909"] * 6 + ["openewld"] * 4
    assert select(pack, "test", limit=2).ids == ["0", "2", "2", "3"], "evenly spread over each collection"
    assert select(pack, "test").of("openewld") == [4, 5]
    long = make_pack("x", [("a", "test", piece(0, bars=40))])
    assert len(select(long, "test").truth[0]) == 256


def test_training_pieces_never_come_from_a_collection_kept_for_evaluation(home):
    assert len(training_pieces(load_packs(["pop909"], home), home)) == 2
    assert len(training_pieces(load_packs(["openewld"], home), home)) == 3, "those of pop909 and nottingham"


def test_wrong_calls(home):
    pack = load_packs(["pop909"], home)
    with pytest.raises(WrongValue, match="split"):
        select(pack, "tset")
    with pytest.raises(WrongValue):
        select(pack, "valid")
    with pytest.raises(WrongValue, match="collection"):
        load_packs(["pop"], home)
    with pytest.raises(UnreadableFile, match="not converted"):
        load_packs(["wikifonia"], home)


def test_a_choice_may_have_a_split_of_its_own():
    assert parse_choice("pop909, nottingham", "test") == Choice(("pop909", "nottingham"), "test")
    assert parse_choice("openewld:all", "test") == Choice(("openewld",), "all")
    assert parse_choice("", "valid").title == "all collections (valid)"


def comparison(home, names, collections, perturbation=None):
    pieces = select(load_packs(collections, home), "test")
    question = Question(names, seeds=2, perturbation=perturbation)
    return compare(", ".join(collections), pieces, lambda: PIECES, question, lambda _: None)


def test_report_is_complete(home, tmp_path):
    done = comparison(home, ("truth", "keyprior"), ["pop909", "openewld"])
    folder = tmp_path / "report"
    text = write_report(folder, [done], [], About(2, "somewhere")).read_text()
    pictures = {path.name for path in folder.glob("*.png")}
    assert len(pictures) == 8
    assert all(f"({name})" in text for name in pictures)
    assert all(column.meaning in text for column in COLUMNS)
    assert "### All measures, openewld" in text
    assert "Left out for want of a note or a chord there: 1." in text
    sets = json.loads((folder / "table.json").read_text())["sets"]
    assert set(sets["pop909, openewld"]["tables"]) == {"all", "pop909", "openewld"}


@pytest.fixture
def few_pictures(monkeypatch):
    """Drawing all of them once, in `test_report_is_complete`, is enough."""
    monkeypatch.setattr(report, "EXAMPLES", 1)
    monkeypatch.setattr(report, "_PICTURES", report._PICTURES[:1])


def test_report_of_two_sets_that_turn(home, tmp_path, few_pictures):
    turn = PERTURBATIONS["multiple_transpose"]
    sets = [comparison(home, ("truth", "viterbi"), [name], turn) for name in ("pop909", "nottingham")]
    folder = tmp_path / "report"
    text = write_report(folder, sets, [], About(2, "somewhere")).read_text()
    assert all(f"({name}/adaptation.png)" in text for name in ("pop909", "nottingham"))
    assert all((folder / name / "adaptation.png").is_file() for name in ("pop909", "nottingham"))
    assert "beats to recover (+6 at 8)" in text
    assert to_text(sets).count("| viterbi | 8 (+6) |") == 2
    found = to_json(sets)["nottingham"]
    assert [turn["beat"] for turn in found["truth"]["adaptation"]] == [8, 16, 24, 32]
    assert found["truth"]["adaptation"][0]["recovery"] == 0


def test_command(home, few_pictures):
    done = CliRunner().invoke(command, ["truth", "viterbi", "--collection", "pop909", "--seeds", "1"])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("| measure | truth | viterbi |\n")
    done = CliRunner().invoke(command, ["keyprior", "--collection", "openewld", "--limit", "2", "--json"])
    assert set(json.loads(done.stdout)) == {"keyprior"}
    pack = str(home / "data" / "pop909" / "cache.npz")
    done = CliRunner().invoke(command, ["truth", "--pack", pack, "--report", str(home / "out")])
    assert done.exit_code == 0, done.output
    assert (home / "out" / "report.md").is_file()
    assert "Vendi score is left out" in done.stderr
    done = CliRunner().invoke(command, ["truth", "--collection", "pop909", "--collection", "openewld:all", "--json"])
    assert list(json.loads(done.stdout)) == ["pop909 (test)", "openewld (all)"]


@pytest.mark.parametrize("call", [["nobody"], ["truth", "--split", "x"], ["truth", "--collection", "x"],
    ["truth", "--perturb", "x"], ["truth", "--partner", "x"], ["truth", "--encoder", "x"], ["truth", "--run", "x"],
    ["truth", "--judge", "x"], ["x:4"]])  # fmt: skip
def test_command_says_what_is_wrong(home, call):
    failed = CliRunner().invoke(command, call)
    assert isinstance(failed.exception, SidemanError)
    assert failed.exception.hint
