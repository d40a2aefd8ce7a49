"""The lines before a piece that say what it is (spec 1.10): period, composer, instrumentation, and `%end`."""

from dataclasses import dataclass

PERIODS = ("Baroque", "Classical", "Romantic")
INSTRUMENTATIONS = ("Art Song", "Keyboard", "Chamber", "Orchestral", "Choral", "Vocal-Orchestral")
END = "%end"


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a piece is: `Romantic`, `Schubert, Franz`, `Art Song`; an empty one is not known."""

    period: str = ""
    composer: str = ""
    instrumentation: str = ""

    @property
    def complete(self) -> bool:
        return bool(self.period and self.composer and self.instrumentation)

    def text(self) -> str:
        """The three lines a model is given; it writes `%end` itself."""
        return f"%{self.period}\n%{self.composer}\n%{self.instrumentation}\n"


UNKNOWN = Prompt()


def with_prompt(prompt: Prompt, sheet: str) -> str:
    """A sheet as a conditional model is trained on it. Without all three there is no prompt."""
    return f"{prompt.text()}{END}\n{sheet}" if prompt.complete else sheet


def without_prompt(text: str) -> str:
    """A sheet without prompt lines and other comments; directives (`%%score`) stay."""
    return "".join(line for line in text.splitlines(keepends=True) if line.startswith("%%") or line[:1] != "%")
