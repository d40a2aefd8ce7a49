"""Music encoders by the place of their checkpoint: published ones brought in, and whichever is asked for features."""

from pathlib import Path

import msgspec

from sideman.errors import WrongValue
from sideman.models.build import ModelFile, load_checkpoint, save_checkpoint
from sideman.models.clamp2 import MusicTower
from sideman.models.judge import JudgeModel
from sideman.models.published_m3 import MusicReport, read_clamp2, read_m3


def import_music(path: Path, family: str, folder: Path) -> MusicReport:
    """Write the network of a published file, `m3` or `clamp2`, as a checkpoint of ours. Raises what reading it does."""
    model, report = (read_m3 if family == "m3" else read_clamp2)(path)
    file = ModelFile("m3", music=report.config) if family == "m3" else ModelFile("clamp2", music=report.config)
    trained: dict[str, str | int | float] = {"source": path.name, "sha256": report.sha256}
    save_checkpoint(folder, msgspec.structs.replace(file, trained=trained), model)
    return report


def load_tower(folder: Path) -> tuple[ModelFile, MusicTower]:
    """The tower whose features judge sheets, of a CLaMP 2 checkpoint or a judge of our own, in eval mode.

    Raises UnknownModel, or WrongValue for a network of another kind.
    """
    file, model = load_checkpoint(folder)
    if isinstance(model, JudgeModel):
        return file, model.tower
    if isinstance(model, MusicTower):
        return file, model
    raise WrongValue(
        f"{folder} holds a network of kind {file.kind}, which gives no features of pieces.",
        "Give a run of stage sheet-judge, or CLaMP 2: sideman models import clamp2 FILE --name NAME",
    )
