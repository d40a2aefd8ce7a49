"""Which models there are: those that ship in `sideman/weights`, and the user's under `<home>/models`."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import msgspec

from sideman.engine.bundle import Bundle, BundleFile, load_bundle
from sideman.errors import UnknownModel, WrongValue
from sideman.home import home

SHIPPED = Path(__file__).resolve().parent.parent / "weights"
# Who answers when nobody is named, by kind: the first there is.
DEFAULTS = {"offline": ("offline",), "online": ("gapt", "online"), "sheet": ("sheet",)}


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One model. `part`: what it writes, "chord", "melody" or "score"; `card`: its card (Markdown), empty if none."""

    name: str
    kind: str
    part: str
    parameters: int
    size_bytes: int
    path: Path
    card: str

    @property
    def accompanies(self) -> bool:
        """Whether it can play chords along with somebody."""
        return self.kind == "online" and self.part == "chord"


def list_models() -> list[ModelInfo]:
    """All models by name; a user's model hides a shipped one of the same name. Damaged ones are left out."""
    found = {}
    for root in (SHIPPED, home() / "models"):
        for described in sorted(root.glob("*/bundle.json")):
            info = _read(described.parent)
            if info is not None:
                found[info.name] = info
    return [found[name] for name in sorted(found)]


def find_model(name: str | None, kind: str = "offline") -> Path:
    """Folder of the model called `name`, or of the default of a kind. Raises UnknownModel."""
    names = (name,) if name else DEFAULTS[kind]
    for wanted in names:
        for root in (home() / "models", SHIPPED):
            if Path(wanted).name == wanted and (root / wanted / "bundle.json").exists():
                return root / wanted
    here = ", ".join(info.name for info in list_models()) or "none"
    raise UnknownModel(f"There is no model '{names[-1]}'.", f"These are here: {here}.")


def own_folder(name: str) -> Path:
    """Folder of the user's model called `name`, which need not exist yet. Raises WrongValue for what is no name."""
    if not name or Path(name).name != name or name.startswith("."):
        raise WrongValue(f"'{name}' cannot be the name of a model.", "Use letters, digits, dots and dashes.")
    return home() / "models" / name


@lru_cache(maxsize=8)
def open_model(folder: Path) -> Bundle:
    """The bundle in `folder`, opened once a process."""
    return load_bundle(folder)


def _read(folder: Path) -> ModelInfo | None:
    try:
        file = msgspec.json.decode((folder / "bundle.json").read_bytes(), type=BundleFile)
    except (OSError, msgspec.DecodeError):
        return None
    card = folder / "card.md"
    size = sum(part.stat().st_size for part in folder.iterdir() if part.is_file())
    text = card.read_text(encoding="utf-8", errors="replace") if card.exists() else ""
    return ModelInfo(folder.name, file.kind, file.part, file.parameters, size, folder, text)
