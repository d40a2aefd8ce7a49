"""A picture of a melody and the chord progressions proposed for it: piano roll on top, one lane each below.

Chord blocks are coloured by root, neighbours on the circle of fifths in neighbouring hues; minor and
diminished chords are a shade deeper. The suffix of the path (.png, .svg, .pdf) chooses the format.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sideman.errors import EmptyMelody, MissingExtra, WrongValue
from sideman.files import write_atomic
from sideman.music.chord import Chord
from sideman.music.frames import Frames, decode, encode
from sideman.music.measures import bar_starts
from sideman.music.metre import FRAMES_PER_BEAT, bar_lines
from sideman.music.pitch import Key, pitch_name
from sideman.music.song import ChordSpan, Note, Song
from sideman.music.tonality import estimate_key

Progression = tuple[str, Song | Sequence[ChordSpan]]

INK, GREY, RULE, SHADE, NOTE = "#1f2430", "#767d8c", "#d9dde5", "#f5f6f9", "#34507f"
_SUFFIXES = (".png", ".svg", ".pdf")
_STYLE: dict[Any, Any] = {
    "font.family": "sans-serif", "font.size": 9, "text.color": INK, "axes.edgecolor": RULE, "axes.linewidth": 0.8,
    "xtick.color": GREY, "ytick.color": GREY, "svg.fonttype": "none", "svg.hashsalt": "sideman",
}  # fmt: skip
_LANE_INCHES, _SEMITONE_INCHES, _MARGIN_INCHES = 0.46, 0.105, 0.62
_MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)
# OKLab to cone responses (their cube roots), and cone responses to linear sRGB.
_CONES_OF_LAB = np.array([
    [1, 0.3963377774, 0.2158037573],
    [1, -0.1055613458, -0.0638541728],
    [1, -0.0894841775, -1.2914855480],
])  # fmt: skip
_LINEAR_OF_CONES = np.array([
    [4.0767416621, -3.3077115913, 0.2309699292],
    [-1.2684380046, 2.6097574011, -0.3413193965],
    [-0.0041960863, -0.7034186147, 1.7076147010],
])  # fmt: skip


@dataclass(frozen=True)
class _Sheet:
    """What the drawing needs of a melody: times in beats; `bars` are (onset, bar number), a pickup is number 0."""

    notes: tuple[Note, ...]
    beats: float
    bars: tuple[tuple[float, int], ...]
    key: Key
    title: str


def plot_pianoroll(melody: Frames | Song, progressions: Sequence[Progression], path: Path) -> None:
    """Draw `melody` over `progressions`, each (label, chords).

    A label may have two lines: the first is set in bold (a rank, a name), the second small (a score).
    Raises EmptyMelody, MissingExtra, WrongValue for a suffix we cannot write.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise WrongValue(f"A picture cannot be written as '{path.suffix}'.", f"Use one of {', '.join(_SUFFIXES)}.")
    lanes = [(label, chords.chords if isinstance(chords, Song) else tuple(chords)) for label, chords in progressions]
    sheet = _sheet(melody, lanes)
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("Drawing a piano roll", "train") from None
    with matplotlib.rc_context(_STYLE):
        figure = Figure(dpi=160, facecolor="white")
        FigureCanvasAgg(figure)
        top, bottom = _layout(figure, sheet, [label for label, _ in lanes])
        _draw_melody(top, sheet)
        if bottom is not None:
            _draw_lanes(bottom, sheet, lanes)
        _draw_beats(top if bottom is None else bottom)
        stream = io.BytesIO()
        metadata = {"Date": None} if path.suffix.lower() == ".svg" else None  # the same input, the same file
        figure.savefig(stream, format=path.suffix[1:].lower(), metadata=metadata)
    write_atomic(path, stream.getvalue())


def root_colour(chord: Chord) -> tuple[float, float, float]:
    """Fill colour (sRGB, 0..1) of a chord: hue by the circle of fifths, deeper for minor and diminished ones."""
    hue = 2 * np.pi * ((chord.root * 7 % 12) / 12 + 0.09)
    minor = bool(chord.mask >> 3 & 1) and not chord.mask >> 4 & 1
    return _from_oklch(0.80 if minor else 0.88, 0.085, hue)


