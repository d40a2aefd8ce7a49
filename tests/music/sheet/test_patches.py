"""Text <-> patches: the golden vectors of spec 12.1, crops, prefixes, and the way back."""

import numpy as np
import pytest

from sideman.errors import WrongValue
from sideman.music.sheet.patches import (
    BOS,
    BOS_PATCH,
    EOS,
    EOS_PATCH,
    PAD,
    PATCH_SIZE,
    crop_start,
    decode,
    encode,
    encode_prefix,
    tag,
    untag,
)

HEADER = """%%score 1 { ( 2 4 ) | 3 }
L:1/8
Q:1/4=60
M:2/4
K:G
V:1 treble nm="Voice" snm="V."
V:2 treble nm="Piano" snm="Pno."
V:4 treble 
V:3 bass 
"""  # noqa: W291 - the converter writes these blanks
REDUCED = (
    HEADER
    + """[V:1]"^Largo" z4|[V:2][DF]2 ^D2|[V:3]G,,4|
[V:1]G2 F2|[V:2][DF]2 ^D2|[V:3]G,,4|[V:4]B,4|
[V:1]G2 F2|][V:2][DF]2 ^D2|][V:3]G,,4|]
"""
)
# Spec 12.1: E = EOS, PAD left out.
GOLDEN = [
    "%%score 1 { ( 2 ", r"4 ) | 3 }\nE", r"L:1/8\nE", r"Q:1/4=60\nE", r"M:2/4\nE", r"K:G\nE", 'V:1 treble nm="V',
    r'oice" snm="V."\nE', 'V:2 treble nm="P', 'iano" snm="Pno."', r"\nE", r"V:4 treble \nE", r"V:3 bass \nE",
    '[r:0/2][V:1]"^La', 'rgo" z4E', "|[V:2][DF]2 ^D2E", r"|[V:3]G,,4|\nE", "[r:1/1][V:1]G2 F", "2E",
    "|[V:2][DF]2 ^D2E", "|[V:3]G,,4E", r"|[V:4]B,4|\nE", "[r:2/0][V:1]G2 F", "2E", "|][V:2][DF]2 ^D2",
    r"|][V:3]G,,4|]\nE",
]  # fmt: skip

PREFIX = "%%score 1\nL:1/8\nV:1 treble \n[r:0/9][V:1]G2 F2|\n"
LONG = "L:1/8\nK:C\n" + "".join(f"[V:1]ABCDEFGA{i:02}|\n" for i in range(20))


def shown(patch: np.ndarray) -> str:
    special = {PAD: "", EOS: "E", 10: r"\n"}
    return "".join(special.get(i, chr(i)) for i in patch.tolist())


def test_the_golden_piece():
    patches = encode(REDUCED)
    assert patches.dtype == np.int64
    assert patches.shape == (28, PATCH_SIZE)
    assert patches[0].tolist() == [1] * 15 + [2] == BOS_PATCH.tolist()
    assert patches[-1].tolist() == [1] + [2] * 15 == EOS_PATCH.tolist()
    assert [shown(patch) for patch in patches[1:-1]] == GOLDEN


def test_tagged_text_is_not_tagged_again():
    body = REDUCED[len(HEADER) :].splitlines()
    assert np.array_equal(encode(HEADER + "\n".join(tag(body)) + "\n"), encode(REDUCED))


def test_decoding_gives_the_tagged_text_back():
    lines = REDUCED[len(HEADER) :].splitlines()
    assert decode(encode(REDUCED)) == HEADER + "".join(line + "\n" for line in tag(lines))
    assert [untag(line) for line in tag(lines)] == lines


def test_ids_before_the_end_that_are_no_characters():
    patch = [BOS, PAD, 65, EOS, 66] + [PAD] * 11
    assert decode(patch) == "A"
    assert decode(patch, reference=True) == "\x01\x00A"


def test_blank_lines_and_a_missing_end_of_line_change_nothing():
    assert np.array_equal(encode(REDUCED.replace("\n", "\n\n").rstrip("\n")), encode(REDUCED))


