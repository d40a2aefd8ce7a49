"""A piece whose header can be read and whose bars fit together: what does not is written again (NotaGen spec 4.3).

The network writes line by line and, in the body, voice bar by voice bar. Each is looked at when it is complete; one
that goes on when its bar is full ends there, another that may not stand is forgotten and written anew, and after a few
attempts put right by rule. Numbering of lines is not
left to chance: with a number of bars wanted the countdown is given, without one it goes on from where the network began
it. The prompt and the header never leave the context.
"""

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field

import numpy as np

from sideman.compose.actions import Back, Ids, Piece, Read, Request, Say, Write
from sideman.compose.bar import Line
from sideman.compose.free import FIRST_TAG, written
from sideman.compose.header import Header
from sideman.music.sheet.bars import BARLINE
from sideman.music.sheet.patches import BOS_PATCH, EOS, PAD, PATCH_SIZE, Patches, decode, encode, encode_prefix

TRIES = 6
MOST_LINES = 1024
# Patches of one header line or voice bar, and what must be free before a line is begun; less where little is read.
LONGEST_UNIT, ROOM = 24, 96
_COUNT = re.compile(r"\[r:0/(\d{1,4})\]")
_STARTS_UNIT = re.compile(BARLINE)
# The eight characters a voice bar begins with, if it is one.
_BEGINS_UNIT = re.compile(rf"(?:{BARLINE})?[0-9,.-]*\[(?:$|V(?:$|:))")
_NO_MUSIC_YET = re.compile(rf"(?:{BARLINE})?[0-9,.-]*(?:\[[A-Z]:[^\]]*\])*")

Steps = Generator[Request, Ids | None, None]


@dataclass(frozen=True, slots=True)
class _Patch:
    """A patch of the voice bar being written: its text, and how many patches stood before it."""

    mark: int
    text: str


