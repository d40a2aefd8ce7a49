"""Where Sideman keeps data and models: `SIDEMAN_HOME`, or `~/.sideman`."""

import os
from pathlib import Path


def home() -> Path:
    """The folder, which need not exist yet."""
    given = os.environ.get("SIDEMAN_HOME")
    return Path(given).expanduser() if given else Path.home() / ".sideman"