def pretty_symbol(chord: Chord, key: Key | None = None) -> str:
    """The chord symbol with real flat and sharp signs."""
    return chord.name(key).replace("b", "♭").replace("#", "♯")


def _sheet(melody: Frames | Song, lanes: Sequence[tuple[str, Sequence[ChordSpan]]]) -> _Sheet:
    frames = melody if isinstance(melody, Frames) else encode(melody)
    song = melody if isinstance(melody, Song) else decode(melody)
    if not song.notes:
        raise EmptyMelody("The melody has no notes to draw.")
    ends = [span.offset for _, spans in lanes for span in spans]
    beats = max([song.notes[-1].offset, *ends])
    if isinstance(melody, Song):
        onsets = [onset for onset, _, _ in bar_lines(melody.meters, beats)]
        pickup = sum(onset < melody.pickup - 1e-6 for onset in onsets)
    else:
        onsets = [start / FRAMES_PER_BEAT for start in bar_starts(frames)]
        pickup = int(len(frames) > 0 and frames.form[0, 0] > 1)
    bars = tuple((onset, number + 1 - pickup) for number, onset in enumerate(onsets) if onset < beats - 1e-6)
    key = song.key or estimate_key(frames.melody)
    return _Sheet(song.notes, beats, bars, key, song.title)


def _layout(figure: Any, sheet: _Sheet, labels: Sequence[str]) -> tuple[Any, Any]:
    """Axes of the roll and of the lanes (None without any), sized in inches by what they hold."""
    lanes, margin = len(labels), max([_MARGIN_INCHES, *map(_label_inches, labels)])
    low, high = _pitch_range(sheet)
    width = float(np.clip(0.155 * sheet.beats + margin + 0.4, 7.5, 40))
    roll, block = max(1.5, (high - low) * _SEMITONE_INCHES), lanes * _LANE_INCHES
    head, foot, gap = 0.62 if sheet.title else 0.38, 0.5, 0.12 if lanes else 0.0
    height = head + roll + gap + block + foot
    figure.set_size_inches(width, height)
    left, span = margin / width, (width - margin - 0.2) / width
    top = figure.add_axes((left, (foot + block + gap) / height, span, roll / height))
    if sheet.title:
        figure.text(left, 1 - 0.24 / height, sheet.title, fontsize=11, fontweight="bold", va="center")
    bottom = figure.add_axes((left, foot / height, span, block / height)) if lanes else None
    for axes in (top, bottom):
        if axes is not None:
            axes.set_xlim(0, sheet.beats)
            axes.set_xticks([])
            axes.tick_params(length=0)
            axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
    return top, bottom


def _label_inches(label: str) -> float:
    """Room for a lane's label: letters of 9 point bold over letters of 7 point."""
    first, _, second = label.partition("\n")
    return max(0.095 * len(first), 0.066 * len(second)) + 0.2


def _pitch_range(sheet: _Sheet) -> tuple[float, float]:
    pitches = [note.pitch for note in sheet.notes]
    return min(pitches) - 1.5, max(pitches) + 1.5


