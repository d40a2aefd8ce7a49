"""Scores -> sheets: what is known about them, what is discarded and why, and the commands."""

import json
import tarfile
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from sideman.cli_data import data
from sideman.data import nottingham_sheets, openscore
from sideman.data.sheet_convert import convert_sheets
from sideman.data.sheets import load_sheet_pack
from sideman.errors import BadSheet, UnreadableFile, WrongValue
from sideman.music.sheet.prepare import prepare
from sideman.music.sheet.prompts import Prompt
from sideman.music.sheet.rests import complete

ARCHIVE = Path(__file__).parents[3] / "shared" / "data" / "nottingham.tar.gz"
SONG = """<score-partwise version="4.0">
<part-list><score-part id="P1"><part-name>Voice</part-name></score-part></part-list>
<part id="P1">{}</part></score-partwise>"""
BAR = """<measure number="{number}"><attributes><divisions>1</divisions><key><fifths>{fifths}</fifths></key>
<time><beats>4</beats><beat-type>4</beat-type></time><clef><sign>G</sign><line>2</line></clef></attributes>
<note><pitch><step>{step}</step><octave>4</octave></pitch><duration>4</duration><voice>1</voice><type>whole</type></note>
</measure>"""
TUNE = """X:1
T:Proof, The
M:6/8
K:G
P:A
B|"G"G2A "D/f+"(2FA "Gd"B|[1 "C""Em"[C2E2]2 c4:|[2 (3abc g3\\
K:D
M:2/4
L:1/4
"(D7)"FF "x"F> G
"""


def song(fifths: int = 0, step: str = "C", numbers: str = "12") -> str:
    return SONG.format("".join(BAR.format(number=n, fifths=fifths, step=step) for n in numbers))


@pytest.fixture
def root(tmp_path):
    scores = tmp_path / "source" / "scores"
    for place, text in {
        "Hensel,_Fanny/6_Lieder,_Op.1/1_Schwanenlied/lc1": song(1),
        "Hensel,_Fanny/6_Lieder,_Op.1/2_Wanderlied/lc2": song(2, "G", "1212"),
        "Nobody,_Known/_/Lied/lc3": song(0, "E"),
        "Nobody,_Known/_/Lied_again/lc4": song(0, "E"),
        "Schröter,_Corona/_/Für_Männer/lc5": "<score-partwise/>",
    }.items():
        folder = scores / place.rpartition("/")[0]
        folder.mkdir(parents=True)
        (scores / f"{place}.mxl").write_text(text)
    data = tmp_path / "source" / "data"
    data.mkdir()
    (data / "scores.tsv").write_text("id\tpath\tname\n1\tanywhere\tWarum sind denn die Rosen so blaß\n")
    (data / "composers.tsv").write_text(
        "id\tpath\tborn\tdied\n7\tHensel,_Fanny_(Mendelssohn)\t1805\t1847\n8\tSchröter,_Corona\t\t1802\n"
    )
    return tmp_path / "source"


def test_songs_with_what_is_known_about_them(root, tmp_path):
    report = convert_sheets("openscore-lieder", root, tmp_path / "home", workers=1)
    pack = load_sheet_pack(tmp_path / "home" / "data" / "openscore-lieder" / "sheets.npz")
    assert pack.ids.tolist() == ["lc1", "lc2/1", "lc3"]
    assert pack.titles.tolist()[:2] == ["Warum sind denn die Rosen so blass", "2 Wanderlied"]
    assert pack.prompt(0) == Prompt("Romantic", "Hensel, Fanny", "Art Song")
    assert pack.prompt(2) == Prompt("", "Nobody, Known", "Art Song")
    assert pack.works.tolist() == ["Hensel,_Fanny/6_Lieder,_Op.1"] * 2 + ["Nobody,_Known/_/Lied"]
    assert pack.split[0] == pack.split[1]
    assert pack.sheet(0).startswith("L:1/8\nM:4/4\nK:G\nV:1 treble")
    assert report.discarded == {
        "the same music as another piece": ["lc2/2", "lc4"],
        "unreadable: unreadable_file": ["lc5"],
    }
    assert (report.scores, report.pieces, report.works, report.bars, report.uneven_bars) == (5, 3, 2, 6, 0)
    folder = tmp_path / "home" / "data" / "openscore-lieder"
    assert "the same music as another piece (2): lc2/2, lc4" in (folder / "sheets.md").read_text()
    assert msgspec.json.decode((folder / "sheets.json").read_bytes())["composers"] == {
        "Hensel, Fanny": 2,
        "Nobody, Known": 1,
    }


def test_processes_change_nothing(root, tmp_path):
    alone = convert_sheets("openscore-lieder", root, tmp_path / "one", workers=1)
    assert convert_sheets("openscore-lieder", root, tmp_path / "two", workers=2) == alone
    packs = [(tmp_path / home / "data" / "openscore-lieder" / "sheets.npz").read_bytes() for home in ("one", "two")]
    assert packs[0] == packs[1]


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("Hensel,_Fanny_(Mendelssohn)", "Hensel, Fanny"),
        ("Barnard,_Charlotte_Alington_-_aka_Claribel", "Barnard, Charlotte Alington"),
        ("Faisst,_Clara_Mathilda", "Faisst, Clara"),
        ("Dvořák,_Antonín", "Dvorak, Antonin"),
        ("Poldowski", "Poldowski"),
    ],
)
def test_composers(folder, name):
    assert openscore.composer_name(folder) == name


