"""Collections from an archive or a download to their folder; the table of collections itself."""

import tarfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sideman.data.collections import Collection, collection, collections
from sideman.data.download import DownloadFailed
from sideman.data.fetch import fetch
from sideman.errors import UnreadableFile, WrongValue


def archive(path: Path) -> Path:
    (path.parent / "toy-tunes-abc123").mkdir(parents=True)
    (path.parent / "toy-tunes-abc123" / "tune.abc").write_text("X:1")
    with tarfile.open(path, "w:gz") as out:
        out.add(path.parent / "toy-tunes-abc123", "toy-tunes-abc123")
    return path


def test_every_collection_can_be_loaded_and_says_what_it_allows() -> None:
    songs = ["hooktheory", "pop909", "nottingham", "wikifonia", "openewld"]
    sheets = ["openscore-lieder", "openscore-quartets"]
    assert list(collections()) == songs + sheets
    assert [n for n, row in collections().items() if "sheets" in row.holds] == ["nottingham", *sheets]
    for row in collections().values():
        assert urlsplit(row.url).scheme == "https"
        assert row.licence
        assert all(len(digest) == 64 for digest in row.sha256 + row.known)
    assert {n for n, row in collections().items() if row.use == "evaluate"} == {"wikifonia", "openewld"}


def test_an_unknown_collection_lists_the_known_ones() -> None:
    with pytest.raises(WrongValue) as failed:
        collection("pop808")
    assert "pop909" in failed.value.hint


def test_a_local_archive_is_unpacked_without_its_top_folder(
    toy: Callable[..., Collection], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toy()
    folder = fetch("toy", archive(tmp_path / "in" / "a.tar.gz"), tmp_path / "home")
    assert folder == tmp_path / "home" / "data" / "toy" / "source"
    assert [p.name for p in folder.iterdir()] == ["tune.abc"]
    said = capsys.readouterr()
    assert "sha256" in said.err
    assert not said.out


def test_a_download_lands_in_the_same_place_and_is_not_repeated(toy: Callable[..., Collection], tmp_path: Path) -> None:
    file = archive(tmp_path / "in" / "a.tar.gz")
    toy(url=file.as_uri())
    folder = fetch("toy", None, tmp_path / "home")
    assert [p.name for p in folder.iterdir()] == ["tune.abc"]
    assert [p.name for p in folder.parent.iterdir()] == ["source"]
    file.unlink()
    assert fetch("toy", None, tmp_path / "home") == folder


def test_a_download_that_is_not_the_expected_file_is_refused(toy: Callable[..., Collection], tmp_path: Path) -> None:
    toy(url=archive(tmp_path / "in" / "a.tar.gz").as_uri(), sha256=("0" * 64,))
    with pytest.raises(DownloadFailed):
        fetch("toy", None, tmp_path / "home")
    assert list((tmp_path / "home" / "data" / "toy").iterdir()) == []


def test_a_missing_local_archive_is_named(toy: Callable[..., Collection], tmp_path: Path) -> None:
    toy()
    with pytest.raises(UnreadableFile, match="gone"):
        fetch("toy", tmp_path / "gone.zip", tmp_path / "home")