def _draw_melody(axes: Any, sheet: _Sheet) -> None:
    from matplotlib.patches import FancyBboxPatch

    low, high = _pitch_range(sheet)
    axes.set_ylim(low, high)
    scale = {(Key.from_fifths(sheet.key.fifths).tonic + step) % 12 for step in _MAJOR_SCALE}
    rows = range(int(np.ceil(low)), int(high) + 1)
    for pitch in rows:
        if pitch % 12 not in scale:
            axes.axhspan(pitch - 0.5, pitch + 0.5, color=SHADE, lw=0, zorder=0)
    named = scale if high - low <= 18 else {sheet.key.tonic, (sheet.key.tonic + 7) % 12}
    shown = [p for p in rows if p % 12 in named]
    axes.set_yticks(shown, [pitch_name(p, sheet.key).replace("b", "♭").replace("#", "♯") for p in shown], fontsize=7)
    step = 1 if len(sheet.bars) <= 32 else 4
    axes.annotate("bar", (0, high + 0.4), xytext=(-5, 0), textcoords="offset points", fontsize=7.5, color=GREY,
        ha="right", va="bottom", annotation_clip=False)  # fmt: skip
    for onset, number in sheet.bars:
        axes.axvline(onset, color=RULE, lw=0.8, zorder=1)
        if number > 0 and (number - 1) % step == 0:
            axes.text(onset, high + 0.4, str(number), fontsize=7.5, color=GREY, ha="left", va="bottom")
    for note in sheet.notes:
        box = FancyBboxPatch(
            (note.onset + 0.03, note.pitch - 0.42), max(note.duration - 0.06, 0.08), 0.84,
            boxstyle="round,pad=0,rounding_size=0.12", mutation_aspect=2.5, fc=NOTE, ec="none", zorder=3,
        )  # fmt: skip
        axes.add_patch(box)


def _draw_lanes(axes: Any, sheet: _Sheet, lanes: Sequence[tuple[str, Sequence[ChordSpan]]]) -> None:
    axes.set_ylim(len(lanes), 0)
    axes.set_yticks([])
    for onset, _ in sheet.bars:
        axes.axvline(onset, color=RULE, lw=0.8, zorder=1)
    for row, (label, spans) in enumerate(lanes):
        first, _, second = label.partition("\n")
        right = axes.get_yaxis_transform()
        offset = 0.5 if not second else 0.36
        axes.text(-0.008, row + offset, first, transform=right, ha="right", va="center", fontsize=9, fontweight="bold")
        axes.text(-0.008, row + 0.68, second, transform=right, ha="right", va="center", fontsize=7, color=GREY)
        for span in spans:
            _draw_chord(axes, row, span, sheet.key)


def _draw_chord(axes: Any, row: int, span: ChordSpan, key: Key) -> None:
    from matplotlib.patches import FancyBboxPatch

    red, green, blue = root_colour(span.chord)
    box = FancyBboxPatch(
        (span.onset + 0.04, row + 0.1), max(span.duration - 0.08, 0.05), 0.8,
        boxstyle="round,pad=0,rounding_size=0.14", mutation_aspect=0.45, zorder=2, lw=0.7,
        fc=(red, green, blue), ec=(red * 0.78, green * 0.78, blue * 0.78),
    )  # fmt: skip
    axes.add_patch(box)
    renderer = axes.figure.canvas.get_renderer()
    room = abs(axes.transData.transform((span.duration - 0.2, 0))[0] - axes.transData.transform((0, 0))[0])
    text = axes.text(span.onset + span.duration / 2, row + 0.51, pretty_symbol(span.chord, key),
        ha="center", va="center", zorder=4)  # fmt: skip
    for size in (9.5, 8.5, 7.5, 6.5, 5.8):
        text.set_fontsize(size)
        if text.get_window_extent(renderer).width <= room:
            return
    text.remove()


def _draw_beats(axes: Any) -> None:
    """Beats under the lowest axes, numbered from 0 in steps that leave room."""
    stop = axes.get_xlim()[1]
    step = next((s for s in (4, 8, 16, 32) if stop / s <= 32), 64)
    axes.set_xticks(np.arange(0, stop + 1e-6, step))
    axes.tick_params(axis="x", labelsize=7.5, pad=3)
    axes.set_xlabel("quarter-note beats", fontsize=7.5, color=GREY, labelpad=3)


def _from_oklch(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    """OKLCH (Ottosson, 2020) -> sRGB: equal lightness looks equally light in every hue."""
    a, b = chroma * np.cos(hue), chroma * np.sin(hue)
    linear = np.clip(_LINEAR_OF_CONES @ (_CONES_OF_LAB @ np.array([lightness, a, b])) ** 3, 0, 1)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return float(srgb[0]), float(srgb[1]), float(srgb[2])
