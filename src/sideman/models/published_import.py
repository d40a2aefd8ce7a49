"""From a published weight file to a model that plays here, or to a checkpoint that judges in training."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from sideman.engine.bundle import BundleFile
from sideman.errors import UnreadableFile
from sideman.files import write_atomic
from sideman.models.build import ModelFile, save_checkpoint
from sideman.models.export import export_bundle
from sideman.models.published import Part, read_published
from sideman.models.published_file import read_weights

_LIST = "Give the chord list the network was trained with: a JSON list of names, such as chord_names_augmented.json."


def read_chord_names(path: Path) -> tuple[str, ...]:
    """Names in id order. Raises UnreadableFile unless it is a sorted list without repeats, as ids count in it."""
    try:
        names = msgspec.json.decode(path.read_bytes(), type=tuple[str, ...])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UnreadableFile(f"Cannot read chord names from {path}: {reason}.", _LIST) from None
    if not names or list(names) != sorted(set(names)):
        why = "is empty" if not names else "is not sorted, or repeats a name: ids are places in the sorted list"
        raise UnreadableFile(f"The chord list {path} {why}.", _LIST)
    return names


def import_checkpoint(path: Path, family: str, names: Sequence[str], folder: Path, part: Part = "chord") -> ModelFile:
    """Write the network of a weight file as a checkpoint of ours. Raises what reading and comparing it do."""
    file, model = read_published(read_weights(path), family, names, part)
    save_checkpoint(folder, file, model)
    return file


def import_bundle(path: Path, family: str, names: Sequence[str], folder: Path, name: str, *, int8: bool,
                  checkpoint: Path | None = None, part: Part = "chord") -> BundleFile:  # fmt: skip
    """Write it as a bundle with a card and, if wanted, also keep the checkpoint. Raises ParityError as well."""
    with tempfile.TemporaryDirectory() as scratch:
        kept = checkpoint or Path(scratch)
        import_checkpoint(path, family, names, kept, part)
        described = export_bundle(kept, folder, name, int8)
    write_atomic(folder / "card.md", _card(described).encode())
    return described


def _card(described: BundleFile) -> str:
    """What is known of an imported model, and what has to be found out."""
    facts = {
        "kind": described.kind,
        "part": described.part,
        "parameters": f"{described.parameters:,}",
        "precision": described.precision,
        "chords": len(described.chords),
        **described.trained,
        "checkpoint (sha256)": described.checkpoint,
    }
    rows = "\n".join(f"| {name} | {value} |" for name, value in facts.items())
    return f"""# {described.name}

A network of the realchords project (ReaLchords, GAPT, ReaLJam), imported from its published weights; not trained here.

| fact | |
|---|---|
{rows}

## Data and licence

Those of its publisher. The published networks learned from Hooktheory, among others, whose annotations are for
non-commercial use.

## Quality

Measure it: `sideman evaluate {described.name}`.
"""