def test_a_period_where_only_the_death_is_known(root):
    assert openscore._period(root, "Schroter, Corona") == "Classical"
    assert openscore._period(root, "Nobody, Known") == ""


def test_a_folder_without_scores(tmp_path):
    with pytest.raises(UnreadableFile, match="no scores"):
        convert_sheets("openscore-quartets", tmp_path, tmp_path, workers=1)


def test_a_tune_is_made_regular():
    standard = nottingham_sheets.standard(TUNE)
    assert standard == (
        "L:1/8\nM:6/8\nK:G\nV:1 treble\nV:1\n"
        'B|"G"G2A "D/F#"(2:3:2FA "Gdim"B|1 "C"[CE]4 c4:|2 (3abc g3\n'
        '[K:D][M:2/4]"D7"F2F2 F2> G2\n'
    )
    assert prepare(standard).splitlines()[4:] == [
        "[V:1]B|",
        '[V:1]"G"G2A "D/F#"(2:3:2FA "Gdim"B|1',
        '[V:1]"C"[CE]4 c4:|2',
        '[V:1](3abc g3 [K:D][M:2/4]"D7"F2F2 F2> G2|',
    ]


def test_lengths_without_a_unit_follow_the_metre():
    assert nottingham_sheets.standard("X:1\nM:2/4\nK:C\nA2B/c3/|\n").endswith("AB/4c3/4|\n")


def test_the_tunes_of_the_archive(tmp_path):
    if not ARCHIVE.exists():
        pytest.skip(f"needs {ARCHIVE.name} in ../shared/data")
    with tarfile.open(ARCHIVE) as packed:
        packed.extractall(tmp_path, filter="data")
    root = tmp_path
    for piece_id in nottingham_sheets.scores(root)[::60]:
        (piece,) = nottingham_sheets.sheets(root, piece_id)
        text = prepare(piece.abc)
        assert complete(text) == text
    with pytest.raises(WrongValue):
        nottingham_sheets.sheets(root, "jigs:999")


def run(*arguments: str) -> str:
    result = CliRunner().invoke(data, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


def test_convert_and_pack_by_command(root, tmp_path, monkeypatch):
    monkeypatch.setenv("SIDEMAN_HOME", str(tmp_path / "home"))
    assert "3 pieces from 5 scores" in run("convert", "openscore-lieder", "--source", str(root), "--workers", "1")
    tunes = tmp_path / "ABC_cleaned"
    tunes.mkdir()
    (tunes / "mine.abc").write_text(TUNE)
    assert "1 pieces from 1 scores" in run(
        "convert", "nottingham", "--sheets", "--source", str(tmp_path), "--workers", "1"
    )
    output = str(tmp_path / "sheets.npz")
    assert "4 pieces" in run("pack", "--sheets", "openscore-lieder", "nottingham", "-o", output)
    assert load_sheet_pack(tmp_path / "sheets.npz").collections.tolist() == ["openscore-lieder", "nottingham"]
    assert "openscore-lieder   converted" in run("list")


def test_the_files_of_notagen(root, tmp_path, monkeypatch):
    monkeypatch.setenv("SIDEMAN_HOME", str(tmp_path / "home"))
    files = tmp_path / "files"
    said = run("convert", "openscore-lieder", "--source", str(root), "--workers", "1", "--files", str(files))
    assert "3 pieces in fifteen keys" in said
    assert len(list((files / "augmented").glob("*/*.abc"))) == 45
    text = (files / "augmented" / "Gb" / "lc2_1_Gb.abc").read_text()
    assert text.startswith("%Romantic\n%Hensel, Fanny\n%Art Song\n%end\nL:1/8\nM:4/4\nK:Gb\n")
    assert (files / "interleaved" / "lc2_1.abc").read_text().startswith("L:1/8\nM:4/4\nK:D\n")
    rows = [json.loads(line) for line in (files / "augmented.jsonl").read_text().splitlines()]
    assert rows[1] == {"path": f"{files.as_posix()}/augmented/lc2_1", "key": "D"}
    parts = [(files / f"augmented_{part}.jsonl").read_text().splitlines() for part in ("train", "eval")]
    pack = load_sheet_pack(tmp_path / "home" / "data" / "openscore-lieder" / "sheets.npz")
    assert [len(part) for part in parts] == [len(pack.pieces("train")), len(pack.pieces("valid"))]


def test_songs_and_sheets_are_not_mixed_up():
    result = CliRunner().invoke(data, ["convert", "pop909", "--sheets"])
    assert result.exit_code == 2
    assert "no sheet music" in result.output
    for words in (
        ["convert", "openscore-lieder", "--jsonl", "x"],
        ["convert", "pop909", "--files", "x"],
        ["pack", "openscore-lieder", "-o", "x.npz"],
        ["pack", "--sheets", "pop909", "-o", "x.npz"],
        ["stats", "openscore-lieder"],
    ):
        result = CliRunner().invoke(data, words)
        assert result.exit_code == 2
        assert "Error" in result.output


def test_sheet_text_without_a_key():
    with pytest.raises(BadSheet, match="no key"):
        prepare("L:1/8\nV:1\nV:1\nc|\n")
