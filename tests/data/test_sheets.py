"""Packs of sheets, and what a trainer draws from them."""

from collections import Counter

import numpy as np
import pytest

from sideman.data.sheets import (
    SheetPieces,
    SheetRow,
    draw_key,
    load_sheet_pack,
    make_sheet_pack,
    merge_sheet_packs,
)
from sideman.errors import UnreadableFile
from sideman.music.sheet.patches import decode
from sideman.music.sheet.prompts import Prompt, without_prompt
from sideman.music.sheet.transpose import global_key

SCHUBERT = Prompt("Romantic", "Schubert, Franz", "Art Song")


def sheet(key: str, bars: int = 2) -> str:
    return f"L:1/8\nK:{key}\nV:1 treble\n" + "[V:1]c4|\n" * bars


@pytest.fixture
def pack():
    songs = [
        SheetRow("a/1", "train", "a", "One", SCHUBERT, sheet("Eb")),
        SheetRow("a/2", "valid", "b", "Two", Prompt("Romantic", "Lang, Josephine", "Art Song"), sheet("Am", 40)),
    ]
    tunes = [SheetRow("jigs:1", "train", "jig", "Jig", Prompt(), sheet("D"))]
    return merge_sheet_packs([make_sheet_pack("lieder", songs), make_sheet_pack("tunes", tunes)])


def test_what_is_saved_is_loaded(pack, tmp_path):
    pack.save(tmp_path / "sheets.npz")
    again = load_sheet_pack(tmp_path / "sheets.npz")
    assert [again.sheet(i) for i in range(3)] == [sheet("Eb"), sheet("Am", 40), sheet("D")]
    assert again.prompt(0) == SCHUBERT
    assert again.ids.tolist() == ["a/1", "a/2", "jigs:1"]
    assert again.pieces("train").tolist() == [0, 2]
    assert again.pieces("train", ["tunes"]).tolist() == [2]
    assert again.pieces(None, [], ["Schubert, Franz"]).tolist() == [0]
    assert again.collections[again.collection].tolist() == ["lieder", "lieder", "tunes"]


def test_a_file_that_is_no_pack(tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"PK")
    with pytest.raises(UnreadableFile, match="not a readable pack"):
        load_sheet_pack(tmp_path / "bad.npz")
    with pytest.raises(UnreadableFile, match="no pack"):
        load_sheet_pack(tmp_path / "none.npz")


def test_without_chance_a_piece_is_always_the_same(pack):
    pieces = SheetPieces(pack, "train", 64)
    text = decode(pieces.patches(0))
    assert text.startswith("%Romantic\n%Schubert, Franz\n%Art Song\n%end\nL:1/8\nK:Eb\n")
    assert text.endswith("[r:0/1][V:1]c4|\n[r:1/0][V:1]c4|\n")
    assert without_prompt(text).startswith("L:1/8")
    assert decode(pieces.patches(1)).startswith("L:1/8")
    assert decode(SheetPieces(pack, "train", 64, prompts=False).patches(0)).startswith("L:1/8")


def test_an_epoch_moves_and_crops(pack):
    pieces = SheetPieces(pack, "valid", 30)
    keys, starts = set(), set()
    for seed in range(60):
        (patches,) = pieces.epoch(np.random.default_rng(seed))
        assert len(patches) <= 30
        text = decode(patches)
        keys.add(text.split("K:")[1].split("\n")[0])
        starts.add(text.split("[r:")[1].split("/")[0])
    assert {"Am", "Abm", "Ebm"} < keys
    assert len(starts) > 5


@pytest.mark.parametrize("home", ["C", "Am", "Eb"])
def test_near_keys_are_likelier(home):
    rng = np.random.default_rng(0)
    drawn = Counter(draw_key(sheet(home), "near", rng) for _ in range(4000))
    semitones = {name: (pitch(name) - pitch_of(home) + 6) % 12 - 6 for name in drawn}
    by_distance = Counter(dict.fromkeys(range(-3, 4), 0))
    for name, count in drawn.items():
        by_distance[semitones[name]] += count
    assert set(by_distance) == set(range(-3, 4))
    for distance, weight in zip(range(-3, 4), (1, 2, 3, 4, 3, 2, 1), strict=True):
        assert abs(by_distance[distance] / 4000 - weight / 16) < 0.03


def pitch(name: str) -> int:
    return {"Cb": 11, "C": 0, "C#": 1, "Db": 1, "D": 2, "Eb": 3, "E": 4, "F": 5, "F#": 6, "Gb": 6, "G": 7, "Ab": 8,
            "A": 9, "Bb": 10, "B": 11}[name]  # fmt: skip


def pitch_of(home: str) -> int:
    return global_key(sheet(home)).signature * 7 % 12
