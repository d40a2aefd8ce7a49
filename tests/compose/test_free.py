"""Writing as published (NotaGen spec 4.2, 4.3): what is forced, what ends a piece, how the context is made anew."""

import numpy as np
import pytest
from scripted import dictated, perform, reading

from sideman.compose.actions import Ids, Write
from sideman.compose.free import free
from sideman.music.sheet.patches import BOS_PATCH, EOS, EOS_PATCH, PAD, Patches, encode

SHEET = "L:1/8\nM:2/4\nK:G\nV:1 treble \n[V:1]G2 F2|\n[V:1]G2 A2|\n[V:1]G4|]\n"
PROMPT = "%Romantic\n%Schubert, Franz\n%Art Song\n"


def test_what_the_network_writes_is_the_text():
    patches = encode(SHEET)
    # The first patch of the body is thrown away, then it is written again behind the tag that is given.
    body = next(at for at, row in enumerate(patches) if bytes(row[:3].tolist()) == b"[r:")
    script = np.concatenate([patches[1 : body + 1], patches[body:]])
    done = perform(free("", 64), dictated(script))
    assert done.why == "end"
    assert done.text == reading(patches)
    np.testing.assert_array_equal(done.context, patches[:-1])
    assert done.asked[body][1] == Write(tuple(b"[r:0/"))
    assert [write.opened for _, write in done.asked].count(()) == len(done.asked) - 1


def test_numbering_begins_at_nothing_whatever_was_wanted():
    middle = np.array([*b"[r:7/9][V:1]c2|", EOS], np.int64)
    first = np.array([*b"[r:0/9][V:1]c2|", EOS], np.int64)
    done = perform(free("", 64), dictated(np.stack([middle, first, EOS_PATCH])))
    assert done.text == "[r:0/9][V:1]c2|"
    np.testing.assert_array_equal(done.context[1:], [first])


def test_a_prompt_is_read_line_by_line_and_said_first():
    done = perform(free(PROMPT, 64), dictated(EOS_PATCH[None]))
    assert done.text == PROMPT
    np.testing.assert_array_equal(done.context, encode(PROMPT)[:-1])


def line_of(number: int, count: int) -> str:
    return f"[r:{number}/{count - 1 - number}][V:1]c4 d4 e4 f4 g4|\n"


def whole_lines(count: int) -> str:
    return "L:1/8\nV:1 treble \n" + "".join(line_of(n, count) for n in range(count))


def test_the_context_is_made_anew_from_the_header_and_half_of_the_lines():
    text = whole_lines(30)
    patches = encode(text)
    body = 3  # BOS and two lines of header
    script = np.concatenate([patches[1 : body + 1], patches[body:]])
    done = perform(free("", 40), dictated(script))
    assert done.why == "end"
    assert done.text == text
    assert done.rebuilt
    for context in done.rebuilt:
        assert (context[0] == BOS_PATCH).all()
        kept = reading(context)
        assert kept.startswith("L:1/8\nV:1 treble \n[r:")
        assert kept.removeprefix("L:1/8\nV:1 treble \n") in text
    # The first time half of the lines, and as many ever after.
    lines = [reading(context).count("\n[r:") for context in done.rebuilt]
    assert len(set(lines)) == 1
    assert max(len(context) for context, _ in done.asked) < 40


@pytest.mark.parametrize("ends", [True, False], ids=["at the end of a line", "within a line"])
def test_a_line_that_was_begun_goes_on(ends: bool):
    """Nothing is lost or doubled where the context was made anew."""
    length = 41 if ends else 40
    text = whole_lines(12)
    patches = encode(text)
    done = perform(free("", length), dictated(np.concatenate([patches[1:4], patches[3:]])))
    assert done.text == text


def test_a_first_line_without_an_end_is_no_piece():
    row = np.array([*b"[r:0/9][V:1]c2d2"], np.int64)
    more = np.array([*b"c2d2e2f2g2a2b2c2"], np.int64)

    def network(context: Patches, write: Write) -> Ids:
        return tuple((row if write.opened or len(context) == 1 else more).tolist())

    done = perform(free("", 16), network)
    assert done.why == "long"
    assert len(done.context) == 16


def test_odd_ids_are_characters_as_published():
    odd = np.array([65, 1, PAD + 66, EOS], np.int64)
    done = perform(free("", 16), dictated(np.stack([np.pad(odd, (0, 12)), EOS_PATCH])))
    assert done.text == "A\x01B"
