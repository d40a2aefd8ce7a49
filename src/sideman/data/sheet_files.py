"""NotaGen's training files (spec 1.10), so that tools made for it can read our sheets.

    interleaved/NAME.abc, augmented/KEY/NAME_KEY.abc in fifteen keys, and three lists beside it: augmented.jsonl,
    augmented_train.jsonl and augmented_eval.jsonl, one {"path": ".../augmented/NAME", "key": "Eb"} a line.

Pieces with a prompt begin with it. The test split is in the first list alone.
"""

import json
import re
from functools import lru_cache, partial
from pathlib import Path

from sideman.data.pack import SPLITS
from sideman.data.processes import over_processes
from sideman.data.sheets import SheetPack, load_sheet_pack
from sideman.files import write_atomic
from sideman.music.sheet.keys import KEYS
from sideman.music.sheet.prompts import with_prompt
from sideman.music.sheet.rests import complete
from sideman.music.sheet.transpose import global_key, transpose

_LISTS = {"": SPLITS, "_train": ("train",), "_eval": ("valid",)}


def write_files(pack_path: Path, folder: Path, workers: int) -> int:
    """Write all pieces of a pack; return how many. Raises UnreadableFile or CannotWrite."""
    pack = load_sheet_pack(pack_path)
    job = partial(_write_block, pack_path, folder)
    rows = list(over_processes("Writing fifteen keys", pack.ids.tolist(), job, workers, 16))
    for ending, splits in _LISTS.items():
        lines = [json.dumps({"path": path, "key": key}) + "\n" for path, key, split in rows if split in splits]
        write_atomic(folder / f"augmented{ending}.jsonl", "".join(lines).encode())
    return len(rows)


def _write_block(pack_path: Path, folder: Path, ids: list[str]) -> list[tuple[str, str, str]]:
    """(path without key and ending, key, split) of each piece."""
    pack, places = _opened(pack_path)
    rows = []
    for piece_id in ids:
        index = places[piece_id]
        sheet, name = pack.sheet(index), re.sub(r"[^A-Za-z0-9_\-]", "_", piece_id)
        write_atomic(folder / "interleaved" / f"{name}.abc", complete(sheet).encode())
        for key in KEYS:
            text = with_prompt(pack.prompt(index), transpose(sheet, key))
            write_atomic(folder / "augmented" / key / f"{name}_{key}.abc", text.encode())
        path = (folder / "augmented" / name).as_posix()
        rows.append((path, str(global_key(sheet)), SPLITS[int(pack.split[index])]))
    return rows


@lru_cache(maxsize=1)
def _opened(pack_path: Path) -> tuple[SheetPack, dict[str, int]]:
    pack = load_sheet_pack(pack_path)
    return pack, {piece_id: index for index, piece_id in enumerate(pack.ids.tolist())}
