"""Running the passes that a planning asks for. `alone`: nothing else is computed meanwhile."""

from sideman.engine.sampling import Floats
from sideman.jam.planner import Work
from sideman.jam.rows import Pass


def feed(wanted: Pass, alone: bool = False) -> Floats:
    """Logits [R, V] of one pass."""
    logits: Floats = wanted.row.stream.feed(wanted.tokens[None], wanted.form[None], wanted.read, alone)[0]
    return logits


def finish(work: Work, alone: bool = False) -> None:
    """Run one planning to its end."""
    try:
        wanted = next(work)
        while True:
            wanted = work.send(feed(wanted, alone))
    except StopIteration:
        return
