"""From what is typed to networks that play: `gapt`, `gapt@0.8`, `online:64,gapt:64`, `runs/my-online`."""

import tempfile
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from sideman.engine.bundle import Bundle
from sideman.engine.models import find_model, list_models, open_model
from sideman.errors import UnknownModel, WrongValue
from sideman.evaluate.duet import PartName, Seat, vocabulary_of

MAX_TEMPERATURE = 3.0


def parse_seats(text: str, part: PartName, others: tuple[str, ...] = ()) -> tuple[Seat, ...]:
    """The networks of `MODEL[@TEMPERATURE][:FRAMES],...`, which take turns. `others` are further names to be listed
    where one is not found. Raises UnknownModel, WrongValue."""
    words = text.split(",")
    seats = tuple(_seat(word, part, others) for word in words)
    if any(seat.frames == 0 for seat in seats[:-1]):
        raise WrongValue(f"In '{text}' only the last model may play to the end.", "Write it as in online:64,gapt:64.")
    try:
        vocabulary_of(seats)
    except ValueError:
        raise WrongValue(f"The models of '{text}' have different chord lists.", "Name models of one list.") from None
    return seats


def _seat(word: str, part: PartName, others: tuple[str, ...]) -> Seat:
    called, colon, frames = word.partition(":")
    model, at, temperature = called.partition("@")
    bundle = open_player(model, others)
    if bundle.file.part != part:
        made, wanted = ("melodies", "chords") if part == "chord" else ("chords", "melodies")
        raise UnknownModel(f"The model '{model}' makes {made}, not {wanted}.", f"Name a {part} model.")
    seat = Seat(bundle, _temperature(word, temperature) if at else 1.0)
    return replace(seat, frames=_frames(word, frames)) if colon else seat


def open_player(name: str, others: tuple[str, ...] = ()) -> Bundle:
    """The bundle of a model by its name, or in a folder: a bundle's, a run's or a checkpoint's (exported in full
    precision, for this process alone). Raises UnknownModel."""
    models = [info.name for info in list_models()]
    if name in models:
        return open_model(find_model(name))
    folder = Path(name)
    if folder.name and (folder / "bundle.json").exists():
        return open_model(folder)
    if folder.name and any((folder / place / "model.json").exists() for place in ("", "best", "last")):
        return open_model(_exported(folder))
    raise UnknownModel(f"There is no system called '{name}'.", f"Known here: {', '.join([*others, *models])}.")


@lru_cache
def _exported(folder: Path) -> Path:
    from sideman.models.export import export_bundle
    from sideman.train.checkpoint import checkpoint_in

    place = tempfile.TemporaryDirectory(prefix="sideman-")
    _KEPT.append(place)
    export_bundle(checkpoint_in(folder), Path(place.name), folder.name, int8=False)
    return Path(place.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []  # their folders go when the process ends


def _temperature(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= MAX_TEMPERATURE:
        raise WrongValue(
            f"'{name}' asks for a temperature of '{text}'.", f"Give 0 to {MAX_TEMPERATURE:g}, as in offline@0.8."
        )
    return value


def _frames(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise WrongValue(f"'{name}' plays for '{text}' frames.", "Give a number of 16ths, as in gapt:64.")
    return int(text)
