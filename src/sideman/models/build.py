"""Networks from their stored configuration, and checkpoints on disk.

A checkpoint is a folder: `model.safetensors` (weights), `model.json` (kind, configuration, chord
names, what it was trained on) and, while training, `state.pt` (optimiser and step).
"""

from pathlib import Path
from typing import Literal

import msgspec
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import nn

from sideman.errors import UnknownModel
from sideman.files import write_atomic
from sideman.models.clamp2 import MusicTower
from sideman.models.judge import JudgeModel
from sideman.models.m3 import M3Config, M3Model
from sideman.models.offline import OfflineConfig, OfflineModel
from sideman.models.online import OnlineConfig, OnlineModel
from sideman.models.reward import ContrastiveModel, DiscriminativeModel, RewardConfig
from sideman.models.sheet import SheetConfig, SheetModel
from sideman.music.reference_names import Spelling, stored_vocabulary
from sideman.music.vocabulary import PartName, Vocabulary


class ModelFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`model.json`. `chords`: names in id order, empty for our own list; `spelling`: whose grammar reads them;
    `trained`: step, data, metrics, commit; `prompts`: those a sheet model has learned."""

    kind: Literal["online", "offline", "contrastive", "discriminative", "sheet", "m3", "clamp2", "judge"]
    part: PartName = "chord"
    online: OnlineConfig | None = None
    offline: OfflineConfig | None = None
    reward: RewardConfig | None = None
    sheet: SheetConfig | None = None
    music: M3Config | None = None
    chords: tuple[str, ...] = ()
    trained: dict[str, str | int | float] = {}
    prompts: tuple[tuple[str, str, str], ...] = ()
    spelling: Spelling = "own"

    @property
    def network(self) -> "ModelFile":
        """Without what it learned from: what two checkpoints must agree in to take each other's weights."""
        return msgspec.structs.replace(self, trained={}, prompts=())

    @property
    def vocabulary(self) -> Vocabulary:
        return stored_vocabulary(self.chords, self.spelling)


MusicModel = M3Model | MusicTower | JudgeModel
Model = OnlineModel | OfflineModel | ContrastiveModel | DiscriminativeModel | SheetModel | MusicModel

MUSIC: dict[str, type[MusicModel]] = {"m3": M3Model, "clamp2": MusicTower, "judge": JudgeModel}


def build(file: ModelFile) -> Model:
    """A fresh network of the stored kind and size."""
    if file.kind == "online" and file.online is not None:
        return OnlineModel(file.online)
    if file.kind == "offline" and file.offline is not None:
        return OfflineModel(file.offline)
    if file.kind == "contrastive" and file.reward is not None:
        return ContrastiveModel(file.reward, file.vocabulary)
    if file.kind == "discriminative" and file.reward is not None:
        return DiscriminativeModel(file.reward, file.vocabulary)
    if file.kind == "sheet" and file.sheet is not None:
        return SheetModel(file.sheet)
    if file.kind in MUSIC and file.music is not None:
        return MUSIC[file.kind](file.music)
    raise UnknownModel("The checkpoint names no network we know.")


def save_checkpoint(folder: Path, file: ModelFile, model: nn.Module) -> None:
    """Write weights (fp32, contiguous) and description."""
    tensors = {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}
    write_atomic(folder / "model.safetensors", save(tensors))
    write_atomic(folder / "model.json", msgspec.json.format(msgspec.json.encode(file), indent=1))


def load_checkpoint(folder: Path) -> tuple[ModelFile, Model]:
    """Network in eval mode and its description, of a checkpoint folder or of a bundle.

    Raises UnknownModel where files are missing or damaged.
    """
    if (folder / "bundle.json").exists():
        from sideman.models.reopen import reopen

        return reopen(folder)
    hint = "Point at a run's checkpoint folder, e.g. runs/NAME/last."
    try:
        file = msgspec.json.decode((folder / "model.json").read_bytes(), type=ModelFile)
        model = build(file)
        model.load_state_dict(load_file(folder / "model.safetensors"))
    except FileNotFoundError as error:
        raise UnknownModel(
            f"There is no checkpoint in {folder} ({Path(error.filename or '').name} is missing).", hint
        ) from None
    except (msgspec.DecodeError, SafetensorError, RuntimeError) as error:
        raise UnknownModel(f"The checkpoint in {folder} is damaged: {str(error).splitlines()[0]}", hint) from None
    return file, model.eval()


def parameters(model: nn.Module) -> int:
    """How many numbers a network holds."""
    return sum(p.numel() for p in model.parameters())
