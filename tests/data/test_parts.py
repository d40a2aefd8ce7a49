"""Conversion in parts: it goes on after a kill, the result is that of one that was never stopped, and little is in
memory at a time."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from toy_collection import toy_convert, toy_song

from sideman.data import nottingham
from sideman.data.collections import Collection
from sideman.data.convert import convert
from sideman.data.pack import make_pack, merge_packs
from sideman.data.pack_files import join_packs
from sideman.data.processes import over_processes
from sideman.errors import UnreadableFile
from sideman.music.chord import Chord
from sideman.music.frames import encode
from sideman.music.song import ChordSpan, Meter, Note, Song

TUNE = 'X:{number}\nT:Tune {number}\nM:6/8\nL:1/8\nK:G\n"G"GAB "D7"def|"C"g2e "D/f+"d3|"G"G6|]\n'
# Converts, and is killed at the 40th piece as if the machine had lost its power.
KILLED = """
import os, signal, sys
from pathlib import Path
from sideman.data import convert as module

prepare, count = module._prepare, 0

def prepare_or_die(*given):
    global count
    count += 1
    if count == 40:
        os.kill(os.getpid(), signal.SIGKILL)
    return prepare(*given)

module._prepare = prepare_or_die
module.convert("nottingham", Path(sys.argv[1]), Path(sys.argv[2]), workers=1, jsonl=Path(sys.argv[3]))
"""
FOLLOWERS = """
import os, sys, time
from pathlib import Path
from sideman.data.processes import over_processes

def job(items):
    Path(sys.argv[1], str(os.getpid())).touch()
    time.sleep(600)

if __name__ == "__main__":
    list(over_processes("Waiting", ["a", "b"], job, 2, 1))
"""
unix = pytest.mark.skipif(os.name == "nt", reason="SIGKILL is of Unix")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@unix
def test_a_killed_conversion_goes_on_to_the_same_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "tunes" / "ABC_cleaned"
    source.mkdir(parents=True)
    (source / "jigs.abc").write_text("\n".join(TUNE.format(number=n) for n in range(1, 71)))
    (source / "bare.abc").write_text("X:1\nT:No chords\nM:4/4\nK:C\nCDEF|GABc|]\n")
    home, lines = tmp_path / "killed", tmp_path / "killed-lines"
    killed = subprocess.run([sys.executable, "-c", KILLED, source, home, lines], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list((home / "data/nottingham").glob("parts-*/*.npz"))) == 2
    assert not (home / "data/nottingham/cache.npz").exists()
    whole = convert("nottingham", source, tmp_path / "whole", workers=1, jsonl=tmp_path / "whole-lines")

    converted = list[str]()
    plain = nottingham.convert
    monkeypatch.setattr(nottingham, "convert", lambda root, i: converted.append(i) or plain(root, i))
    assert convert("nottingham", source, home, workers=1, jsonl=lines) == whole
    assert "2 of 5 parts" in capsys.readouterr().err
    assert len(converted) == 71 - 32
    assert files(home) == files(tmp_path / "whole")
    assert files(lines) == files(tmp_path / "whole-lines")


@pytest.fixture
def stopped(toy: Callable[..., Collection], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A conversion of `toy` was stopped in its third part; the list is of the pieces that are converted later."""
    toy()
    converted = list[str]()

    def convert_or_stop(root: Path, piece_id: str) -> object:
        if piece_id == "s040" and not stops.pop():
            raise KeyboardInterrupt
        converted.append(piece_id)
        return toy_convert(root, piece_id)

    (tmp_path / "source").mkdir()
    stops = [True, False]
    monkeypatch.setattr(sys.modules["sideman.data.toy"], "convert", convert_or_stop)
    with pytest.raises(KeyboardInterrupt):
        convert("toy", tmp_path / "source", tmp_path / "home", workers=1)
    converted.clear()
    return converted


def test_what_is_there_is_not_converted_again(stopped: list[str], tmp_path: Path) -> None:
    convert("toy", tmp_path / "source", tmp_path / "home", workers=1)
    assert stopped == [f"s{n:03}" for n in range(32, 60)]
    assert {path.name for path in (tmp_path / "home/data/toy").iterdir()} == {"cache.npz", "manifest.json", "report.md"}


