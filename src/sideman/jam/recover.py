"""A log -> the session it is the record of, ready to go on.

Nothing is planned again: what was promised is in the log, so that an hour is back in the time of one prefill, which the
next plan makes.
"""

from collections.abc import Iterable

import numpy as np

from sideman.errors import WrongValue
from sideman.jam.log import Begun, Changed, Entry, Heard, Introduced, Planned
from sideman.jam.replay import Models, logged_model
from sideman.jam.session import Session


def recover(entries: Iterable[Entry], models: Models) -> Session:
    """The session as it was after the last entry. Raises WrongValue for a log without a beginning, or whose models are
    not here."""
    session: Session | None = None
    for entry in entries:
        if isinstance(entry, Begun):
            session = Session(entry.start, logged_model(models, entry.model, "online", entry.checkpoint))
        elif session is None:
            break
        elif isinstance(entry, Heard):
            session.hear(entry.message)
        elif isinstance(entry, Changed):
            session.change(entry.message, logged_model(models, entry.model, "online", entry.checkpoint))
        elif isinstance(entry, Introduced):
            session.take_introduction(np.array(entry.chords, np.int64))
        elif isinstance(entry, Planned) and entry.frame is not None:
            session.promise(entry.frame, np.array(entry.chords, np.int64))
    if session is None:
        raise WrongValue("The log does not begin with the beginning of a jam.", "Give the file as it was saved.")
    return session
