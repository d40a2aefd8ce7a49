"""Why a chord may stand in for another one, in a sentence."""

from sideman.music.chord import Chord
from sideman.music.pitch import Key, spell
from sideman.music.roman import in_key, is_dominant


def reason_for(chord: Chord, degree: str, now: Chord, following: Chord | None, key: Key, tensions: list[str]) -> str:
    """What `chord`, the `degree` of `key`, has to do with the chord it replaces, the `following` one, and the melody,
    whose `tensions` over it are named."""
    parts = [part for part in (_kin(chord, now, key), _origin(chord, key), _goal(chord, following, key)) if part]
    said = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts) or "is a colour of its own"
    return f"{chord.name(key)} ({degree}) {said}; {_melody(tensions)}."


def _kin(chord: Chord, now: Chord, key: Key) -> str:
    if chord.root == now.root:
        return f"keeps the root of {now.name(key)}"
    if is_dominant(chord) and is_dominant(now) and (chord.root - now.root) % 12 == 6:
        return f"is the tritone substitute of {now.name(key)}"
    common = [spell(tone, key) for tone in chord.pitch_classes if tone in now.pitch_classes]
    return f"shares {' and '.join(common)} with {now.name(key)}" if common else ""


def _origin(chord: Chord, key: Key) -> str:
    if in_key(chord, key):
        return ""
    parallel = Key(key.tonic, "minor" if key.mode == "major" else "major")
    return f"is borrowed from {parallel.name}" if in_key(chord, parallel) else "comes from outside the key"


def _goal(chord: Chord, following: Chord | None, key: Key) -> str:
    if following is None:
        return ""
    step = (following.root - chord.root) % 12
    if step == 5:
        return f"falls a fifth to {following.name(key)}"
    if step == 0:
        return f"prepares {following.name(key)} on the same root"
    return f"steps to {following.name(key)}" if step in (1, 2, 10, 11) else ""


def _melody(tensions: list[str]) -> str:
    if not tensions:
        return "every melody note is a chord tone or passes by"
    names = list(dict.fromkeys(tensions))
    return f"the melody sings its {' and '.join(names)}"
