"""What a policy plays to validation melodies, in the figures that decide which checkpoint is kept."""

import math

from sideman.models.online import OnlineModel
from sideman.music.measures import (
    chord_density,
    length_entropy,
    note_in_chord,
    onset_distance,
    pitch_classes_per_chord,
    silence,
)
from sideman.music.vocabulary import Vocabulary
from sideman.train.batches import Batch
from sideman.train.samples import sample_chords


def played(model: OnlineModel, vocabulary: Vocabulary, batch: Batch, seed: int) -> dict[str, float]:
    """Figures of samples at temperature 1 within the grammar, the same draws every time; a figure that has nothing to
    measure is left out."""
    chords = sample_chords(model, vocabulary, batch, seed)
    ours, truth = [], []
    for row, length in enumerate(batch.lengths):
        melody, form = batch.melody[row, :length], batch.form[row, :length]
        ours.append(vocabulary.decode(melody, chords[row, :length], form))
        truth.append(vocabulary.decode(melody, batch.chords[row, :length], form))
    figures = {
        "valid_note_in_chord": note_in_chord(ours),
        "valid_silence": silence(ours),
        "valid_length_entropy": length_entropy(ours),
        "valid_pitch_classes": pitch_classes_per_chord(ours),
        "valid_density": chord_density(ours),
        "valid_onset_distance": onset_distance(ours, truth),
        "truth_note_in_chord": note_in_chord(truth),
        "truth_length_entropy": length_entropy(truth),
        "truth_pitch_classes": pitch_classes_per_chord(truth),
        "truth_density": chord_density(truth),
    }
    return {name: value for name, value in figures.items() if math.isfinite(value)}
