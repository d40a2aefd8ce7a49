"""Archives that lie: paths out of the folder, links, bombs, damage. Good ones come out whole."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from sideman.data.unpack import unpack
from sideman.errors import SidemanError, TooLarge, UnreadableFile


def tar(path: Path, entries: dict[str, bytes], link: str | None = None) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        if link:
            info = tarfile.TarInfo("link")
            info.type, info.linkname = tarfile.SYMTYPE, link
            archive.addfile(info)
    return path


def make_zip(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


GOOD = {"Tunes-main/a.abc": b"X:1", "Tunes-main/deep/[b]?.abc": b"X:2"}


def test_tar_zip_and_folder_give_the_same_tree(tmp_path: Path) -> None:
    unpack(tar(tmp_path / "a.tar.gz", GOOD), tmp_path / "tar")
    unpack(make_zip(tmp_path / "a.zip", GOOD), tmp_path / "zip")
    unpack(tmp_path / "tar", tmp_path / "folder")
    assert contents(tmp_path / "tar") == contents(tmp_path / "zip") == contents(tmp_path / "folder") == GOOD


def test_the_top_folder_of_a_public_source_archive_is_left_out(tmp_path: Path) -> None:
    unpack(tar(tmp_path / "a.tar.gz", GOOD), tmp_path / "out", "Tunes")
    assert set(contents(tmp_path / "out")) == {"a.abc", "deep/[b]?.abc"}
    unpack(tar(tmp_path / "a.tar.gz", GOOD), tmp_path / "out", "Songs")
    assert set(contents(tmp_path / "out")) == set(GOOD)


def test_one_packed_json_file_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "songs.json.gz").write_bytes(b"packed")
    unpack(tmp_path / "songs.json.gz", tmp_path / "out")
    unpack(tmp_path / "songs.json.gz", tmp_path / "named", file="Known.json.gz")
    assert contents(tmp_path / "out") == {"songs.json.gz": b"packed"}
    assert contents(tmp_path / "named") == {"Known.json.gz": b"packed"}


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "a/.."])
@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_paths_out_of_the_folder_are_refused_and_nothing_stays(tmp_path: Path, name: str, kind: str) -> None:
    entries = {"ok": b"1", name: b"2"}
    source = tar(tmp_path / "x.tar.gz", entries) if kind == "tar" else make_zip(tmp_path / "x.zip", entries)
    (tmp_path / "inner").mkdir()
    with pytest.raises(UnreadableFile, match="unsafe path"):
        unpack(source, tmp_path / "inner" / "out")
    assert list((tmp_path / "inner").iterdir()) == []
    assert {p.name for p in tmp_path.iterdir()} == {source.name, "inner"}


def test_links_are_passed_over(tmp_path: Path) -> None:
    unpack(tar(tmp_path / "x.tar.gz", {"ok": b"1"}, link="/etc/passwd"), tmp_path / "out")
    assert contents(tmp_path / "out") == {"ok": b"1"}


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_bombs_stop_at_the_limit(tmp_path: Path, kind: str) -> None:
    entries = {"zeros": bytes(3 << 20)}
    source = tar(tmp_path / "x.tar.gz", entries) if kind == "tar" else make_zip(tmp_path / "x.zip", entries)
    with pytest.raises(TooLarge):
        unpack(source, tmp_path / "out", limit_bytes=1 << 20)
    with pytest.raises(TooLarge):
        unpack(source, tmp_path / "out", limit_files=0)
    assert [p.name for p in tmp_path.iterdir()] == [source.name]


def test_damage_is_an_error_and_keeps_the_old_folder(tmp_path: Path) -> None:
    whole = tar(tmp_path / "x.tar.gz", {"a": bytes(range(256)) * 2000, "b": b"2"}).read_bytes()
    unpack(tmp_path / "x.tar.gz", tmp_path / "out")
    for damaged in (whole[: len(whole) // 2], whole[:-20] + bytes(20), b"not an archive", b""):
        (tmp_path / "x.tar.gz").write_bytes(damaged)
        with pytest.raises(SidemanError):
            unpack(tmp_path / "x.tar.gz", tmp_path / "out")
    assert set(contents(tmp_path / "out")) == {"a", "b"}


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="nowhere"):
        unpack(tmp_path / "nowhere.zip", tmp_path / "out")
