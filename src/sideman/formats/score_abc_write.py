"""Score -> standard ABC, one block a voice, in the dialect NotaGen's data is prepared from.

Header order X, T, C, Z, %%score, L:1/8, Q, M, K and the V: lines by staff; then for each voice a line
`V:n`, its bars in lines that end in the number of their last bar (`%11`), and its lyrics. Voices are
numbered part by part in the order they appear.
"""

from sideman.formats.score_abc_marks import Placed, clean, place_marks
from sideman.formats.score_abc_spelling import clef_name, key_name, tempo_text
from sideman.formats.score_abc_voice import write_bars
from sideman.formats.score_abc_words import words
from sideman.music.score import Clef, KeySignature, Part, Score

LINE_CHARACTERS = 100


def to_abc(score: Score, number: int = 1) -> str:
    """The score as an ABC tune with `X:` number, lines ended by newlines."""
    lines = [f"X:{number}"]
    for letter, text in (("T", score.title), ("C", score.composer), ("Z", score.rights)):
        if text:
            lines.append(f"{letter}:{clean(text)}")
    staves = _staves(score)
    if sum(len(part.voices) for part in score.parts) > 1:
        lines.append(f"%%score {_grouping(score, staves)}")
    key = _key(score)
    lines.append("L:1/8")
    lines += [f"Q:{tempo_text(t)}" for t in score.bars[0].tempos[:1] if t.onset == 0]
    lines += [f"M:{score.bars[0].metre or 'none'}", f"K:{key_name(key)}"]
    for part, voices in zip(score.parts, staves, strict=True):
        for staff, numbers in enumerate(voices):
            for position, voice in enumerate(numbers):
                lines += _voice_lines(part, staff, voice, named=staff == 0 and position == 0)
    voice = 0
    for part in score.parts:
        placed = place_marks(part)
        for index in range(len(part.voices)):
            voice += 1
            lines += [f"V:{voice}", *_block(score, part, index, placed, key, tempi=voice == 1)]
    return "\n".join(lines) + "\n"


def _key(score: Score) -> KeySignature:
    """The key of the piece: that of the first part that sounds as written."""
    plain = [p for p in score.parts if not p.transpose % 12 and not p.percussion]
    return (plain or list(score.parts))[0].key()


def _staves(score: Score) -> list[list[list[int]]]:
    """Voice numbers of each staff of each part."""
    found: list[list[list[int]]] = []
    number = 0
    for part in score.parts:
        staves: list[list[int]] = [[] for _ in part.staves]
        for voice in part.voices:
            number += 1
            staves[voice.staff].append(number)
        found.append(staves)
    return found


def _grouping(score: Score, staves: list[list[list[int]]]) -> str:
    """The %%score line: voices of a staff in parentheses, staves of a part in braces, groups in brackets."""
    symbols = {"bracket": "[]", "brace": "{}"}
    out: list[str] = []
    for index, part in enumerate(staves):
        out += [symbols[g.symbol][0] for g in score.groups if g.first == index]
        names = [str(v[0]) if len(v) == 1 else f"( {' '.join(map(str, v))} )" for v in part]
        out.append(names[0] if len(names) == 1 else f"{{ {' | '.join(names)} }}")
        ended = [g for g in reversed(score.groups) if g.last == index]
        out += [symbols[g.symbol][1] for g in ended]
        if any(g.joined and g.first <= index < g.last for g in score.groups):
            out.append("|")
    return " ".join(out)


def _voice_lines(part: Part, staff: int, voice: int, named: bool) -> list[str]:
    """`V:2 treble nm="Piano" snm="Pno."`; the first voice of a part carries its name."""
    if part.percussion:
        clef = "perc"
    else:
        clefs = part.staves[staff][0].clefs
        clef = clef_name(clefs[0][1] if clefs and clefs[0][0] == 0 else Clef())
    line = f"V:{voice} {clef} "
    if part.transpose:
        line += f"transpose={part.transpose} "
    if named and part.name:
        line += f'nm="{clean(part.name)}"' + (f' snm="{clean(part.abbreviation)}"' if part.abbreviation else "")
    return [line] + ["K:none"] * part.percussion


def _block(score: Score, part: Part, index: int, placed: Placed, key: KeySignature, tempi: bool) -> list[str]:
    """The music lines of one voice, each followed by its lyrics."""
    bars = write_bars(score, part, index, placed, key, tempi)
    lines: list[str] = []
    first = 0
    while first < len(bars):
        last, size = first, len(bars[first])
        while last + 1 < len(bars) and size + len(bars[last + 1]) < LINE_CHARACTERS:
            last += 1
            size += len(bars[last])
        lines.append(" ".join(bars[first : last + 1]) + f" %{last + 1}")
        lines += words([event for bar in part.voices[index].bars[first : last + 1] for event in bar])
        first = last + 1
    return lines
