"""The pieces of a music line of ABC, blanks, slurs and beams included."""

import re
from collections.abc import Iterator

# Tried in this order; a character none of them knows is `unknown`.
_TOKEN = re.compile(
    r"""
    (?P<field>\[(?P<name>[A-Za-z]):(?P<content>[^\]]{0,200})\])
  | (?P<text>"(?P<words>[^"]*)")
  | (?P<bar>(?P<line>\.?:*\[?\|[|\]]*:*|::+)(?P<ending>\s*\d[\d,.\-]*)?|\[(?P<bracket>\d[\d,.\-]*))
  | (?P<grace>\{(?P<slash>/?)(?P<graces>[^}]{0,400})\})
  | (?P<decoration>!(?P<long>[^!|\n]{1,40})!|\+(?P<plus>[a-z()<>.^]{1,30})\+
      |(?P<short>[.~HLMOPSTuv])(?=[.~HLMOPSTuv!"\[\^_=A-Ga-gzx({]))
  | (?P<note>(?P<accidental>\^\^|\^|__|_|=)?(?P<step>[A-Ga-g])(?P<octave>[,']*)(?P<length>[\d/]*))
  | (?P<chord>\[(?P<notes>[^\[\]|:"]{1,200})\](?P<chord_length>[\d/]*))
  | (?P<rest>(?P<kind>[zxZX])(?P<rest_length>[\d/]*))
  | (?P<tuplet>\((?P<p>\d{1,3})(?::(?P<q>\d{0,3}))?(?::(?P<r>\d{0,3}))?)
  | (?P<slur>\.?\((?!\d))
  | (?P<slur_end>\))
  | (?P<broken>>{1,3}|<{1,3})
  | (?P<tie>\.?-)
  | (?P<overlay>&)
  | (?P<blank>\s+)
  | (?P<nothing>y[\d/]*|[\\`*;$]+)
""",
    re.VERBOSE,
)


def tokens(music: str) -> Iterator[tuple[str, re.Match[str] | None]]:
    """(kind, match) for each piece of a music line; kind `unknown`, without match, for a stray character."""
    at = 0
    while at < len(music):
        found = _TOKEN.match(music, at)
        at = found.end() if found else at + 1
        yield (found.lastgroup if found else None) or "unknown", found
