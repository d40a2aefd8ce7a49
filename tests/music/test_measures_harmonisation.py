"""The six harmonisation measures against values worked out by hand."""

import math

import numpy as np
import pytest
from test_measures import song

from sideman.music import harmonisation
from sideman.music.frames import encode
from sideman.music.song import Song


def centroid(*pitch_classes):
    """The tonal centroid, written out once more and slowly: sums over the circles, L1-normalised."""
    out = [0.0] * 6
    for p in pitch_classes:
        for at, (radius, step) in enumerate([(1, 7 * math.pi / 6), (1, 3 * math.pi / 2), (0.5, 2 * math.pi / 3)]):
            out[2 * at] += radius * math.sin(p * step) / len(pitch_classes)
            out[2 * at + 1] += radius * math.cos(p * step) / len(pitch_classes)
    return np.array(out)


def test_tonal_centroid_of_c_major():
    # C: (0, 1, 0, 1, 0, .5). E: sin(14pi/3) = .866, cos = -.5; sin(6pi) = 0, 1; .5 sin(8pi/3) = .433, -.25.
    # G: sin(49pi/6) = .5, .866; sin(21pi/2) = 1, 0; .5 sin(14pi/3) = .433, -.25. The mean of the three:
    expected = [1.366 / 3, 1.366 / 3, 1 / 3, 2 / 3, 0.866 / 3, 0.0]
    assert harmonisation.tonal_centroid(np.array(0b10010001)) == pytest.approx(expected, abs=1e-3)


def test_the_closest_triads_are_the_related_ones():
    c = centroid(0, 4, 7)
    distance = {root: np.linalg.norm(c - centroid(root, (root + 4) % 12, (root + 7) % 12)) for root in range(12)}
    assert min((d, r) for r, d in distance.items() if r)[1] in (5, 7)
    assert max((d, r) for r, d in distance.items())[1] in (1, 6, 11)


def test_chord_histogram_entropy_and_coverage():
    frames = song("60:8", "C:4 F:2 G:2")  # shares 1/2, 1/4, 1/4
    assert harmonisation.chord_histogram_entropy(frames) == pytest.approx(1.5 * math.log(2))
    assert harmonisation.chord_coverage(frames) == 3.0


def test_chord_tonal_distance_averages_neighbours():
    frames = song("", "C:1 C:1 G:1")
    expected = (0 + np.linalg.norm(centroid(0, 4, 7) - centroid(7, 11, 2))) / 2
    assert harmonisation.chord_tonal_distance(frames) == pytest.approx(expected)


def test_chord_tone_ratio_forgives_steps():
    # Over C: C (tone), D (not, but a step from E: proper), E (tone), F (not, leaps to C), C (tone), A (not, last).
    # (3 + 1) / (3 + 3)
    frames = song("60:1 62:1 64:1 65:1 60:1 69:1", "C:6")
    assert harmonisation.chord_tone_ratio(frames) == pytest.approx(4 / 6)


def test_pitch_consonance():
    # G over C E G: fifth +1, minor third +1, unison +1 -> 1. F over C E G: fourth 0, minor second -1,
    # minor seventh -1 -> -2/3. The rest does not count. Two frames to one: (8 * 1 + 4 * -2/3) / 12.
    frames = song("67:2 65:1 -:1", "C:4")
    assert harmonisation.pitch_consonance(frames) == pytest.approx((8 - 8 / 3) / 12)


def test_melody_chord_distance_weighs_by_length():
    frames = song("60:3 61:1 -:2", "C:6")
    near, far = (np.linalg.norm(centroid(p) - centroid(0, 4, 7)) for p in (0, 1))
    assert harmonisation.melody_chord_distance(frames) == pytest.approx((3 * near + far) / 4)


@pytest.mark.parametrize("name", ["CHE", "CTD", "CTnCTR", "PCS", "MCTD"])
def test_without_chords_there_is_no_value(name):
    assert math.isnan(harmonisation.SIX[name](song("60:4", "")))
    assert math.isnan(harmonisation.SIX[name](encode(Song())))
