"""What a policy plays to validation pieces, in the figures that decide which checkpoint is kept."""

import math
from collections.abc import Callable

from sideman.models.online import OnlineModel
from sideman.music.frames import Frames
from sideman.music.measures import (
    chord_density,
    length_entropy,
    note_in_chord,
    onset_distance,
    pitch_classes_per_chord,
    silence,
)
from sideman.music.melody_measures import conjunct, note_density, note_length_entropy, rests
from sideman.music.vocabulary import PartName, Vocabulary
from sideman.train.batches import Batch
from sideman.train.samples import sampled_frames

Measures = dict[str, Callable[[list[Frames]], float]]
# What is measured of both the policy and people; silence is that of the part played, under the other one.
OF_CHORDS: Measures = {
    "note_in_chord": note_in_chord,
    "silence": silence,
    "length_entropy": length_entropy,
    "density": chord_density,
    "pitch_classes": pitch_classes_per_chord,
}
OF_MELODIES: Measures = {
    "note_in_chord": note_in_chord,
    "silence": rests,
    "length_entropy": note_length_entropy,
    "density": note_density,
    "conjunct": conjunct,
}


def played(model: OnlineModel, vocabulary: Vocabulary, batch: Batch, seed: int, part: PartName) -> dict[str, float]:
    """Figures of samples at temperature 1 within the grammar, the same draws every time; a figure that has nothing to
    measure is left out."""
    ours, truth = sampled_frames(model, vocabulary, batch, seed, part)
    measures = OF_CHORDS if part == "chord" else OF_MELODIES
    figures = {f"valid_{name}": measure(ours) for name, measure in measures.items()}
    if part == "chord":
        figures["valid_onset_distance"] = onset_distance(ours, truth)
    figures |= {f"truth_{name}": measure(truth) for name, measure in measures.items()}
    return {name: value for name, value in figures.items() if math.isfinite(value)}
