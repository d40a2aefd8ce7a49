"""What the writing of a piece asks of the network, one request after the other.

A piece is a generator that yields requests and is sent what they give. It knows nothing of networks, and whoever
answers it (`lockstep`) knows nothing of music, so that many pieces can be written side by side.
"""

from collections.abc import Generator
from dataclasses import dataclass

from sideman.music.sheet.patches import Patches

Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """Take patches [n, 16] into the context."""

    patches: Patches


@dataclass(frozen=True, slots=True)
class Back:
    """Forget the context from patch number `length` on."""

    length: int


@dataclass(frozen=True, slots=True)
class Write:
    """Write a patch that begins with the ids `opened`; all its ids are sent back, PAD after the first EOS. `text`: it
    has to be text, of at least one character, that ends with its line; otherwise anything may come."""

    opened: Ids = ()
    text: bool = False


@dataclass(frozen=True, slots=True)
class Say:
    """Text that will not be taken back."""

    text: str


Request = Read | Back | Write | Say
# Returns why the piece ended.
Piece = Generator[Request, Ids | None, str]
