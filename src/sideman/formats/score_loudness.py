"""Dynamics of a part as MIDI velocities: signs hold until the next one, hairpins go from one to the other."""

from bisect import bisect_right
from fractions import Fraction

from sideman.music.score import Mark, Part, Score

DEFAULT_VELOCITY = 72
VELOCITIES = {
    "pppp": 20, "ppp": 28, "pp": 38, "p": 50, "mp": 62, "mf": 76, "f": 92, "ff": 106, "fff": 116, "ffff": 122,
    "sf": 104, "sfz": 108, "sffz": 114, "fz": 104, "rf": 98, "rfz": 98, "n": 16, "pf": 70,
}  # fmt: skip
# Loud, and soft at once: what holds after the note that has it.
_FALLS = {"fp": ("f", "p"), "sfp": ("sf", "p"), "sfpp": ("sf", "pp"), "sfzp": ("sfz", "p")}
_ACCENTS = {"accent": 12, "marcato": 18}
# What a hairpin without a sign at its end changes.
_STEP = 16


class Loudness:
    """The curve of one part over its written time, in all its staves."""

    def __init__(self, score: Score, part: Part) -> None:
        marks = _marks(score, part)
        self.points: list[tuple[Fraction, int]] = []
        # (start, end, from, to)
        self.hairpins: list[tuple[Fraction, Fraction, int, int]] = []
        self.strokes: dict[Fraction, int] = {}
        now = DEFAULT_VELOCITY
        opened: tuple[Fraction, int] | None = None
        for number, (at, mark) in enumerate(marks):
            if mark.kind == "dynamic":
                struck, then = _FALLS.get(mark.text, (mark.text, mark.text))
                now = VELOCITIES.get(then, now)
                self.strokes[at] = VELOCITIES.get(struck, now)
                self.points.append((at, now))
            elif not mark.text.endswith("stop"):
                opened = (at, 1 if mark.text == "crescendo" else -1)
            elif opened is not None:
                begun, now = now, _after(marks[number + 1 :], at, now + opened[1] * _STEP)
                self.hairpins.append((opened[0], at, begun, now))
                self.points.append((at, now))
                opened = None

    def velocity(self, at: Fraction, signs: tuple[str, ...] = ()) -> int:
        """How loud a note with `signs` is that begins at `at`, a written time of the score."""
        return min(127, max(1, self._level(at) + max((_ACCENTS.get(sign, 0) for sign in signs), default=0)))

    def _level(self, at: Fraction) -> int:
        if at in self.strokes:
            return self.strokes[at]
        for start, end, low, high in self.hairpins:
            if start <= at < end:
                return round(low + (high - low) * float((at - start) / (end - start)))
        index = bisect_right(self.points, at, key=lambda point: point[0])
        return self.points[index - 1][1] if index else DEFAULT_VELOCITY


def _marks(score: Score, part: Part) -> list[tuple[Fraction, Mark]]:
    starts = score.bar_starts()
    found = [
        (starts[number] + mark.onset, mark)
        for staff in part.staves
        for number, bar in enumerate(staff)
        for mark in bar.marks
        if mark.kind in ("dynamic", "wedge")
    ]
    # At one time a hairpin ends before a sign or another hairpin.
    return sorted(found, key=lambda row: (row[0], not row[1].text.endswith("stop")))


def _after(following: list[tuple[Fraction, Mark]], at: Fraction, otherwise: int) -> int:
    """Where a hairpin that ends at `at` leads: to the sign within a quarter note, else a step."""
    for then, mark in following:
        if then > at + 1:
            break
        if mark.kind == "dynamic":
            return VELOCITIES.get(_FALLS.get(mark.text, (mark.text,))[0], otherwise)
    return min(120, max(20, otherwise))
