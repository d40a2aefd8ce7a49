"""The package runs on Linux, macOS and Windows: what only some of them have is used behind a question for it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import sideman

SOURCE = Path(sideman.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
MODULES = {
    "fcntl", "grp", "msvcrt", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty", "winreg", "winsound",
}  # fmt: skip
ATTRIBUTES = {
    "os": {
        "chown", "chroot", "fork", "forkpty", "getegid", "geteuid", "getgid", "getloadavg", "getpgid", "getuid",
        "killpg", "mkfifo", "nice", "sched_getaffinity", "sched_param", "sched_setaffinity", "sched_setscheduler",
        "setsid", "setuid", "startfile", "statvfs", "sysconf", "uname", "wait", "waitpid",
    },
    "signal": {
        "SIGALRM", "SIGHUP", "SIGKILL", "SIGQUIT", "SIGUSR1", "SIGUSR2", "alarm", "pause", "setitimer", "sigwait",
    },
    "socket": {"AF_UNIX", "SO_REUSEPORT"},
    "time": {"CLOCK_MONOTONIC", "CLOCK_REALTIME", "clock_gettime", "tzset"},
}  # fmt: skip
FOLDERS = ("/bin/", "/dev/", "/etc/", "/proc/", "/sys/", "/tmp", "/usr/", "/var/")
LOOKED_THROUGH = "/usr/share/"  # for what may be there
READING = ("read_text", "write_text")
WORDS = re.compile(
    r"\b(?:{})\b|['\"](?:{})".format("|".join({*MODULES, *READING}.union(*ATTRIBUTES.values())), "|".join(FOLDERS))
)
QUESTIONS = ("sys.platform", "os.name", "hasattr(")


def unguarded(text: str) -> Iterator[str]:
    """What of a module not every platform has, and nobody asks for before."""
    if not WORDS.search(text):  # parsing all there is would take seconds
        return
    ahead: list[ast.AST] = [ast.parse(text)]
    while ahead:
        node = ahead.pop()
        yield from _named(node)
        if isinstance(node, ast.If | ast.IfExp) and any(question in ast.unparse(node.test) for question in QUESTIONS):
            continue
        ahead.extend(child for child in reversed(list(ast.iter_child_nodes(node))) if not _is_text(child))


def _is_text(node: ast.AST) -> bool:
    """A docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _named(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names if alias.name in MODULES)
        case ast.ImportFrom(module=str(module), names=names):
            yield from ([module] if module in MODULES else [])
            yield from (f"{module}.{alias.name}" for alias in names if alias.name in ATTRIBUTES.get(module, ()))
        case ast.Attribute(value=ast.Name(id=str(module)), attr=name) if name in ATTRIBUTES.get(module, ()):
            yield f"{module}.{name}"
        case ast.Constant(value=str(text)) if text.startswith(FOLDERS) and not text.startswith(LOOKED_THROUGH):
            yield text
        case ast.Call(func=ast.Attribute(attr=str(name)), args=given, keywords=named) if name in READING:
            in_order = len(given) > (name == "write_text")
            if not in_order and all(keyword.arg != "encoding" for keyword in named):
                yield f"{name} without an encoding"


def test_nothing_needs_one_platform():
    found = {str(path.relative_to(SOURCE)): list(unguarded(path.read_text(encoding="utf-8"))) for path in FILES}
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def test_the_law_sees_what_is_wrong_and_lets_pass_what_asks():
    assert list(unguarded("import fcntl, os\nos.fork()\nopen('/tmp/x')\nfrom signal import SIGKILL")) == [
        "fcntl", "os.fork", "/tmp/x", "signal.SIGKILL",
    ]  # fmt: skip
    assert list(unguarded("path.read_text()")) == ["read_text without an encoding"]
    asked = "import sys\nif sys.platform == 'win32':\n    import msvcrt\nelse:\n    import fcntl\n"
    asked += "n = [signal.SIGHUP] if hasattr(signal, 'SIGHUP') else []\n"
    assert list(unguarded(asked)) == []
    assert list(unguarded('"""/tmp is only named here."""')) == []
    assert len(FILES) > 200
