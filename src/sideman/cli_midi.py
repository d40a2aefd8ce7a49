"""`sideman jam` on MIDI ports: its options, and a jam from them."""

import signal
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sideman.cli import DONE, INTERRUPTED
from sideman.errors import WrongValue
from sideman.files import check_place

if TYPE_CHECKING:
    from sideman.serve.midi_jam import Setup
    from sideman.serve.midi_ports import Ports

Command = TypeVar("Command", bound=Callable[..., Any])
_OPTIONS = (
    click.option("--midi-in", metavar="PORT", help="Play without a page: hear this MIDI port; part of a name will do."),
    click.option("--midi-out", metavar="PORT", help="Send what the partner plays to this MIDI port."),
    click.option("--virtual", metavar="NAME", help="Be a MIDI port that others connect to (not on Windows)."),
    click.option("--list-ports", is_flag=True, help="Name the MIDI ports and end."),
    click.option("--bpm", type=click.FloatRange(10, 400), help="Ports: our own tempo.  [default: 100]"),
    click.option("--midi-clock", is_flag=True, help="Ports: follow the MIDI clock that comes in."),
    click.option("--send-clock", is_flag=True, help="Ports: send a MIDI clock of our own tempo."),
    click.option("--count-in", is_flag=True, help="Ports: click a bar on channel 10; else your first note is beat 1."),
    click.option("--meter", help="Ports: the metre.  [default: 4/4]"),
    click.option("--lookahead", type=click.FloatRange(0.25, 8), help="Ports: beats to plan ahead.  [default: 4]"),
    click.option("--commit", type=click.FloatRange(0, 8), help="Ports: beats that are promised.  [default: 2]"),
    click.option("--listen", type=click.FloatRange(0, 64), help="Ports: beats to listen before joining.  [default: 8]"),
    click.option("--temperature", type=click.FloatRange(0, 3), help="Ports: how daring.  [default: 0.8]"),
    click.option("--seed", type=click.IntRange(0, 2**53 - 1), help="Ports: the same playing gets the same answer."),
    click.option("--channel", type=click.IntRange(1, 16), help="Ports: MIDI channel of the partner.  [default: 1]"),
    click.option("--octave", type=click.IntRange(-3, 3), help="Ports: move what the partner plays.  [default: 0]"),
    click.option(
        "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Ports: keep the take as a MIDI file."
    ),
)  # fmt: skip


def midi_options(command: Command) -> Command:
    """Adds the options of a jam on ports; they come as keywords that `wants_ports` and `play_on_ports` take."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def wants_ports(midi: dict[str, Any]) -> bool:
    """Whether this is to be a jam on ports. Raises WrongValue where options for one come without a port."""
    if any(midi[name] for name in ("midi_in", "midi_out", "virtual", "list_ports")):
        return True
    given = [name for name, value in midi.items() if value is not None and value is not False]
    if given:
        raise WrongValue(
            f"--{given[0].replace('_', '-')} is for a jam on MIDI ports.",
            "Add --midi-in and --midi-out, or --virtual; without them choose in the page.",
        )
    return False


def play_on_ports(midi: dict[str, Any], model: str | None, log: Path | None) -> int:
    """Jam until Ctrl-C. Raises what is wrong with the call, the ports or the files."""
    from sideman.serve.midi_ports import Ports

    with closing(Ports()) as ports:
        if midi["list_ports"]:
            for kind, names in (("in", ports.inputs()), ("out", ports.outputs())):
                for name in names:
                    click.echo(f"{kind:<4} {name.name}")
            return DONE
        return _play(midi, ports, model, log)


def _play(midi: dict[str, Any], ports: "Ports", model: str | None, log: Path | None) -> int:
    _check(midi, ports)
    setup = _setup(midi, log)
    from sideman.jam.transport import FollowedClock, OwnClock
    from sideman.music.song import Meter
    from sideman.serve.jam_room import Models
    from sideman.serve.midi_jam import MidiJam, hurry

    models, tempo = Models(), setup.start.tempo
    transport = FollowedClock(Meter.parse(setup.start.meter), tempo) if midi["midi_clock"] else OwnClock(tempo)
    online, offline = models.online(model), models.offline()
    output = ports.output(midi["midi_out"], midi["virtual"])
    try:
        hurry()
        jam = MidiJam(setup, transport, online, offline, output.send)
        source = ports.input(midi["midi_in"], midi["virtual"], jam.hear)
        try:
            click.echo(f"Listening to {_called(source.name, midi)}, playing on {_called(output.name, midi)}.", err=True)
            for number in (signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])):
                signal.signal(number, signal.default_int_handler)
            jam.run((source, output))
        except KeyboardInterrupt:
            return INTERRUPTED
        finally:
            source.close()
    finally:
        output.close()


def _check(midi: dict[str, Any], ports: "Ports") -> None:
    """Options that must come together, or must not. Raises WrongValue."""
    for missing, names in (("midi_in", ports.inputs), ("midi_out", ports.outputs)):
        if midi[missing] is None and midi["virtual"] is None:
            from sideman.serve.midi_ports import listed

            flag = missing.replace("_", "-")
            raise WrongValue(f"--{flag} is missing.", f"Add --{flag} PORT or --virtual NAME. Ports: {listed(names())}.")
    for flag in ("bpm", "send_clock", "count_in"):
        if midi["midi_clock"] and midi[flag]:
            raise WrongValue(
                f"--midi-clock follows another clock; --{flag.replace('_', '-')} is for our own.", "Leave one out."
            )
    output: Path | None = midi["output"]
    if output is not None and output.suffix.lower() not in (".mid", ".midi"):
        raise WrongValue(f"{output} is no name for a MIDI file.", "Let it end in .mid.")
    if output is not None:
        check_place(output)


def _setup(midi: dict[str, Any], log: Path | None) -> "Setup":
    from sideman.jam.bars import checked_meter
    from sideman.jam.messages import VERSION, Start
    from sideman.serve.midi_jam import Setup

    names = ("lookahead", "commit", "listen", "temperature", "seed")
    given = {name: midi[name] for name in names if midi[name] is not None}
    meter = str(checked_meter(midi["meter"] or "4/4"))
    return Setup(
        start=Start(VERSION, tempo=midi["bpm"] or 100.0, meter=meter, **given),
        channel=(midi["channel"] or 1) - 1,
        octave=midi["octave"] or 0,
        count_in=midi["count_in"],
        send_clock=midi["send_clock"],
        take=midi["output"],
        log=log,
    )


def _called(name: Any, midi: dict[str, Any]) -> str:
    return f"'{midi['virtual']}' (virtual)" if name is None else f"'{name.name}'"
