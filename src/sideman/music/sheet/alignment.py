"""Whether the voices of an interleaved piece fit together (spec 1.8)."""

from dataclasses import dataclass

from sideman.music.sheet.durations import duration
from sideman.music.sheet.interleaved import Sheet


@dataclass(frozen=True, slots=True)
class Alignment:
    """Whether all voices have the barlines of the first, as many bars, and bars as long as its bars; `uneven` counts
    the bars whose voices differ in length or cannot be read."""

    barlines: bool
    bars: bool
    durations: bool
    uneven: int

    @property
    def good(self) -> bool:
        return self.barlines and self.bars and self.durations


def align(sheet: Sheet, reference: bool = False) -> Alignment:
    """Compare all voices of a piece with its first one. Without voices all is well."""
    first, *others = sheet.voices.values()
    uneven = 0
    for i, text in enumerate(first.texts):
        length = duration(text, reference)
        same = length is not None and all(
            duration(voice.texts[i], reference) == length for voice in others if i < len(voice)
        )
        uneven += not same
    return Alignment(
        barlines=all(voice.barlines == first.barlines and voice.left == first.left for voice in others),
        bars=all(len(voice) == len(first) for voice in others),
        durations=uneven == 0,
        uneven=uneven,
    )
