"""Pieces by a checkpoint: those that end, those that are given up, and none when it has to stop."""

from pathlib import Path

import pytest
import torch
from toy_music import RECIPES

from sideman.compose.actions import Piece, Say, Write
from sideman.compose.free import free
from sideman.evaluate.sheet_writer import SheetWriter, counted, limited
from sideman.models.build import ModelFile, build, save_checkpoint
from sideman.models.sheet import SheetModel
from sideman.music.sheet.patches import split
from sideman.music.sheet.prompts import Prompt
from sideman.train.ensemble import load_trainable
from sideman.train.preference.choose import is_aligned
from sideman.train.preference.recipe import SamplingConfig
from sideman.train.sheet_recipe import SheetRecipe


@pytest.fixture
def checkpoint(tmp_path: Path, one_thread: None) -> Path:
    recipe = load_trainable(RECIPES / "toy" / "sheet.yaml")
    assert isinstance(recipe, SheetRecipe)
    file = ModelFile("sheet", sheet=recipe.model, trained={"window": 64})
    torch.manual_seed(1)
    model = build(file)
    assert isinstance(model, SheetModel)
    save_checkpoint(tmp_path / "checkpoint", file, model)
    return tmp_path / "checkpoint"


def test_a_piece_that_does_not_end_is_given_up(checkpoint: Path):
    """Random weights never write the patch that ends a piece."""
    write = SheetWriter()
    assert write(checkpoint, [Prompt(), Prompt()], [1, 2], SamplingConfig(longest=40)) == ["", ""]


def test_with_constraints_even_random_weights_write_a_piece_that_may_be_chosen(checkpoint: Path):
    (text,) = SheetWriter()(checkpoint, [Prompt()], [1], SamplingConfig(bars=2, constrained=True))
    assert is_aligned(text)
    assert len(split(text)[1]) == 2


def test_what_has_to_stop_writes_nothing(checkpoint: Path):
    asked = iter(["", "", "time"])
    assert SheetWriter()(checkpoint, [Prompt()], [1], SamplingConfig(), lambda: next(asked)) == []


def talk(turns: int) -> Piece:
    """Says ten characters and asks for a patch, so many times; says what it was sent."""
    for _ in range(turns):
        ids = yield Write()
        yield Say(f"{ids[0] if ids else 0:010}")
    return "end"


def told(piece: Piece) -> tuple[list[str], str]:
    said: list[str] = []
    answer = None
    while True:
        try:
            request = piece.send(answer)
        except StopIteration as ended:
            return said, ended.value
        said += [request.text] if isinstance(request, Say) else []
        answer = (len(said),) if isinstance(request, Write) else None


def test_a_limited_piece_is_the_piece_until_it_is_too_long():
    assert told(limited(talk(5), 50)) == told(talk(5))
    said, why = told(limited(talk(5), 35))
    assert (said, why) == (told(talk(4))[0], "long")


def test_a_counted_piece_begins_with_how_many_bars_are_left():
    """The first tag is given as far as the closing bracket; all else is the free piece's own."""
    patch = (*b"[r:0/23][V:1]c4|",)
    for bars, opened in ((24, b"[r:0/23]"), (None, b"[r:0/")):
        piece = counted(free("L:1/8\n", 32), bars)
        requests = [piece.send(answer) for answer in (None, None, None, patch, None, patch)]
        writes = [request.opened for request in requests if isinstance(request, Write)]
        assert writes[:2] == [(), tuple(opened)]
        said = "".join(request.text for request in requests if isinstance(request, Say))
        assert said == "L:1/8\n[r:0/23][V:1]c4|"
