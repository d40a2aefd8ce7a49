"""Bytes of a .musicxml, .xml or .mxl file -> the tree of its score, or a clear refusal.

Knows zip and XML, nothing of music. A file is refused (UnreadableFile) when it is cut short, is no
XML, carries its own entities or declarations, or nests absurdly; it is refused as TooLarge above
20 MB unpacked or 100,000 notes. Nothing outside the given bytes is ever opened.
"""

import io
import zipfile
import zlib
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from sideman.errors import TooLarge, UnreadableFile

MAX_BYTES = 20_000_000
MAX_NOTES = 100_000
_MAX_DEPTH = 64
_ENDINGS = (".musicxml", ".xml")
_ZIP_ERRORS = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, KeyError, NotImplementedError,
)  # fmt: skip


def read_tree(data: bytes) -> Element:
    """Root element of the score in `data`, tags without namespace. Raises UnreadableFile, TooLarge."""
    return parse_xml(_unpack(data) if data[:2] == b"PK" else data)


def parse_xml(data: bytes) -> Element:
    """XML without declarations of its own -> root element. Raises UnreadableFile, TooLarge."""
    if len(data) > MAX_BYTES:
        raise TooLarge(f"The score is larger than {MAX_BYTES // 1_000_000} MB.")
    parser, limits = expat.ParserCreate(), _Limits()
    parser.buffer_text = True
    parser.StartElementHandler = limits.start
    parser.EndElementHandler = limits.end
    parser.CharacterDataHandler = limits.builder.data
    parser.StartDoctypeDeclHandler = _doctype
    parser.EntityDeclHandler = _entity
    try:
        parser.Parse(data, True)
        return limits.builder.close()
    except (expat.ExpatError, LookupError, UnicodeError, AssertionError) as error:
        raise UnreadableFile(f"The score is not well-formed XML ({error}).", "Export it again as MusicXML.") from None


class _Limits:
    """Feeds a TreeBuilder and counts what hostile files have too much of."""

    def __init__(self) -> None:
        self.builder = TreeBuilder()
        self._depth = 0
        self._notes = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        self._depth += 1
        self._notes += name == "note"
        if self._depth > _MAX_DEPTH:
            raise UnreadableFile(f"The score nests more than {_MAX_DEPTH} elements.", "Export it again as MusicXML.")
        if self._notes > MAX_NOTES:
            raise TooLarge(f"The score has more than {MAX_NOTES:,} notes.", "Give a single movement or part.")
        self.builder.start(name, attributes)

    def end(self, tag: str) -> None:
        self._depth -= 1
        self.builder.end(tag.rpartition(":")[2])


def _doctype(name: str, system: str | None, public: str | None, internal_subset: bool) -> None:
    if internal_subset:
        _entity()


def _entity(*_: object) -> None:
    raise UnreadableFile(
        "The score declares entities of its own, which is refused for safety.",
        "Export it again as MusicXML, without declarations inside the DOCTYPE.",
    )


def _unpack(data: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _member(archive, _score_name(archive))
    except _ZIP_ERRORS as error:
        raise UnreadableFile(f"The .mxl file cannot be unpacked ({error}).", "It may be cut short.") from None


def _score_name(archive: zipfile.ZipFile) -> str:
    """The score META-INF/container.xml names; where that is missing or broken, the largest XML file."""
    names = archive.namelist()
    try:
        container = parse_xml(_member(archive, "META-INF/container.xml"))
        named = [e.get("full-path", "") for e in container.iter("rootfile")]
    except (UnreadableFile, KeyError):
        named = []  # some editors quote a path with an apostrophe in apostrophes
    found = [name for name in named if name in names][:1] or [
        info.filename
        for info in sorted(archive.infolist(), key=lambda i: (-i.file_size, i.filename))
        if info.filename.lower().endswith(_ENDINGS) and not info.filename.startswith(("META-INF/", "__MACOSX/"))
    ]
    if not found:
        raise UnreadableFile("The .mxl file holds no score.", "It should contain a .musicxml or .xml file.")
    return found[0]


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as stream:
        data = stream.read(MAX_BYTES + 1)  # the size in the directory may lie
    if len(data) > MAX_BYTES:
        raise TooLarge(f"The .mxl file unpacks to more than {MAX_BYTES // 1_000_000} MB.")
    return data