def test_a_unit_that_fills_its_patch_has_no_end():
    patches = encode("K:C\n[V:1]abcdefgabcdefgab|cdefgab|[V:2]c|\n")
    assert shown(patches[2]) == "[r:0/0][V:1]abcd"
    assert shown(encode("%23456789012345\nK:C\n[V:1]c|\n")[1]) == r"%23456789012345\n"
    assert shown(patches[-2]) == r"|[V:2]c|\nE"


def test_repeats_open_the_next_chunk():
    body = encode("K:C\n[V:1]|:c4:||:[V:2]|:G4:||:\n")[2:-1]
    assert [shown(patch) for patch in body] == ["[r:0/0][V:1]E", "|:c4E", ":|E", "|:[V:2]E", "|:G4E", r":||:\nE"]


def test_crops_of_a_long_piece():
    whole = encode(LONG)
    assert len(whole) == 44
    assert np.array_equal(encode(LONG, 44), whole)
    starts = np.arange(0, 40, 2)
    rng = np.random.default_rng(0)
    drawn = [crop_start(starts, 44 - 20, rng) // 2 for _ in range(3000)]
    assert set(drawn) == set(range(13))
    # A third each: the head, the tail (line 12), one of the eleven between.
    assert abs(drawn.count(0) - 1000) < 150
    assert abs(drawn.count(12) - 1000) < 150
    ends = set()
    for _ in range(50):
        crop = encode(LONG, 20, rng)
        assert np.array_equal(crop[:3], whole[:3])
        line = (len(whole) - 1 if shown(crop[3]) == "" else int(shown(crop[3])[3:].split("/")[0])) if len(crop) else -1
        assert len(crop) == (20 if line != 12 else 3 + 16 + 1)
        complete = np.array_equal(crop[-1], EOS_PATCH)
        assert complete == (line == 12)
        ends.add(complete)
    assert ends == {True, False}
    assert np.array_equal(encode(LONG, 20), whole[:20])


def test_two_places_to_cut_are_head_and_tail():
    rng = np.random.default_rng(1)
    assert {crop_start([0, 8, 30], 5, rng) for _ in range(50)} == {0, 8}
    assert {crop_start([0], 5, rng) for _ in range(5)} == {0}


def test_a_prefix_stays_open():
    patches, ids = encode_prefix(PREFIX)
    assert [shown(patch) for patch in patches[1:]] == [
        r"%%score 1\nE",
        r"L:1/8\nE",
        r"V:1 treble \nE",
        "[r:0/9][V:1]G2 F",
    ]
    assert bytes(ids) == b"2|\n"
    patches, ids = encode_prefix(PREFIX + "[r:1/8][V:1]G2 A")
    assert [shown(patch) for patch in patches[-2:]] == [r"2|\nE", "[r:1/8][V:1]G2 A"]
    assert ids == ()


def test_a_prefix_that_ends_in_a_barline_keeps_its_line():
    patches, ids = encode_prefix(PREFIX + "[r:1/8][V:1]G2|")
    assert (shown(patches[-2]), shown(patches[-1]), ids) == ("[r:0/9][V:1]G2 F", r"2|\nE", tuple(b"[r:1/8][V:1]G2|"))
    dropped, ids = encode_prefix(PREFIX + "[r:1/8][V:1]G2|", reference=True)
    assert shown(dropped[-1]) == "[r:0/9][V:1]G2 F"
    assert bytes(ids) == b"2|\n"


def test_a_prompt_alone_is_closed():
    patches, ids = encode_prefix("%Romantic\n%Schubert, Franz\n%Art Song\n")
    assert shown(patches[-1]) == r"%Art Song\nE"
    assert ids == ()
    assert encode_prefix("%Romantic\n%Schu")[1] == tuple(b"%Schu")
    assert encode_prefix("")[0].tolist() == [BOS_PATCH.tolist()]


def test_a_prefix_longer_than_the_context():
    patches, ids = encode_prefix(LONG, 10)
    assert patches.shape == (10, PATCH_SIZE)
    assert ids == ()


def test_a_letter_beyond_ascii():
    with pytest.raises(WrongValue, match="ü"):
        encode("%Schütz\nK:C\n[V:1]c|\n")
