"""MusicXML for tests, written by hand: `score(measure, measure, ...)` with two divisions a beat."""

STEPS = {"C": 60, "D": 62, "E": 64, "F": 65, "G": 67, "A": 69, "B": 71}
ATTRIBUTES = (
    "<attributes><divisions>2</divisions><key><fifths>0</fifths></key>"
    "<time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
)


def note(step: str, duration: int = 2, extra: str = "", octave: int = 4, before: str = "", alter: int = 0) -> str:
    pitch = f"<pitch><step>{step}</step><alter>{alter}</alter><octave>{octave}</octave></pitch>"
    return f"<note>{before}{pitch}<duration>{duration}</duration>{extra}</note>"


def rest(duration: int = 2) -> str:
    return f"<note><rest/><duration>{duration}</duration></note>"


def harmony(root: str, kind: str = "major", rest: str = "", text: str = "") -> str:
    return f'<harmony><root><root-step>{root}</root-step></root><kind text="{text}">{kind}</kind>{rest}</harmony>'


def words(text: str) -> str:
    return f"<direction><direction-type><words>{text}</words></direction-type></direction>"


def barline(inside: str, location: str = "right") -> str:
    return f'<barline location="{location}">{inside}</barline>'


def part(*measures: str, name: str = "P1", attributes: str = ATTRIBUTES) -> str:
    inside = "".join(
        f'<measure number="{n}">{attributes if n == 1 else ""}{m}</measure>' for n, m in enumerate(measures, 1)
    )
    return f'<part id="{name}">{inside}</part>'


def score(*measures: str, attributes: str = ATTRIBUTES) -> bytes:
    return parts(("Music", part(*measures, attributes=attributes)))


def parts(*named: tuple[str, str]) -> bytes:
    """A score of (part name, part) pairs; the ids in the parts must be P1, P2, ..."""
    names = "".join(
        f'<score-part id="P{i}"><part-name>{n}</part-name></score-part>' for i, (n, _) in enumerate(named, 1)
    )
    return (
        f'<?xml version="1.0"?><score-partwise version="4.0"><part-list>{names}</part-list>'
        + "".join(text for _, text in named)
        + "</score-partwise>"
    ).encode()
