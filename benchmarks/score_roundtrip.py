"""MusicXML -> ABC -> MusicXML over whole collections: how many files keep every note.

    python benchmarks/score_roundtrip.py --data ../shared/data [--workers 2] [--every 1] [openewld ...]

Two counts. `exact`: the sounding notes (ties merged, grace notes included) of each part agree as a
multiset of spelled pitch, onset and duration, in exact fractions. `written`: a second reader, which
knows nothing of scores and adds up <duration> elements, finds the same note heads in the same bars
of both files, times within 1/100 beat (files round tuplets). Then what the readers had to leave out.
"""

import argparse
import tarfile
import tempfile
import time
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from xml.etree.ElementTree import Element

from sideman.errors import SidemanError
from sideman.formats.musicxml_container import read_tree
from sideman.formats.score_abc import from_abc
from sideman.formats.score_abc_write import to_abc
from sideman.formats.score_musicxml import read_score
from sideman.formats.score_musicxml_write import write
from sideman.music.score import Score, sounding

COLLECTIONS = ("openewld", "openscore-lieder", "openscore-quartets")
TOLERANCE = 0.01


def sounds(score: Score) -> Counter[tuple[object, ...]]:
    """The notes of a score as a multiset."""
    return Counter(
        (number, n.pitch, n.onset, n.duration) for number, part in enumerate(score.parts) for n in sounding(score, part)
    )


def heads(root: Element) -> dict[tuple[object, ...], list[tuple[float, float]]]:
    """(onset, duration) of the note heads by part, bar and pitch, durations added up as the file has them."""
    found: dict[tuple[object, ...], list[tuple[float, float]]] = defaultdict(list)
    for number, part in enumerate(root.iterfind("part")):
        divisions = 1.0
        for bar, measure in enumerate(part.iterfind("measure")):
            now = onset = 0.0
            for element in measure:
                divisions = float(element.findtext("divisions") or divisions)
                length = float(element.findtext("duration") or 0) / divisions
                if element.tag in ("backup", "forward"):
                    now += -length if element.tag == "backup" else length
                if element.tag != "note":
                    continue
                if element.find("chord") is None:
                    onset, now = now, now + length
                pitch = element.find("pitch")
                if pitch is not None:
                    name = tuple(pitch.findtext(tag) or "0" for tag in ("step", "alter", "octave"))
                    found[number, bar, *name].append((onset, length))
    return found


def unlike(before: Element, after: Element) -> int:
    """Note heads of either file without a partner in the other."""
    one, two = heads(before), heads(after)
    lost = 0
    for key in one.keys() | two.keys():
        pairs = zip(sorted(one[key]), sorted(two[key]), strict=False)
        lost += abs(len(one[key]) - len(two[key]))
        lost += sum(max(abs(a[0] - b[0]), abs(a[1] - b[1])) > TOLERANCE for a, b in pairs)
    return lost


def measure(path: Path) -> tuple[str, int, int, int, dict[str, int], str]:
    """(name, notes, notes off, heads off, losses, error) of one file."""
    try:
        before = read_tree(path.read_bytes())
        score = read_score(before)
        data = write(from_abc(to_abc(score)))
        after = read_tree(data)
        first, last = sounds(score), sounds(read_score(after))
        off = max((first - last).total(), (last - first).total())
        return path.name, first.total(), off, unlike(before, after), dict(score.losses), ""
    except SidemanError as error:
        return path.name, 0, 0, 0, {}, str(error)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=COLLECTIONS)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of NAME.tar.gz archives")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, help="take every n-th file")
    arguments = parser.parse_args()
    for name in arguments.names:
        with tempfile.TemporaryDirectory() as folder:
            with tarfile.open(arguments.data / f"{name}.tar.gz") as archive:
                archive.extractall(folder, filter="data")
            report(name, sorted(Path(folder).rglob("*.mxl"))[:: arguments.every], arguments.workers)


def report(name: str, paths: list[Path], workers: int) -> None:
    start = time.perf_counter()
    losses: Counter[str] = Counter()
    files = exact = written = notes = off = unlike_heads = 0
    with ProcessPoolExecutor(workers) as pool:
        for file, count, wrong, other, lost, error in pool.map(measure, paths, chunksize=4):
            files += 1
            exact += not (wrong or error)
            written += not (other or error)
            notes, off, unlike_heads = notes + count, off + wrong, unlike_heads + other
            losses.update(lost)
            if wrong or other or error:
                print(f"  {file}: {wrong} notes off, {other} heads off {error}", flush=True)
    print(f"{name}: {files} files, {notes:,} notes, {time.perf_counter() - start:.0f} s with {workers} processes")
    print(f"  exact: {exact / files:.2%} of files, {off / max(notes, 1):.4%} of notes off")
    print(f"  written: {written / files:.2%} of files, {unlike_heads / max(notes, 1):.4%} of heads off")
    for reason, count in losses.most_common():
        print(f"  {count:7,} {reason}")


if __name__ == "__main__":
    main()
