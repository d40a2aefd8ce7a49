"""The errors a user can cause. Each says what is wrong and what to do next.

The command line prints them in one line and exits with 2; the server answers 4xx with the same
three fields. Anything else that escapes is a bug of ours.
"""


class SidemanError(Exception):
    """Bad input or a wrong call: `code` for machines, `message` and `hint` for people."""

    code = "bad_input"
    status = 400

    def __init__(self, message: str, hint: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UnreadableFile(SidemanError):
    """A file is missing, damaged, hostile or of a kind we do not read."""

    code = "unreadable_file"


class EmptyMelody(SidemanError):
    """There is no note to work with."""

    code = "empty_melody"


class UnknownChord(SidemanError):
    """A chord symbol nobody can parse."""

    code = "unknown_chord"


class BadSheet(SidemanError):
    """Sheet music as text that breaks the rules of its notation."""

    code = "bad_sheet"


class WrongValue(SidemanError):
    """A number, name or combination outside what is allowed."""

    code = "wrong_value"


class TooLarge(SidemanError):
    """More than the stated limit."""

    code = "too_large"
    status = 413


class UnknownModel(SidemanError):
    """No such model, or its files are damaged."""

    code = "unknown_model"
    status = 404


class Interrupted(SidemanError):
    """Ctrl-C or SIGTERM stopped a long piece of work after saving it; the message says how to go on."""

    code = "interrupted"


class MissingExtra(SidemanError):
    """A feature whose optional packages are not installed."""

    code = "missing_extra"
    status = 501

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs packages that are not installed.",
            f"Run, where you installed Sideman from: pip install '.[{extra}]'",
        )
