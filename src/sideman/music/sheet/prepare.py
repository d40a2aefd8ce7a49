"""Standard ABC of a whole piece -> the sheet models are trained on, or the reason why there is none."""

from sideman.music.sheet.clean import clean
from sideman.music.sheet.interleaved import read_standard, write_interleaved
from sideman.music.sheet.rests import plain_rests, reduce
from sideman.music.sheet.transpose import global_key


def interleave(text: str) -> str:
    """Clean, check and interleave (spec 1.4, 1.5), with rests spelled one way. Raises BadSheet."""
    cleaned = clean(text)
    global_key(cleaned)
    return plain_rests(write_interleaved(read_standard(cleaned)))


def prepare(text: str) -> str:
    """Standard ABC -> reduced interleaved ABC; what `rests.complete` undoes. Raises BadSheet."""
    return reduce(interleave(text))
