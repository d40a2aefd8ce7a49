"""Files that are broken, cut short or built to hurt: one clear error, nothing else."""

import io
import random
import zipfile

import pytest
from score_text import note, score

from sideman.errors import SidemanError, TooLarge, UnreadableFile
from sideman.formats.musicxml import read_musicxml

GOOD = score(note("C", 8))


def packed(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def container(path: str, quote: str = '"') -> bytes:
    return f"<container><rootfiles><rootfile full-path={quote}{path}{quote}/></rootfiles></container>".encode()


def test_container_names_the_score_among_others() -> None:
    files = {
        "META-INF/container.xml": container("b.xml"), "a.xml": score(note("D", 8), note("E", 8)), "b.xml": GOOD,
    }  # fmt: skip
    assert [n.pitch for n in read_musicxml(packed(files)).notes] == [60]


@pytest.mark.parametrize(
    "broken", [container("It's it.xml", "'"), container("gone.xml"), b"", b"<container/>", b"\xff\xfe\x00"]
)
def test_broken_container_falls_back_to_the_only_score(broken: bytes) -> None:
    files = {"META-INF/container.xml": broken, "It's it.xml": GOOD, "cover.png": b"x" * 9999}
    assert len(read_musicxml(packed(files)).notes) == 1


def test_no_container_at_all() -> None:
    assert len(read_musicxml(packed({"song.musicxml": GOOD})).notes) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x00" * 100, b"PK\x03\x04 and nothing", b"<html></html>", b"MThd\x00\x00\x00\x06",
        b"<score-partwise/>", GOOD[:-20], packed({"readme.txt": b"hello"}), packed({"a.xml": GOOD})[:-30],
        GOOD.replace(b"<duration>8", b"<duration>eight"), GOOD.replace(b"<duration>8", b"<duration>1e9"),
        GOOD.replace(b"<divisions>2", b"<divisions>0"), GOOD.replace(b"<duration>8", b"<duration>nan"),
        GOOD.replace(b"<duration>8", b"<duration>99999999"),
        b"<a>" * 100 + b"</a>" * 100,
    ],
)  # fmt: skip
def test_no_score(data: bytes) -> None:
    with pytest.raises(UnreadableFile):
        read_musicxml(data)


LAUGHS = "".join(f'<!ENTITY l{i} "&l{i - 1};&l{i - 1};&l{i - 1};&l{i - 1};">' for i in range(1, 30))


@pytest.mark.parametrize(
    "subset",
    [
        f'[<!ENTITY l0 "ha">{LAUGHS}]', '[<!ENTITY x SYSTEM "file:///etc/passwd">]',
        '[<!ENTITY % p SYSTEM "p.dtd">%p;]',
        "[<!ELEMENT score-partwise ANY>]", "[]",
    ],
)  # fmt: skip
def test_declarations_inside_are_refused(subset: str) -> None:
    doctype = f"<!DOCTYPE score-partwise {subset}>".encode()
    with pytest.raises(UnreadableFile, match="entities"):
        read_musicxml(GOOD.replace(b'<?xml version="1.0"?>', b'<?xml version="1.0"?>' + doctype))


def test_an_external_dtd_is_named_but_never_opened() -> None:
    doctype = b"<!DOCTYPE score-partwise PUBLIC '-//Recordare//DTD MusicXML 2.0 Partwise//EN' 'file:///gone.dtd'>"
    assert len(read_musicxml(GOOD.replace(b'<?xml version="1.0"?>', b'<?xml version="1.0"?>' + doctype)).notes) == 1


def test_zip_bomb() -> None:
    with pytest.raises(TooLarge):
        read_musicxml(packed({"a.xml": b"<score-partwise>" + b" " * 30_000_000}))


def test_zip_bomb_that_lies_about_its_size() -> None:
    data = packed({"a.xml": GOOD[:-1] + b" " * 25_000_000 + b">"})
    directory = data.rindex(b"PK\x01\x02")
    small = data[: directory + 24] + (1000).to_bytes(4, "little") + data[directory + 28 :]
    with pytest.raises(SidemanError):
        read_musicxml(small)


def test_too_many_notes() -> None:
    with pytest.raises(TooLarge, match="notes"):
        read_musicxml(score("<note/>" * 100_001))


def test_repeats_that_multiply() -> None:
    again = '<barline location="left"><repeat direction="forward"/></barline>{}<barline><repeat direction="backward" '
    bar = again.format(note("C", 8) * 100) + 'times="999999999"/></barline>'
    with pytest.raises(TooLarge):
        read_musicxml(score(*[bar] * 120))


def test_damaged_bytes_never_give_a_traceback() -> None:
    chance, outcomes = random.Random(5), {True: 0, False: 0}
    for source in (GOOD, packed({"META-INF/container.xml": container("a.xml"), "a.xml": GOOD})):
        for _ in range(150):
            data = bytearray(source)
            for _ in range(chance.randint(1, 6)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            try:
                read_musicxml(bytes(data))
                outcomes[True] += 1
            except SidemanError:
                outcomes[False] += 1
    assert outcomes[False] > 100
