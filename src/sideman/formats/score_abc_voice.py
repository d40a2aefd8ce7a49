"""One voice of a score -> ABC text, bar by bar."""

from fractions import Fraction

from sideman.formats.score_abc_marks import Placed
from sideman.formats.score_abc_spelling import Speller, clef_name, key_name, length, tempo_text
from sideman.formats.score_signs import BY_NAME
from sideman.music.score import ZERO, Bar, Event, KeySignature, Part, Score

_RIGHT = {"regular": "|", "double": "||", "final": "|]", "repeat": ":|", "dotted": ".|"}


def write_bars(score: Score, part: Part, index: int, placed: Placed, key: KeySignature, tempi: bool) -> list[str]:
    """The bars of the voice `index` of a part, each with its right bar line; the first has a left one where needed.

    `key` is that of the header; `tempi`: this voice carries the changes of tempo.
    """
    voice = _Voice(part, index, placed, key, tempi)
    texts = [voice.bar(number, bar) for number, bar in enumerate(score.bars)]
    lines = [_bar_line(score.bars, number) for number in range(len(score.bars))]
    first = score.bars[0]
    left = {"repeat": "|:", "heavy": "[|", "": ""}[first.left] + first.ending
    if first.ending and not first.left:
        left = "|" + left
    return [
        (f"{left} " if left and number == 0 else "") + f"{text} {line}"
        for number, (text, line) in enumerate(zip(texts, lines, strict=True))
    ]


def _bar_line(bars: tuple[Bar, ...], number: int) -> str:
    """The bar line after a bar, with what the next bar begins with."""
    bar = bars[number]
    following = bars[number + 1] if number + 1 < len(bars) else None
    line = _RIGHT[bar.right]
    if following is None:
        return line
    if following.left == "repeat":
        line = {"repeat": "::", "double": "||:"}.get(bar.right, "|:")
    elif following.left == "heavy" and bar.right != "repeat":
        line = "[|"
    elif bar.ending_stops and bar.right in ("regular", "dotted") and not following.ending:
        line = "||"  # nothing plainer ends a bracket
    return line + following.ending


class _Voice:
    """Writes the bars of a voice one after another."""

    def __init__(self, part: Part, index: int, placed: Placed, key: KeySignature, tempi: bool) -> None:
        self.part, self.index, self.placed, self.tempi = part, index, placed, tempi
        self.voice = part.voices[index]
        self.leads = next(v for v in part.voices if v.staff == self.voice.staff) is self.voice
        self.key = KeySignature(0) if part.percussion else key
        self.speller = Speller(self.key)
        self.staff = self.voice.staff

    def bar(self, number: int, bar: Bar) -> str:
        """The text of one bar without bar lines."""
        self.speller.bar()
        events = self.voice.bars[number]
        fields = self._fields(number, bar)
        texts = self.placed.get((self.index, number), {})
        out: list[str] = []
        graces: list[Event] = []
        tuplets = _tuplets(events)
        for place, event in enumerate(events):
            while fields and fields[0][0] <= event.onset and not graces:
                out.append(self._field(fields.pop(0)[1]))
            if event.is_grace:
                graces.append(event)
                continue
            out.append(self._event(event, graces, tuplets.get(place, ""), "".join(texts.get(place, ()))))
            graces = []
        out += [self._graces(graces)] * bool(graces)
        out += [self._field(field) for _, field in fields]
        out += texts.get(len(events), ())
        return "".join(out).strip()

    def _fields(self, number: int, bar: Bar) -> list[tuple[Fraction, str | KeySignature]]:
        """Inline fields of a bar by their time: metre, key, clef, tempo; those of the header are not repeated."""
        shown = self.part.staves[self.voice.staff][number]
        found: list[tuple[Fraction, str | KeySignature]] = []
        if bar.metre is not None and number:
            found.append((ZERO, f"[M:{bar.metre}]"))
        if not self.part.percussion:
            found += [(at, key) for at, key in shown.keys]
        if self.leads:
            found += [(at, f"[K:{clef_name(clef)}]") for at, clef in shown.clefs if number or at]
        if self.tempi:
            found += [(t.onset, f"[Q:{tempo_text(t)}]") for t in bar.tempos if number or t.onset]
        return sorted(found, key=lambda item: item[0])

    def _field(self, field: str | KeySignature) -> str:
        if isinstance(field, KeySignature):
            if field == self.key:
                return ""
            self.key = field
            self.speller.key(field)
            return f"[K:{key_name(field)}]"
        if field.startswith("[K:"):
            self.speller.doubt()
        return field

    def _event(self, event: Event, graces: list[Event], tuplet: str, texts: str) -> str:
        staff = ""
        if event.notes and event.staff != self.staff:
            self.staff = event.staff
            away = event.staff - self.voice.staff
            staff = f"[I:staff {away:+d}]" if away else "[I:staff 0]"
        gap = "" if event.beamed else " "
        strokes = "/" * event.strokes + "-" * event.strokes_join
        signs = "".join(BY_NAME[name].abc for name in event.signs) + (f"!{strokes}!" if strokes else "")
        return f"{staff}{self._graces(graces)}{tuplet}{texts}{signs}{self._body(event)}{gap}"

    def _graces(self, graces: list[Event]) -> str:
        """`{/ab}`; slurs that begin with the first one stand before the brace."""
        if not graces:
            return ""
        inside = "".join(self._grace(event, first=place == 0) for place, event in enumerate(graces))
        return "(" * graces[0].slurs_start + "{" + "/" * graces[0].slash + inside + "}"

    def _grace(self, event: Event, first: bool) -> str:
        signs = "".join(BY_NAME[name].abc for name in event.signs)
        return signs + self._body(event, slurs=not first)

    def _body(self, event: Event, slurs: bool = True) -> str:
        """Slurs, pitches or rest, length, tie."""
        before, after = "(" * event.slurs_start * slurs, ")" * event.slurs_stop
        if not event.notes:
            return f"{before}{'x' if event.hidden else 'z'}{length(event.written)}{after}"
        names = [self.speller.note(note.pitch) for note in event.notes]
        ties = [note.tie for note in event.notes]
        if len(names) == 1:
            return f"{before}{names[0]}{length(event.written)}{'-' * ties[0]}{after}"
        together = "-" * all(ties)
        inside = "".join(name + "-" * (tie and not together) for name, tie in zip(names, ties, strict=True))
        return f"{before}[{inside}]{length(event.written)}{together}{after}"


def _tuplets(events: tuple[Event, ...]) -> dict[int, str]:
    """Openers by the place of their first event: `(3`, `(5:4:5`, one for each run of one ratio."""
    openers: dict[int, str] = {}
    run: list[int] = []
    ratio: tuple[int, int] | None = None
    for place, event in enumerate(events):
        if event.is_grace:
            continue
        if run and (event.tuplet != ratio or event.tuplet_starts):
            openers[run[0]] = _opener(ratio, len(run))
            run = []
        ratio = event.tuplet
        if ratio is not None:
            run.append(place)
    if run:
        openers[run[0]] = _opener(ratio, len(run))
    return openers


def _opener(ratio: tuple[int, int] | None, count: int) -> str:
    assert ratio is not None
    return "(3" if ratio == (3, 2) and count == 3 else f"({ratio[0]}:{ratio[1]}:{count}"
