"""What a network being trained plays: measures, MIDI files and a piano roll of its own chords."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from sideman.files import write_atomic
from sideman.formats.midi_write import write_midi
from sideman.models.decode import accompany_online, harmonise_offline, uniform
from sideman.models.offline import OfflineModel
from sideman.models.online import OnlineModel
from sideman.music.frames import Frames, decode
from sideman.music.measures import note_in_chord, silence
from sideman.music.vocabulary import Vocabulary
from sideman.train.batches import Batch, single_form

RENDERED = 4


def sample_chords(
    model: OnlineModel | OfflineModel, vocabulary: Vocabulary, batch: Batch, seed: int, temperature: float = 1.0
) -> np.ndarray:
    """Chord tokens int64 [B, T] the network gives to the melodies of `batch`."""
    device = next(model.parameters()).device
    draws = uniform(seed, *batch.melody.shape).to(device)
    form = torch.from_numpy(batch.form).to(device)
    if isinstance(model, OnlineModel):
        melody = torch.from_numpy(batch.melody).to(device)
        out = accompany_online(model, vocabulary, melody, form, draws, temperature)
    else:
        melody = torch.from_numpy(batch.single("melody")).to(device)
        form = torch.from_numpy(single_form(batch.form)).to(device)
        out = harmonise_offline(model, vocabulary, melody, form, draws, temperature)
    return out.cpu().numpy()


def sample_scores(
    model: OnlineModel | OfflineModel, vocabulary: Vocabulary, batch: Batch, seed: int, folder: Path
) -> dict[str, float]:
    """Note-in-chord and silence of samples next to the data; the first few are written to `folder`."""
    chords = sample_chords(model, vocabulary, batch, seed)
    ours, truth = [], []
    for row, length in enumerate(batch.lengths):
        melody, form = batch.melody[row, :length], batch.form[row, :length]
        ours.append(vocabulary.decode(melody, chords[row, :length], form))
        truth.append(vocabulary.decode(melody, batch.chords[row, :length], form))
    _render(ours, truth, folder)
    return {
        "note_in_chord": note_in_chord(ours),
        "silence": silence(ours),
        "truth_note_in_chord": note_in_chord(truth),
    }


def _render(ours: list[Frames], truth: list[Frames], folder: Path) -> None:
    """MIDI files, and pictures where matplotlib is installed: training machines often lack it."""
    from sideman.formats.pianoroll import plot_pianoroll

    heard = [(mine, real) for mine, real in zip(ours, truth, strict=True) if (mine.melody >= 0).any()]
    for number, (mine, real) in enumerate(heard[:RENDERED]):
        write_atomic(folder / f"{number}.mid", write_midi(decode(mine)))
        if find_spec("matplotlib"):
            lanes = [("model", decode(mine).chords), ("data", decode(real).chords)]
            plot_pianoroll(mine, lanes, folder / f"{number}.png")
