"""Folders of sheets measured next to the pieces of a pack."""

from pathlib import Path

import numpy as np
import pytest
import torch
from toy_sheets import save_toy_sheets, toy_sheet

from sideman.data.sheets import load_sheet_pack
from sideman.errors import UnreadableFile, WrongValue
from sideman.evaluate.sheets import measure, read_sheets
from sideman.models.build import ModelFile, save_checkpoint
from sideman.models.judge import JudgeModel
from sideman.models.m3 import M3Config
from sideman.train.preference.rounds import table
from sideman.train.sheet_recipe import SheetDataConfig


@pytest.fixture
def judge(tmp_path: Path) -> str:
    torch.manual_seed(3)
    config = M3Config(16, 1, 2, 32, 64, 1)
    model = JudgeModel(config)
    with torch.no_grad():
        model.tower.encoder.table.weight.mul_(20)
    save_checkpoint(tmp_path / "judge", ModelFile("judge", music=config, trained={"recipe": "mine"}), model)
    return str(tmp_path / "judge")


def test_sets_next_to_real_pieces(tmp_path: Path, judge: str):
    pack = load_sheet_pack(save_toy_sheets(tmp_path, 16))
    copies = [pack.sheet(int(i)) for i in pack.pieces("train")[:3]]
    new = [toy_sheet(100 + n, 12).replace("G,,6", "G,,5", 1) for n in range(3)] + ["nothing"]
    for name, texts in (("copies", copies), ("new", new)):
        (tmp_path / name).mkdir()
        for number, text in enumerate(texts):
            (tmp_path / name / f"{number}.abc").write_text(text)
    sets = {name: read_sheets(tmp_path / name) for name in ("copies", "new")}
    rows, said = measure(sets, pack, SheetDataConfig("toy"), judge, tmp_path / "real.npz")
    assert said == "embedded judge (mine)"
    assert rows["copies"]["copied"] == 1.0
    assert rows["copies"]["uneven"] == 0
    assert rows["copies"]["overlap"] > rows["new"]["overlap"]
    assert (rows["new"]["pieces"], rows["new"]["lost"]) == (3, 1)
    assert rows["new"]["uneven"] == pytest.approx(1 / 12)
    assert rows["real"]["pieces"] == 4
    assert {*rows} == {"copies", "new", "real"}
    assert len(table(rows, said).splitlines()) == 4 + 3
    with np.load(tmp_path / "real.npz") as kept:
        assert kept["seen"].shape == (12, 16)
    with pytest.raises(WrongValue, match="holds no sheet"):
        measure({"none": ["nothing"]}, pack, SheetDataConfig("toy"), judge, tmp_path / "real.npz")


def test_a_folder_without_sheets_is_said(tmp_path: Path):
    with pytest.raises(UnreadableFile, match=r"no \.abc"):
        read_sheets(tmp_path)
    (tmp_path / "x.abc").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(UnreadableFile, match="no text"):
        read_sheets(tmp_path)