def test_a_restart_takes_nothing_that_was_left(stopped: list[str], tmp_path: Path) -> None:
    convert("toy", tmp_path / "source", tmp_path / "home", workers=1, restart=True)
    assert len(stopped) == 60


def test_parts_of_a_source_that_changed_are_not_taken(stopped: list[str], tmp_path: Path) -> None:
    os.utime(tmp_path / "source", ns=(1, 1))
    convert("toy", tmp_path / "source", tmp_path / "home", workers=1)
    assert len(stopped) == 60
    assert not list((tmp_path / "home/data/toy").glob("parts-*"))


def test_a_damaged_part_is_made_again(stopped: list[str], tmp_path: Path) -> None:
    first = min((tmp_path / "home/data/toy").glob("parts-*/*.npz"))
    first.write_bytes(first.read_bytes()[:100])
    convert("toy", tmp_path / "source", tmp_path / "home", workers=1)
    assert stopped == [f"s{n:03}" for n in [*range(16), *range(32, 60)]]


def songs(*names: str) -> Song:
    chords = tuple(ChordSpan(2.0 * i, 2.0, chord) for i, name in enumerate(names) if (chord := Chord.parse(name)))
    return Song((Note(0.0, 1.0, 60),), chords, (Meter(0.0, 4, 4),))


def test_joined_files_are_the_merged_packs(tmp_path: Path) -> None:
    """Ids of different widths, shared chords, silence, a pack without pieces, a collection met before."""
    packs = [
        make_pack("a", [("1", "train", encode(toy_song())), ("22", "test", encode(songs("C", "Bb")))]),
        make_pack("empty", []),
        make_pack("b", [("a long name", "valid", encode(songs("Bb", "G7b9")))]),
        make_pack("a", [("3", "train", encode(songs()))]),
    ]
    paths = [tmp_path / f"{number}.npz" for number in range(len(packs))]
    for pack, path in zip(packs, paths, strict=True):
        pack.save(path)
    merged = merge_packs(packs)
    merged.save(tmp_path / "merged.npz")
    assert join_packs(paths, tmp_path / "joined.npz") == (4, len(merged.melody))
    assert (tmp_path / "joined.npz").read_bytes() == (tmp_path / "merged.npz").read_bytes()


@pytest.mark.parametrize("damage", [lambda data: data[:200], lambda data: b"no archive", lambda data: b""])
def test_a_damaged_pack_is_not_joined(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path, target = tmp_path / "a.npz", tmp_path / "joined.npz"
    make_pack("a", [("1", "train", encode(toy_song()))]).save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UnreadableFile, match=r"a\.npz"):
        join_packs([path], target)
    assert not target.exists()


def test_a_bit_that_flipped_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    pack = make_pack("a", [("1", "train", encode(toy_song()))])
    np.savez(path, **pack.arrays())
    data = bytearray(path.read_bytes())
    data[data.index(pack.melody.tobytes())] ^= 1
    path.write_bytes(data)
    with pytest.raises(UnreadableFile, match="CRC"):
        join_packs([path], tmp_path / "joined.npz")


def touch(folder: Path, items: list[int]) -> list[int]:
    for item in items:
        (folder / str(item)).touch()
    return items


@pytest.mark.parametrize("workers", [1, 2])
def test_few_blocks_are_begun_ahead(workers: int, tmp_path: Path) -> None:
    results: Iterator[int] = over_processes("Touching", range(200), partial(touch, tmp_path), workers, 2)
    assert next(results) == 0
    time.sleep(0.2)
    assert len(list(tmp_path.iterdir())) <= 2 * 4 * workers
    assert list(results) == list(range(1, 200))


@unix
@pytest.mark.live
def test_a_kill_leaves_no_process_behind(tmp_path: Path) -> None:
    script, pids = tmp_path / "wait.py", tmp_path / "pids"
    pids.mkdir()
    script.write_text(FOLLOWERS)
    process = subprocess.Popen([sys.executable, str(script), str(pids)])
    wait_until(lambda: len(list(pids.iterdir())) == 2 or process.poll() is not None)
    process.kill()
    process.wait()
    wait_until(lambda: not any(alive(int(path.name)) for path in pids.iterdir()))


def wait_until(come: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not come():
        assert time.monotonic() < limit
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
