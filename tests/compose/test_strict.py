"""Constrained writing: whatever the network does, headers can be read and bars fit together."""

import re

import numpy as np
import pytest
from scripted import Network, perform, reading

from sideman.compose.actions import Ids, Write
from sideman.compose.strict import Strict
from sideman.music.sheet.alignment import align
from sideman.music.sheet.interleaved import read_interleaved
from sideman.music.sheet.patches import EOS, PAD, Patches, decode, encode, split
from sideman.music.sheet.prompts import without_prompt
from sideman.music.sheet.rests import complete

SHEET = """%Romantic
%Schubert, Franz
%Art Song
%end
%%score 1 { 2 | 3 }
L:1/8
Q:1/4=60
M:2/4
K:G
V:1 treble nm="Voice" snm="V."
V:2 treble nm="Piano" snm="Pno."
V:3 bass
[V:1]"^Largo" z4|[V:2][DF]2 ^D2|[V:3]G,,4|
[V:1]G2 F2|[V:2][DF]2 ^D2|[V:3]G,,4|
[V:1](3GAB c2|[V:3][G,,D,]4|
[V:1]G2 F2|][V:2][DF]2 ^D2|][V:3]G,,4|]
"""


def copyist(sheet: str) -> Network:
    """A network that has learned one sheet by heart, and finds its place in it again."""
    patches = encode(sheet)
    rows = [tuple(row[row != PAD].tolist()) for row in patches]
    place = {decode(patches[: n + 1]): n for n in range(len(rows))}

    def write(context: Patches, wanted: Write) -> Ids:
        after = rows[place[reading(context)] + 1]
        assert after[: len(wanted.opened)] == wanted.opened
        return after

    return write


def scribble(seed: int) -> Network:
    """A network that knows nothing but the signs of music."""
    rng = np.random.default_rng(seed)
    signs = np.frombuffer(b'[V:1]|[V:2]|[V:3]CDEFGABcdefgz234/(3 "!-\n%KMLQ', np.uint8)

    def write(context: Patches, wanted: Write) -> Ids:
        ids = list(wanted.opened)
        while len(ids) < 16:
            ids.append(int(rng.choice(signs)))
            if ids[-1] == 10 or rng.random() < 0.1:
                break
        return tuple(ids if len(ids) == 16 else [*ids, EOS])

    return write


def test_a_good_sheet_is_left_alone():
    """All is accepted at once, so nothing is taken back, and the context is that of training."""
    done = perform(Strict(64).piece(), copyist(SHEET))
    assert done.why == "end"
    np.testing.assert_array_equal(done.context, encode(SHEET)[:-1])
    assert done.text == decode(encode(SHEET))
    # The first patch of the body is asked for twice, once before its tag is known.
    assert len(done.asked) == len(encode(SHEET)) - 2 + 2


def test_the_countdown_is_given():
    header, body = split(SHEET)
    longer = "\n".join([*header, *(body[1:2] * 6), ""])
    patches = encode(longer)
    script = [tuple(row[row != PAD].tolist()) for row in patches]
    first = next(at for at, row in enumerate(patches) if bytes(row[:3].tolist()) == b"[r:")
    left = [*script[1:first], script[first], *script[first:-1]]
    done = perform(Strict(96, bars=6).piece(), lambda context, write: left.pop(0))
    tags = re.findall(r"\[r:\d+/\d+\]", done.text)
    assert tags == [f"[r:{n}/{5 - n}]" for n in range(6)]
    assert done.asked[first][1].opened == tuple(b"[r:0/5]")
    assert not left


@pytest.mark.parametrize("seed", range(4))
def test_nothing_a_network_does_makes_a_sheet_that_does_not_fit(seed: int):
    wanted = {"Q:": "Q:1/4=96", "M:": "M:3/4", "K:": "K:Bb"}
    done = perform(Strict(128, "%a\n%b\n%c\n", wanted, bars=5).piece(), scribble(seed))
    header, body = split(done.text)
    assert [line for line in wanted.values() if line in header] == list(wanted.values())
    assert [line[: line.index("]") + 1] for line in body] == [f"[r:{n}/{4 - n}]" for n in range(5)]
    sheet = read_interleaved(complete(without_prompt(done.text)))
    assert len(sheet) == 5
    assert align(sheet).good
    assert len(done.context) <= 128


def test_how_long_a_piece_is_may_be_left_to_the_network():
    text = decode(encode(SHEET))
    assert "[r:0/3]" in text
    done = perform(Strict(64, wanted={"K:": "K:G"}).piece(), copyist(SHEET))
    assert done.text == text


def test_a_beginning_is_kept_and_gone_on_from():
    header, body = split(SHEET)
    opening = tuple(line for line in header if not line.startswith("%") or line.startswith("%%"))
    network = copyist("\n".join([*opening, *body, ""]))
    given = [line + "\n" for line in body[:2]]
    done = perform(Strict(64, opening=opening, body=given, bars=4).piece(), network)
    assert done.text == decode(encode("\n".join([*opening, *body, ""])))
    assert done.asked[0][1].opened == tuple(b"[r:2/1]")


def test_the_header_stays_when_the_context_is_made_anew():
    count = 40

    def write(context: Patches, wanted: Write) -> Ids:
        ids = [*wanted.opened, *b"[V:1]c4|\n"]
        return tuple([*ids, EOS][:16])

    prompt = "%Romantic\n%Schubert, Franz\n%Art Song\n"
    opening = ("%end", "L:1/8", "M:2/4", "K:G", "V:1 treble")
    script = iter(encode("\n".join([*opening, ""]))[1:-1])
    body_begun = np.array([*b"[r:0/39][V:1]c4|"], np.int64)
    in_header = [*script, body_begun]

    def network(context: Patches, wanted: Write) -> Ids:
        if in_header:
            row = in_header.pop(0)
            return tuple(row[row != PAD].tolist())
        return write(context, wanted)

    done = perform(Strict(64, prompt, bars=count).piece(), network)
    assert len(split(done.text)[1]) == count
    assert done.rebuilt
    for context in done.rebuilt:
        assert reading(context).startswith(prompt + "%end\nL:1/8\nM:2/4\nK:G\nV:1 treble\n[r:")
    assert max(len(context) for context, _ in done.asked) < 64


def test_a_patch_written_too_far_is_not_lost():
    """A voice bar that fills its last patch ends without EOS: only the barline of the next one shows it."""
    text = SHEET.replace("[V:1]G2 F2|[V:2][DF]2 ^D2", "[V:1]cdef|[V:2]DFDFD,D,")
    patches = encode(text.replace("DFDFD,D,", "D/F/D/F/D2"))
    full = [row for row in patches if PAD not in row and EOS not in row]
    assert any(bytes(row.tolist()).endswith(b"D2") for row in full)
    done = perform(Strict(64).piece(), copyist(decode(patches)))
    assert done.text == decode(patches)