@dataclass
class Strict:
    """One piece. `prompt`: lines that stand before the header; `wanted`: header lines by field; `opening`: lines of a
    beginning to go on from, its header; `body`: and its music, without tags; `bars`: how many lines there will be in
    all. `count`: patches in the context; `begun`: where the line being written begins in it."""

    length: int
    prompt: str = ""
    wanted: Mapping[str, str] = field(default_factory=dict)
    opening: tuple[str, ...] = ()
    body: list[str] = field(default_factory=list)
    bars: int | None = None
    header: Header = field(default_factory=Header)
    count: int = 0
    cut: int = 0
    begun: int = 0
    ahead: Patches | None = None

    def piece(self) -> Piece:
        """The requests of writing it. Ends with `end`."""
        self.header.wanted = self.wanted
        yield from self._read(BOS_PATCH[None])
        for line in self.prompt.splitlines():
            yield from self._take(line)
        for line in self.opening:
            yield from self._take(line)
        if not self.body:
            yield from self._header()
        yield from self._lines()
        return "end"

    # The header

    def _header(self) -> Steps:
        """Lines until the network wants to begin the body and may."""
        tries = 0
        while True:
            mark = self.count
            line = yield from self._line()
            due = "" if line is None else self.header.due(line)
            if line is not None and not due and not self.header.objection(line):
                if not line:
                    return
                self.header.add(line)
                yield Say(line + "\n")
                tries = 0
                continue
            yield from self._back(mark)
            tries += 1
            if due:
                yield from self._take(due)
                tries = 0
            elif tries > TRIES:
                remedy = self.header.remedy()
                if not remedy:
                    return
                yield from self._take(remedy)
                tries = 0

    def _line(self) -> Generator[Request, Ids | None, str | None]:
        """A header line; empty where the network would begin the body, None where it came to no end."""
        text = ""
        for _ in range(LONGEST_UNIT):
            ids = yield from written(Write(text=True))
            text += decode(ids)
            if text.startswith(("[r:", "[V:")):
                return ""
            yield from self._read(_closed(ids))
            if text.endswith("\n"):
                return text[:-1]
            if EOS in ids:
                return None
        return None

    def _take(self, line: str) -> Steps:
        """A header line that is given."""
        self.header.add(line)
        yield from self._read(unit_patches(line + "\n"))
        yield Say(line + "\n")

    # The body

    def _lines(self) -> Steps:
        given, self.body = self.body, []
        total = self.bars or (yield from self._counted(len(given)))
        metre, upbeat = self.header.metre, None
        for number in range(total):
            tag = f"[r:{number}/{total - 1 - number}]"
            if number < len(given):
                text = given[number]
                yield from self._read(line_patches(tag + text))
            else:
                line = Line(self.header, number, number == total - 1, metre, "M:" in self.wanted, upbeat)
                yield from self._bars(tag, line)
                text, metre = line.text, line.metre
                upbeat = line.short if number == 0 else upbeat
            self.body.append(f"{tag}{text}")
            yield Say(self.body[-1])
            if self.count + self._room > self.length and number < total - 1:
                yield from self._rebuild("")

    def _counted(self, given: int) -> Generator[Request, Ids | None, int]:
        """How many lines there will be, which the network says behind the first number."""
        for _ in range(TRIES):
            ids = yield from written(Write(tuple(FIRST_TAG.encode()), text=True))
            found = _COUNT.match(decode(ids))
            if found and given < int(found[1]) + 1 <= MOST_LINES:
                return int(found[1]) + 1
        return given + 16

    def _bars(self, tag: str, line: Line) -> Steps:
        """One line, voice bar by voice bar. Of one that may not stand the last patch is written again, now and then
        all of it."""
        tries, self.ahead, self.begun = 0, None, self.count
        opened, chunk = tag, list[_Patch]()
        while not line.ended:
            if self.count + self._longest >= self.length and not chunk:
                yield from self._rebuild(line.text and tag + line.text)
            yield from self._chunk(chunk, opened, line)
            text = _text(chunk, opened)
            if line.objection(text):
                tries += 1
                full = line.trimmed(text)
                tries = TRIES if full else tries
                kept = len(chunk) - 1 if tries % 3 and tries < TRIES else 0
                yield from self._back(chunk[kept].mark)
                del chunk[kept:]
                if tries < TRIES:
                    continue
                text = full or line.mended(text)
                yield from self._read(unit_patches(opened + text))
            line.add(text)
            opened, tries, chunk = "", 0, []
            if not line.ended and not line.left():
                line.text += f"{line.barline or ('|]' if line.last else '|')}\n"
                yield from self._back(self.begun)
                yield from self._read(line_patches(tag + line.text))

    def _chunk(self, chunk: list[_Patch], opened: str, line: Line) -> Steps:
        """Go on with a voice bar up to the next barline that opens one, or to the end of the line. It begins with the
        tag that is `opened`. A patch that was written too far waits for the next voice bar."""
        while len(chunk) < self._longest:
            ids, self.ahead = self.ahead, None
            if ids is None:
                ids = yield from written(Write(() if chunk else tuple(opened.encode()), text=True))
            piece = decode(ids)
            if chunk and _STARTS_UNIT.match(piece) and "V:" in piece:
                self.ahead = ids
                return
            chunk.append(_Patch(self.count, piece))
            yield from self._read(_closed(ids))
            text = _text(chunk, opened)
            if not _BEGINS_UNIT.match(text[:8]) or line.overfull(text):
                return  # it is no voice bar, however it goes on
            # Before the first bar there may be a barline, which cuts its unit in two.
            unfinished = line.number == 0 and _NO_MUSIC_YET.fullmatch(text)
            if text.endswith("\n") or (EOS in ids[0] and not unfinished):
                return

    # The context

    def _read(self, patches: Patches) -> Steps:
        self.count += len(patches)
        yield Read(patches)

    def _back(self, mark: int) -> Steps:
        self.count, self.ahead = mark, None
        yield Back(mark)

    def _rebuild(self, begun: str) -> Steps:
        """Begin the context anew with all of the header and the last lines, the first time half of them, and what
        there is of a line that was `begun`."""
        self.cut = self.cut or max(1, len(self.body) // 2)
        header = encode("".join(line + "\n" for line in self.header.lines))[:-1]
        line = unit_patches_of(begun)
        cut = min(self.cut, len(self.body))
        while True:
            lines = [line_patches(text) for text in self.body[len(self.body) - cut :]]
            whole = np.concatenate([header, *lines])
            if len(whole) + len(line) + self._room <= self.length or not cut:
                break
            cut //= 2
        yield from self._back(0)
        yield from self._read(whole)
        self.begun = self.count
        yield from self._read(line)

    @property
    def _room(self) -> int:
        return min(ROOM, self.length // 4)

    @property
    def _longest(self) -> int:
        return min(LONGEST_UNIT, self.length // 8)


def _text(chunk: list[_Patch], opened: str) -> str:
    return "".join(patch.text for patch in chunk)[len(opened) :]


def unit_patches(text: str) -> Patches:
    """One unit of text, closed (NotaGen spec 2.2)."""
    ids = [*text.encode("ascii")]
    if len(ids) % PATCH_SIZE:
        ids.append(EOS)
    ids += [PAD] * (-len(ids) % PATCH_SIZE)
    return np.array(ids, np.int64).reshape(-1, PATCH_SIZE)


def line_patches(line: str) -> Patches:
    """A whole body line with its tag."""
    return encode(line)[1:-1]


def unit_patches_of(begun: str) -> Patches:
    """The beginning of a body line, which ends with a voice bar."""
    if not begun:
        return np.zeros((0, PATCH_SIZE), np.int64)
    patches, opened = encode_prefix(begun)
    return np.concatenate([patches[1:], *([_closed(np.array([opened]))] if opened else [])])


def _closed(ids: Patches) -> Patches:
    """A patch [1, n] as training has it: after a line's end or after its last character EOS, then PAD."""
    row = ids[0].tolist()
    written = [*row[: row.index(PAD)]] if PAD in row else row
    if len(written) < PATCH_SIZE and EOS not in written:
        written.append(EOS)
    return np.array([written + [PAD] * (PATCH_SIZE - len(written))], np.int64)
