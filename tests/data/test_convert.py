"""A whole conversion: every loss counted, the same cache from any number of processes, no half-written files."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sideman.data import convert as conversion
from sideman.data.collections import Collection
from sideman.data.convert import convert
from sideman.data.pack import load_pack
from sideman.data.report import load_report
from sideman.data.splits import split_of
from sideman.errors import UnreadableFile
from sideman.music.chord import Chord
from sideman.one_at_a_time import AtWork

TUNE = """X:{number}
T:Tune {number}
M:6/8
L:1/8
K:G
"G"GAB "D7"def|"C"g2e "D/f+"d3|"G"G6|]
"""


def test_counts_discards_losses_and_simplified_chords(toy: Callable[..., Collection], tmp_path: Path) -> None:
    toy()
    report = convert("toy", tmp_path, tmp_path / "home", workers=1)
    assert (report.pieces, report.converted, report.works) == (60, 51, 30)
    assert report.discarded == {"no chords": [f"s{n:03}" for n in range(60) if n % 7 == 3]}
    assert report.losses == {
        "grace note dropped": 102,
        "note moved back to its sixteenth": 102,
        "note on the same sixteenth as the next one, dropped": 51 * 2,
    }
    assert (report.notes, report.chords) == (51 * 3, 51 * 4)
    assert report.simplified == {"G7b9/F# -> G7b9": 51}
    assert (report.meters, report.keys) == ({"3/4": 51}, {"G major": 51})
    assert report.qualities == {"7b9": 51, "m7": 51, "major": 102}


def test_the_cache_holds_what_the_report_says(toy: Callable[..., Collection], tmp_path: Path) -> None:
    row = toy()
    report = convert("toy", tmp_path, tmp_path / "home", workers=1)
    folder = tmp_path / "home" / "data" / "toy"
    assert {p.name for p in folder.iterdir()} == {"cache.npz", "manifest.json", "report.md"}
    assert load_report(folder / "manifest.json") == report
    pack = load_pack(folder / "cache.npz")
    assert len(pack) == 51
    assert len(pack.melody) == report.frames
    assert {s: len(pack.pieces(s)) for s in ("train", "valid", "test")} == report.splits
    text = (folder / "report.md").read_text()
    assert row.licence in text
    for number in (3, 10, 59):
        assert (f"s{number:03}" in text) == (number % 7 == 3)


def test_versions_share_a_split_and_the_split_of_the_source_wins(
    toy: Callable[..., Collection], tmp_path: Path
) -> None:
    toy()
    convert("toy", tmp_path, tmp_path / "home", workers=1)
    pack = load_pack(tmp_path / "home" / "data" / "toy" / "cache.npz")
    found = {str(name): ("train", "valid", "test")[s] for name, s in zip(pack.ids, pack.split, strict=True)}
    for name, split in found.items():
        number = int(name[1:])
        assert split == ("test" if number % 10 == 0 else split_of("toy", f"w{number % 30}"))


def test_one_process_converts_a_collection_at_a_time(toy: Callable[..., Collection], tmp_path: Path) -> None:
    toy()
    home = tmp_path / "home"
    hold = "import sys; from pathlib import Path; from sideman.data.convert import one_conversion\n"
    hold += "with one_conversion('toy', Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", hold, home], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with pytest.raises(AtWork, match="A conversion of toy is under way in another process"):
        convert("toy", tmp_path, home, workers=1)
    assert not (home / "data" / "toy").exists(), "at once, before any work"
    other.kill()
    other.communicate()
    assert convert("toy", tmp_path, home, workers=1).converted == 51, "whoever is killed holds nothing"


def test_an_interrupt_leaves_the_old_cache_alone(
    toy: Callable[..., Collection], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy()
    convert("toy", tmp_path, tmp_path / "home", workers=1)
    before = {p.name: p.read_bytes() for p in (tmp_path / "home" / "data" / "toy").iterdir()}

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(conversion, "_prepare", interrupted)
    with pytest.raises(KeyboardInterrupt):
        convert("toy", tmp_path, tmp_path / "home", workers=1)
    assert {p.name: p.read_bytes() for p in (tmp_path / "home" / "data" / "toy").iterdir()} == before


def test_a_collection_of_which_nothing_is_left_is_an_error(
    toy: Callable[..., Collection], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy()
    monkeypatch.setattr(sys.modules["sideman.data.toy"], "pieces", lambda root: ["s003", "s017"])
    with pytest.raises(UnreadableFile, match="No piece of toy"):
        convert("toy", tmp_path, tmp_path / "home", workers=1)
    assert list((tmp_path / "home" / "data" / "toy").iterdir()) == []


def test_two_processes_make_the_same_cache_as_one(tmp_path: Path) -> None:
    folder = tmp_path / "tunes" / "ABC_cleaned"
    folder.mkdir(parents=True)
    (folder / "jigs.abc").write_text("\n".join(TUNE.format(number=n) for n in range(1, 41)))
    (folder / "bare.abc").write_text("X:1\nT:No chords\nM:4/4\nK:C\nCDEF|GABc|]\n")
    reports = [convert("nottingham", tmp_path / "tunes", tmp_path / str(n), workers=n) for n in (1, 2)]
    assert reports[0] == reports[1]
    assert reports[0].converted == 40
    assert reports[0].discarded == {"no chords": ["bare:1"]}
    one, two = (load_pack(tmp_path / str(n) / "data" / "nottingham" / "cache.npz") for n in (1, 2))
    assert one.ids.tolist() == two.ids.tolist() == [f"jigs:{n}" for n in range(1, 41)]
    assert np.array_equal(one.melody, two.melody)
    assert (tmp_path / "1/data/nottingham/cache.npz").read_bytes() == (
        tmp_path / "2/data/nottingham/cache.npz"
    ).read_bytes()


def test_hooktheory_from_its_one_file_keeps_its_own_splits(tmp_path: Path) -> None:
    chord = {"onset": 0, "offset": 4, "root_pitch_class": 7, "root_position_intervals": [4, 3, 3], "inversion": 1}
    entries = {
        f"id{n}": {
            "tags": ["MELODY", "HARMONY"] if n else ["MELODY"],
            "split": ("TRAIN", "VALID", "TEST")[n % 3],
            "hooktheory": {"id": f"id{n}", "artist": "a", "song": f"s{n}", "annotators": [], "urls": {"song": "u"}},
            "annotations": {
                "num_beats": 4,
                "meters": [{"beat": 0, "beats_per_bar": 4, "beat_unit": 4}],
                "keys": [{"beat": 0, "tonic_pitch_class": 0, "scale_degree_intervals": [2, 2, 1, 2, 2, 2]}],
                "melody": [{"onset": 1, "offset": 1.5, "octave": -1, "pitch_class": 11}],
                "harmony": [chord],
            },
        }
        for n in range(9)
    }
    (tmp_path / "copy.json.gz").write_bytes(gzip.compress(json.dumps(entries).encode()))
    report = convert("hooktheory", tmp_path / "copy.json.gz", tmp_path / "home", workers=1)
    assert report.splits == {"train": 2, "valid": 3, "test": 3}
    assert sum(map(len, report.discarded.values())) == 1
    pack = load_pack(tmp_path / "home" / "data" / "hooktheory" / "cache.npz")
    assert pack.symbols == (Chord.parse("G7/B"),)
    assert pack.frames(0).melody.tolist()[3:7] == [-1, 59, 59, -1]


def test_a_folder_without_any_piece_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnreadableFile, match="empty"):
        convert("nottingham", tmp_path / "empty", tmp_path / "home", workers=1)
    assert [path.suffix for path in (tmp_path / "home").rglob("*") if path.is_file()] in ([], [".lock"])
