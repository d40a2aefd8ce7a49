"""Reward networks as measures: the windows they hear, the Vendi score, and where they are looked for."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sideman.errors import UnknownModel, WrongValue
from sideman.evaluate import judging
from sideman.evaluate.judging import default_encoder, load_encoder, load_judge, reward_column, vendi_columns
from sideman.models.build import ModelFile, build, save_checkpoint
from sideman.models.reward import RewardConfig, framed
from sideman.models.transformer import StackConfig
from sideman.music.chord import Chord
from sideman.music.frames import Frames, encode
from sideman.music.measures import vendi
from sideman.music.song import ChordSpan, Note, Song
from sideman.music.vocabulary import PAD, own_vocabulary

WINDOW = 32
STACK = StackConfig(16, 1, 1, 16, 24, rotary_width=16, causal=False, dropout=0.0)


def save(folder: Path, kind="contrastive", rhythm=False) -> Path:
    config = RewardConfig(own_vocabulary().size, STACK, rhythm=rhythm, pitch_classes=not rhythm)
    file = ModelFile(kind, reward=config, trained={"window": WINDOW, "recipe": folder.name})
    torch.manual_seed(3)
    save_checkpoint(folder, file, build(file))
    return folder


def piece(symbols: str, beats: int = 4) -> Frames:
    """A chord a bar, `-` for none, over a rising melody; `beats` in all."""
    spans = [ChordSpan(4.0 * i, 4.0, Chord.parse(name)) for i, name in enumerate(symbols.split()) if name != "-"]
    return encode(Song(tuple(Note(float(i), 1.0, 60 + i) for i in range(beats)), tuple(spans)), 4 * beats)


@pytest.fixture
def encoder(tmp_path):
    return load_encoder(save(tmp_path / "judge" / "best").parent)


def test_a_piece_is_heard_in_windows(encoder):
    """60 frames: a window of 32 and one of 28; 44: the 12 left are less than half; 12 alone are heard."""
    lengths = [
        [int((chords != PAD).sum()) for _, chords in encoder._windows(piece("C", beats))] for beats in (15, 11, 3)
    ]
    assert lengths == [[32, 28], [32], [12]]


def test_reward_and_embedding_are_those_of_the_windows(encoder):
    frames = piece("C F G7 Am", 16)
    judged = encoder.judge([piece("Dm", 4), frames])[1]
    melody, chords = (torch.from_numpy(x.astype(np.int64)) for x in own_vocabulary().encode(frames))
    with torch.inference_mode():
        parts = [framed(x.view(2, WINDOW)) for x in (melody, chords)]
        heard, played, _ = encoder.model(*parts)
    assert judged.reward == pytest.approx(float((heard * played).sum(-1).mean()), abs=1e-5)
    mean = played.mean(0).numpy()
    np.testing.assert_allclose(judged.embedding, mean / np.linalg.norm(mean), atol=1e-5)


def test_silent_windows_and_pieces_have_no_embedding(encoder):
    half, whole = piece("C F - -", 16), piece("C F", 8)
    np.testing.assert_allclose(encoder.embed([half]), encoder.embed([whole]), atol=1e-6)
    assert encoder.embed([piece("- -", 8), half]).shape == (1, STACK.width)
    assert np.isnan(vendi(encoder.embed([piece("- -", 8)])))


def test_what_was_judged_is_remembered(encoder, monkeypatch):
    frames = piece("C F", 8)
    first = encoder.judge([frames])
    monkeypatch.setattr(encoder, "_ask", None)
    assert encoder.judge([frames, frames]) == first * 2


def test_columns(encoder, tmp_path):
    pieces = [piece("C F G7 Am", 16), piece("Dm G7", 8), piece("Ebm Bdim", 8)]
    score, share = (column.value for column in vendi_columns(encoder))
    assert score(pieces, pieces) == pytest.approx(vendi(encoder.embed(pieces)))
    assert 1.0 < score(pieces, pieces) <= 3.0
    assert share(pieces, pieces) == pytest.approx(1.0)
    assert score(pieces[:1] * 3, pieces) == pytest.approx(1.0), "three times the same is one"
    probability = reward_column(load_judge(save(tmp_path / "match", "discriminative")))
    assert probability.unit == "probability"
    assert 0 < probability.value(pieces, pieces) < 1


def test_only_a_contrastive_network_that_hears_pitch_embeds(tmp_path):
    for folder in (save(tmp_path / "rhythm", rhythm=True), save(tmp_path / "match", "discriminative")):
        with pytest.raises(WrongValue, match=folder.name):
            load_encoder(folder)
    with pytest.raises(UnknownModel, match="nowhere"):
        load_judge(tmp_path / "nowhere")


def test_the_default_is_what_is_here(tmp_path, monkeypatch):
    monkeypatch.setattr(judging, "DEFAULT_ENCODERS", (tmp_path / "a", tmp_path / "b"))
    assert default_encoder() is None
    save(tmp_path / "b" / "last")
    assert default_encoder() == tmp_path / "b"
