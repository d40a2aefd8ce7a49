"""Which pieces train, validate and test: a function of ids alone, the same on every machine.

All versions of one work share a split. Adding or losing pieces moves no other piece.
"""

from hashlib import sha256

from sideman.data.pack import SPLITS
from sideman.errors import WrongValue

# Upper ends of the shares of train (80 %) and valid (10 %); the rest is test.
_TRAIN, _VALID = 0.8, 0.9


def split_of(collection: str, work: str, given: str | None = None) -> str:
    """`train`, `valid` or `test`; a split the source itself gives wins. Raises WrongValue for an unknown one."""
    if given is not None:
        if given.lower() not in SPLITS:
            raise WrongValue(f"'{given}' is not a split.", f"Splits are: {', '.join(SPLITS)}.")
        return given.lower()
    digest = sha256(f"{collection}:{work}".encode()).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    return "train" if share < _TRAIN else "valid" if share < _VALID else "test"
