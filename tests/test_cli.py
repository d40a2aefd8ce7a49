"""How calls end: what goes where, and one clear line with the right exit code for everything that is wrong."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path

import mido
import pytest

from sideman.cli import run
from sideman.engine.models import SHIPPED
from sideman.formats.load import load_song
from sideman.options.request import Request

MidiFile = Callable[..., Path]
SIDEMAN = [sys.executable, "-c", "from sideman.cli import main; main()"]


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """The single line on stderr; stdout must be empty."""
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("sideman: ")
    assert err.count("\n") == 1, err
    return err


def test_a_chart_for_eyes(midi_file: MidiFile, fake_offer: list[Request], capsys: pytest.CaptureFixture[str]):
    assert run(["options", str(midi_file()), "-n", "3"]) == 0
    out = capsys.readouterr().out
    assert [line[:2] for line in out.splitlines() if line[:1].isdigit()] == ["1.", "2.", "3."]
    assert "Dm" in out
    assert "score 0.50" in out
    assert [n.pitch for n in fake_offer[0].melody.notes] == [60, 60, 67, 67, 69, 69, 67]


def test_flags_become_the_question(midi_file: MidiFile, fake_offer: list[Request]):
    flags = ["--seed", "7", "--temperature", "0.5", "--keep", "0:4:C", "--keep", "4:2:G7/B", "--density", "2"]
    assert run(["options", str(midi_file()), *flags, "--between", "0", "6.5", "--model", "some"]) == 0
    asked = fake_offer[0]
    assert (asked.n, asked.seed, asked.temperature, asked.density) == (5, 7, 0.5, 2)
    assert (asked.between, asked.model) == ((0, 6.5), "some")
    assert [(k.onset, k.duration, k.chord.name()) for k in asked.keep] == [(0, 4, "C"), (4, 2, "G7/B")]


def test_json_is_one_line_a_melody(midi_file: MidiFile, fake_offer: list[Request], capsys: pytest.CaptureFixture[str]):
    files = [str(midi_file(name=name)) for name in ("a.mid", "b.mid")]
    assert run(["options", *files, "--format", "json", "-n", "2"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [len(answer["options"]) for answer in answers] == [2, 2]


def test_stdin_is_the_body_of_the_http_interface_and_flags_win(
    fake_offer: list[Request], monkeypatch: pytest.MonkeyPatch
):
    body = {
        "melody": {"frames": [60, -1, 64, -1]},
        "n": 2,
        "seed": 3,
        "keep": [{"onset": 0, "duration": 1, "symbol": "C"}],
    }
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(json.dumps(body).encode())))
    assert run(["options", "-", "--seed", "9"]) == 0
    asked = fake_offer[0]
    assert (asked.n, asked.seed, len(asked.keep), len(asked.melody.notes)) == (2, 9, 1, 2)


@pytest.mark.parametrize("ending", ["json", "mid", "musicxml", "abc", "txt"])
def test_the_ending_says_what_is_written(ending: str, midi_file: MidiFile, fake_offer: list[Request], tmp_path: Path):
    target = tmp_path / "out" / f"chords.{ending}"
    target.parent.mkdir()
    assert run(["options", str(midi_file()), "-n", "2", "-o", str(target)]) == 0
    single = ending in ("json", "mid", "txt")
    names = [target.name] if single else [f"chords-{rank}.{ending}" for rank in (1, 2)]
    assert sorted(path.name for path in target.parent.iterdir()) == names
    if ending == "mid":
        assert len(mido.MidiFile(target).tracks) == 4
    if not single:
        songs = [load_song(target.parent / name) for name in names]
        assert [song.chords[0].chord.name() for song in songs] == ["C", "Dm"]
        assert [note.pitch for note in songs[0].notes] == [60, 60, 67, 67, 69, 69, 67]


def test_a_folder_takes_several(midi_file: MidiFile, fake_offer: list[Request], tmp_path: Path):
    files = [str(midi_file(name=name)) for name in ("a.mid", "b.mid")]
    assert run(["options", *files, "-n", "2", "--format", "abc", "-o", f"{tmp_path}/out/"]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a-1.abc", "a-2.abc", "b-1.abc", "b-2.abc"]


def test_one_option_is_one_sheet(midi_file: MidiFile, fake_offer: list[Request], tmp_path: Path):
    assert run(["options", str(midi_file()), "-n", "1", "-o", str(tmp_path / "sheet.musicxml")]) == 0
    assert (tmp_path / "sheet.musicxml").is_file()


WRONG_CALLS = {
    "n 0": (["-n", "0"], "1<=x<=16"),
    "n 99": (["-n", "99"], "1<=x<=16"),
    "n many": (["-n", "many"], "many"),
    "negative seed": (["--seed", "-1"], "-1"),
    "too hot": (["--temperature", "3.5"], "temperature"),
    "temperature nan": (["--temperature", "nan"], "temperature"),
    "no density": (["--density", "0"], "density"),
    "unknown chord": (["--keep", "0:4:Hx"], "'Hx' is not a chord symbol"),
    "keep without a symbol": (["--keep", "0:4"], "BEAT:LENGTH:SYMBOL"),
    "keep before the start": (["--keep", "-1:4:C"], "keep[0].onset"),
    "keep for no time": (["--keep", "0:0:C"], "keep[0].duration"),
    "keep at nan": (["--keep", "nan:4:C"], "keep[0].onset"),
    "keep no chord": (["--keep", "0:4:N.C."], "no chord to keep"),
    "half a range": (["--between", "4"], "between"),
    "overlapping keeps": (["--keep", "0:4:C", "--keep", "3:1:G"], "overlap"),
    "keep after the end": (["--keep", "90:4:C"], "after the melody's end"),
    "backwards range": (["--between", "4", "2"], "between"),
    "unknown flag": (["--colour", "blue"], "--colour"),
    "unknown format": (["--format", "pdf"], "pdf"),
    "unknown ending": (["-o", "chords.xyz"], "chords.xyz"),
    "several sheets on stdout": (["--format", "musicxml"], "-n 1"),
}


@pytest.mark.parametrize("case", WRONG_CALLS)
def test_wrong_calls(case: str, midi_file: MidiFile, fake_offer: list[Request], capsys: pytest.CaptureFixture[str]):
    flags, named = WRONG_CALLS[case]
    assert run(["options", str(midi_file()), *flags]) == 2
    assert named in one_line(capsys)


def test_wrong_files(
    tmp_path: Path, midi_file: MidiFile, fake_offer: list[Request], capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "noise.mid").write_bytes(b"this is not a MIDI file")
    (tmp_path / "short.mid").write_bytes(midi_file().read_bytes()[:20])
    (tmp_path / "long.json").write_text(json.dumps({"frames": [60] * 10_000}))
    (tmp_path / "high.json").write_text('{"notes": [{"onset": 0, "duration": 1, "pitch": 200}]}')
    (tmp_path / "nan.json").write_text('{"notes": [{"onset": NaN, "duration": 1, "pitch": 60}]}')
    (tmp_path / "early.json").write_text('{"notes": [{"onset": -1, "duration": 1, "pitch": 60}]}')
    (tmp_path / "silence.json").write_text(json.dumps({"frames": [-2] * 64}))
    midi_file(notes=[], name="empty.mid")
    midi_file(name="drums.mid", channel=9)
    midi_file(notes=[(0, 1, 60), (2500, 1, 60)], name="long.mid")
    names = [
        "missing.mid",
        "noise.mid",
        "short.mid",
        "long.json",
        "high.json",
        "nan.json",
        "early.json",
        "silence.json",
    ]
    for name in [*names, "empty.mid", "drums.mid", "long.mid", "."]:
        assert run(["options", str(tmp_path / name)]) == 2, name
        one_line(capsys)
    assert not fake_offer


def test_wrong_stdin(fake_offer: list[Request], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    for text in ("", "not JSON", "{}", '{"melody": {"notes": []}}', '{"melody": {"frames": [60]}, "n": 99}'):
        monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(text.encode())))
        assert run(["options", "-"]) == 2
        one_line(capsys)


@pytest.mark.parametrize(
    "command",
    [
        ["options", "{melody}", "-o", "{missing}/x.mid"],
        ["options", "{melody}", "-o", "{missing}/out/"],
        ["compose", "--bars", "2", "-o", "{missing}/x.abc"],
        ["data", "stats", "--plot", "{missing}/x.png"],
    ],
    ids=["a file", "a folder", "a score", "a picture"],
)
def test_no_folder_is_made_for_a_file(
    midi_file: MidiFile, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
):
    names = {"melody": midi_file(), "missing": tmp_path / "nosuch"}
    assert run([word.format(**names) for word in command]) == 2
    assert f"There is no folder {names['missing']}." in one_line(capsys)
    assert not names["missing"].exists()


def test_models_are_listed_with_what_they_play(capsys: pytest.CaptureFixture[str]):
    assert run(["models", "list"]) == 0
    plays = {line.split()[0]: line.partition(" MB")[2].strip() for line in capsys.readouterr().out.splitlines()[1:]}
    assert plays["melody"] == "jam: a melody to your chords"
    assert plays["online"] == "jam: chords to your melody"
    assert plays["offline"] == "options *"
    assert plays["sheet"] == "compose *"


@pytest.mark.parametrize(
    ("command", "ranges"),
    [("options", ["0<=x<=3", "0.05<=x<=16"]), ("compose", ["0<=x<=5"])],
    ids=["options", "compose"],
)
def test_help_names_the_ranges(capsys: pytest.CaptureFixture[str], command: str, ranges: list[str]):
    assert run([command, "--help"]) == 0
    text = "".join(capsys.readouterr().out.split())
    assert all(each in text for each in ranges)


def test_several_melodies_need_a_folder(
    midi_file: MidiFile, fake_offer: list[Request], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    files = [str(midi_file(name=name)) for name in ("a.mid", "b.mid")]
    assert run(["options", *files, "-o", str(tmp_path / "one.mid")]) == 2
    assert "folder" in one_line(capsys)
    assert not fake_offer, "no work is done for a call that cannot end well"


def test_unknown_and_damaged_models(
    midi_file: MidiFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "models/mine").mkdir(parents=True)
    (tmp_path / "models/mine/bundle.json").write_text('{"name": "mi')
    monkeypatch.setenv("SIDEMAN_HOME", str(tmp_path))
    for call in (["options", str(midi_file()), "--model"], ["models", "show"]):
        for name in ("nobody", "mine", "../mine"):
            assert run([*call, name]) == 2
            assert name in one_line(capsys)


def test_truncated_weights(
    midi_file: MidiFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    shipped = SHIPPED / "offline"
    if not shipped.is_dir():
        pytest.skip("no weights ship yet")
    monkeypatch.setenv("SIDEMAN_HOME", str(tmp_path))
    for part in shipped.glob("*.onnx"):
        copy = shutil.copytree(shipped, tmp_path / "models" / f"short-{part.stem}") / part.name
        os.truncate(copy, part.stat().st_size // 2)
        assert run(["options", str(midi_file()), "--model", f"short-{part.stem}"]) == 2
        assert f"short-{part.stem}" in one_line(capsys)


def test_the_weights_that_ship_answer(midi_file: MidiFile, capsys: pytest.CaptureFixture[str]):
    if not (SHIPPED / "offline").is_dir():
        pytest.skip("no weights ship yet")
    notes = [(at, 1.0, 60 + step) for at, step in enumerate((0, 0, 7, 7, 9, 9, 7, 7, 5, 5, 4, 4, 2, 2, 0, 0))]
    call = ["options", str(midi_file(notes)), "-n", "3", "--keep", "0:4:C", "--format", "json"]
    answers = []
    for _ in range(2):
        assert run(call) == 0
        answers.append(json.loads(capsys.readouterr().out)["options"])
    assert len(answers[0]) == 3
    assert answers[0] == answers[1], "the same seed must give the same answer"
    for option in answers[0]:
        first = option["chords"][0]
        assert (first["onset"], first["duration"], first["symbol"]) == (0, 4, "C")


@pytest.mark.parametrize(
    ("target", "why"), [("/proc/out.json", "annot"), ("/dev/null/out.json", "There is no folder /dev/null")]
)
def test_a_place_that_cannot_be_written(
    target: str, why: str, midi_file: MidiFile, fake_offer: list[Request], capsys: pytest.CaptureFixture[str]
):
    assert run(["options", str(midi_file()), "-o", target]) == 2
    assert why in one_line(capsys)


def test_a_full_disk_leaves_no_half_written_file(tmp_path: Path):
    """A limit on file sizes stands for the full disk: the write fails after its first block."""
    script = (
        "import resource; from pathlib import Path; from sideman import cli, files\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "cli.cli.places = {'w': ('__main__:w', 'w')}\n"
        "w = cli.click.Command('w', callback=lambda: files.write_atomic(Path('out.mid'), bytes(100_000)))\n"
        "cli.main()"
    )
    (tmp_path / "out.mid").write_text("what was there before")
    done = subprocess.run(
        [sys.executable, "-c", script, "w"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("sideman: Cannot write out.mid: ")
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["out.mid"]
    assert (tmp_path / "out.mid").read_text() == "what was there before"


def test_a_bug_is_called_one(monkeypatch: pytest.MonkeyPatch, midi_file: MidiFile, capsys: pytest.CaptureFixture[str]):
    def broken(request: Request) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("sideman.options.offer.offer", broken)
    assert run(["options", str(midi_file())]) == 1
    assert "RuntimeError: two lines" in one_line(capsys)


def test_ctrl_c_ends_cleanly(monkeypatch: pytest.MonkeyPatch, midi_file: MidiFile, capsys: pytest.CaptureFixture[str]):
    def interrupted(request: Request) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sideman.options.offer.offer", interrupted)
    assert run(["options", str(midi_file())]) == 130
    assert capsys.readouterr().err.strip().endswith("Stopped.")


def test_a_closed_pipe_is_quiet():
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*SIDEMAN, "--help"], stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert done.returncode == 1
    assert done.stderr == ""


def test_serving_others_needs_a_token(capsys: pytest.CaptureFixture[str]):
    assert run(["serve", "--host", "0.0.0.0"]) == 2
    assert "--token" in one_line(capsys)


def test_a_taken_port_is_said_in_one_line(capsys: pytest.CaptureFixture[str]):
    from sideman.serve.server import open_socket

    with open_socket("127.0.0.1", 0) as taken:
        assert run(["serve", "--port", str(taken.getsockname()[1])]) == 2
    assert "Cannot listen" in one_line(capsys)


@pytest.mark.live
@pytest.mark.parametrize(("name", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_server_stops_when_told(name: signal.Signals, code: int):
    with subprocess.Popen([*SIDEMAN, "serve", "--port", "0"], stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        try:
            assert "Listening on http://127.0.0.1:" in server.stderr.readline()
            time.sleep(1)  # until the loop runs; before that the default handlers stop it just as well
            server.send_signal(name)
            rest = server.communicate(timeout=15)[1]
        finally:
            server.kill()
    assert server.returncode == code
    assert "Traceback" not in rest


def test_the_dials_of_the_flags(
    midi_file: MidiFile, fake_offer: list[Request], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    example = tmp_path / "like.abc"
    example.write_text('X:1\nM:4/4\nL:1/4\nK:C\n"Dm9"d4|"G13"g4|\n')
    dials = ["--complexity", "extensions", "--bass", "0.25", "--key", "free", "--cadence", "plagal", "--surprise", "1"]
    for like in (str(example), "Dm9 | G13"):
        assert run(["options", str(midi_file()), *dials, "--like", like]) == 0
    for asked in fake_offer:
        found = (asked.complexity, asked.bass, asked.key, asked.cadence, asked.surprise)
        assert found == ("extensions", 0.25, "free", "plagal", 1.0)
        assert asked.like is not None
        assert asked.like.density == 1.0
    assert len(fake_offer) == 2


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--complexity", "jazz"], "complexity"),
        (["--bass", "2"], "bass"),
        (["--surprise", "x"], "surprise"),
        (["--key", "Am"], "key"),
        (["--cadence", "none"], "cadence"),
        (["--like", "Dm9 | Hx"], "Hx"),
        (["--like", " "], "like"),
        (["--like", "no/such.mid"], "no/such.mid"),
        (["--serve-stdio"], "stdin"),
    ],
)
def test_wrong_dials(
    flags: list[str], named: str, midi_file: MidiFile, fake_offer: list[Request], capsys: pytest.CaptureFixture[str]
):
    assert run(["options", str(midi_file()), *flags]) == 2
    assert named in one_line(capsys)
    assert not fake_offer


def test_stdin_takes_the_dials_too(
    fake_offer: list[Request], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    body = '{"melody": {"frames": [60, -1]}, "cadence": "half", "like": "C | G7", "bass": 0.5}'
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(body.encode())))
    assert run(["options", "-", "--bass", "1", "--format", "json"]) == 0
    assert (fake_offer[0].cadence, fake_offer[0].bass) == ("half", 1.0)
    assert fake_offer[0].like is not None
    assert json.loads(capsys.readouterr().out)["options"]


def test_the_token_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    started = []
    monkeypatch.setattr("sideman.serve.server.serve_on", lambda socket, token: started.append(token) or socket.close())
    monkeypatch.setenv("SIDEMAN_TOKEN", "from-the-environment")
    assert run(["serve", "--host", "0.0.0.0", "--port", "0"]) == 0
    assert run(["serve", "--host", "0.0.0.0", "--port", "0", "--token", "said"]) == 0
    assert started == ["from-the-environment", "said"]
    monkeypatch.delenv("SIDEMAN_TOKEN")
    capsys.readouterr()
    assert run(["serve", "--host", "0.0.0.0", "--port", "0"]) == 2
    assert "SIDEMAN_TOKEN" in one_line(capsys)
