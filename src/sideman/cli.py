"""The command line: which commands there are, and how a call ends.

Each command lives in a module of its own and is imported when it is called, so that `--help` needs nothing
but click. Exit codes: 0 done; 2 the input or the call is wrong (one line on stderr); 1 anything else; 130 Ctrl-C.
"""

import importlib
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

import click

from sideman import __version__
from sideman.errors import Interrupted, SidemanError

DONE, FAILED, WRONG_CALL, INTERRUPTED = 0, 1, 2, 130
_EXAMPLES = """\b
Examples:
  sideman options examples/greensleeves.mid
  sideman options melody.musicxml -n 3 -o chords.mid
  sideman COMMAND --help
"""


class LazyGroup(click.Group):
    """A group whose commands are rows (place, summary) and are imported on use; place is `module:name`."""

    def __init__(self, *args: Any, places: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = dict(places)

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self.places)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self.places:
            return None
        module, _, attribute = self.places[name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """The summaries come from the table: reading them from the commands would import them all."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in self.places.items()])


COMMANDS = {
    "jam": ("sideman.cli_jam:jam", "Play a melody and hear the accompanist now."),
    "options": ("sideman.cli_options:options", "Offer chord progressions for a melody."),
    "compose": ("sideman.cli_compose:compose", "Write a new piece of sheet music."),
    "serve": ("sideman.cli_serve:serve", "Answer the same questions over HTTP."),
    "models": ("sideman.cli_models:models", "List, show, fetch, import and export models."),
    "data": ("sideman.cli_data:data", "Fetch and convert the collections models learn from."),
    "train": ("sideman.cli_train:train", "Train a model by a recipe."),
    "evaluate": ("sideman.cli_evaluate:evaluate", "Measure models next to the ground truth."),
    "bench": ("sideman.cli_bench:bench", "Time the claims of the README on this machine."),
}


@click.group(
    cls=LazyGroup,
    places=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EXAMPLES,
)
@click.version_option(__version__, prog_name="sideman")
def cli() -> None:
    """An accompanist: chord progressions for your melody, made on your machine."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one call and return its exit code; whatever goes wrong is one line on stderr."""
    try:
        code = cli.main(arguments, prog_name="sideman", standalone_mode=False)
        return code if isinstance(code, int) else DONE
    except click.exceptions.NoArgsIsHelpError as call:
        call.show()
        return WRONG_CALL
    except click.ClickException as error:
        return _say(_usage_line(error), WRONG_CALL)
    except Interrupted as stop:
        return _say(str(stop), INTERRUPTED)
    except SidemanError as error:
        return _say(str(error), WRONG_CALL)
    except (click.Abort, KeyboardInterrupt):
        return _say("Stopped.", INTERRUPTED)
    except Exception as error:
        if os.environ.get("SIDEMAN_TRACEBACK"):
            traceback.print_exc()
        what = " ".join(f"{type(error).__name__}: {error}".split())
        return _say(f"This is a bug: {what}. SIDEMAN_TRACEBACK=1 shows where; please report it.", FAILED)


def main() -> None:
    """The `sideman` program."""
    sys.exit(run())


def _usage_line(error: click.ClickException) -> str:
    message = " ".join(error.format_message().split())
    context = getattr(error, "ctx", None)
    return f"{message} Try: {context.command_path} --help" if context else message


def _say(line: str, code: int) -> int:
    click.echo(f"sideman: {' '.join(line.split())}", err=True)
    return code
