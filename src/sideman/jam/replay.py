"""A log -> the same jam again, and whether every plan came out the same."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sideman.engine.bundle import Bundle
from sideman.errors import WrongValue
from sideman.jam.drive import feed, finish
from sideman.jam.log import Begun, Changed, Entry, Heard, Introduced, Planned, Prepared, digest
from sideman.jam.session import Session

# The model of a name and kind ("online", "offline").
Models = Callable[[str, str], Bundle]


@dataclass
class Replay:
    """What replaying found: numbers of `plans` made, and of those that `differ`, by request."""

    plans: int = 0
    differ: list[int] = field(default_factory=list)
    session: Session | None = None


def replay(entries: Iterable[Entry], models: Models) -> Replay:
    """Do again what a log says. Raises WrongValue for a log that does not begin with its beginning, or whose models
    are not here."""
    found = Replay()
    request = 0
    for entry in entries:
        if isinstance(entry, Begun):
            found.session = Session(entry.start, logged_model(models, entry.model, "online", entry.checkpoint))
            continue
        session = found.session
        if session is None:
            raise WrongValue("The log does not begin with the beginning of a jam.", "Give the file as it was saved.")
        if isinstance(entry, Heard):
            session.hear(entry.message)
            request = entry.message.request
        elif isinstance(entry, Changed):
            session.change(entry.message, logged_model(models, entry.model, "online", entry.checkpoint))
        elif isinstance(entry, Introduced):
            session.introduce(logged_model(models, entry.model, "offline", entry.checkpoint))
            _compare(found, request, digest(session.own[: session.frame]), entry.digest)
        elif isinstance(entry, Prepared):
            _work_ahead(session, entry.passes)
        else:
            _plan(found, session, request, entry)
    return found


def _plan(found: Replay, session: Session, request: int, entry: Planned) -> None:
    finish(session.plan())
    found.plans += 1
    if entry.frame is not None:
        session.adopt(entry.frame)
        _compare(found, request, digest(session.own[entry.frame :]), entry.digest)


def _work_ahead(session: Session, passes: int) -> None:
    work = session.prepare()
    for number, wanted in enumerate(work, 1):
        feed(wanted)
        if number == passes:
            break
    work.close()


def _compare(found: Replay, request: int, made: int, logged: int) -> None:
    if made != logged:
        found.differ.append(request)


def logged_model(models: Models, name: str, kind: str, checkpoint: str) -> Bundle:
    """The model a log names. Raises WrongValue where it is another one by now."""
    bundle = models(name, kind)
    if bundle.file.checkpoint != checkpoint:
        raise WrongValue(
            f"The model '{name}' is not the one this jam was played with.", "Use the version it was made with."
        )
    return bundle
