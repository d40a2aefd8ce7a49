"""What a network being trained plays: measures, MIDI files and a piano roll of its own chords."""

from importlib.util import find_spec
from pathlib import Path

import torch

from sideman.files import write_atomic
from sideman.formats.midi_write import write_midi
from sideman.models.decode import accompany_online, harmonise_offline, uniform
from sideman.models.offline import OfflineModel
from sideman.models.online import OnlineModel
from sideman.music.frames import Frames, decode
from sideman.music.measures import note_in_chord, silence
from sideman.music.melody_measures import rests
from sideman.music.vocabulary import PartName, Vocabulary
from sideman.train.batches import Batch, Tokens, single_form

RENDERED = 4


def sample_part(
    model: OnlineModel | OfflineModel,
    vocabulary: Vocabulary,
    batch: Batch,
    seed: int,
    part: PartName,
) -> Tokens:
    """Tokens int64 [B, T] of its part that the network gives to the other part of `batch`, at temperature 1."""
    device = next(model.parameters()).device
    draws = uniform(seed, *batch.melody.shape).to(device)
    form = torch.from_numpy(batch.form).to(device)
    if isinstance(model, OnlineModel):
        heard = torch.from_numpy(batch.both(part)[1]).to(device)
        out = accompany_online(model, vocabulary, heard, form, draws, part=part)
    else:
        given = torch.from_numpy(batch.single("melody" if part == "chord" else "chord")).to(device)
        form = torch.from_numpy(single_form(batch.form)).to(device)
        out = harmonise_offline(model, vocabulary, given, form, draws, part=part)
    return out.cpu().numpy()


def sampled_frames(
    model: OnlineModel | OfflineModel, vocabulary: Vocabulary, batch: Batch, seed: int, part: PartName
) -> tuple[list[Frames], list[Frames]]:
    """What the network's samples make of each piece, and the pieces as people wrote them."""
    played = sample_part(model, vocabulary, batch, seed, part)
    ours, truth = [], []
    for row, length in enumerate(batch.lengths):
        melody, chords, form = batch.melody[row, :length], batch.chords[row, :length], batch.form[row, :length]
        mine = played[row, :length]
        pair = (melody, mine) if part == "chord" else (mine, chords)
        ours.append(vocabulary.decode(*pair, form))
        truth.append(vocabulary.decode(melody, chords, form))
    return ours, truth


def sample_scores(
    model: OnlineModel | OfflineModel, vocabulary: Vocabulary, batch: Batch, seed: int, folder: Path, part: PartName
) -> dict[str, float]:
    """Note-in-chord and silence of samples next to the data; the first few are written to `folder`."""
    ours, truth = sampled_frames(model, vocabulary, batch, seed, part)
    _render(ours, truth, folder)
    return {
        "note_in_chord": note_in_chord(ours),
        "silence": silence(ours) if part == "chord" else rests(ours),
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
