"""Several processes behind one port: a jam goes on when the one that had it is gone, and another takes its place."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jam_server import PATIENCE, Place
from processes import Processes

pytestmark = pytest.mark.live


@pytest.fixture
def two(tiny_home: Path, tmp_path: Path) -> Iterator[tuple[Place, Place]]:
    """Two servers that share a shelf, as two workers of one do."""
    places = Place(shelf=tmp_path), Place(shelf=tmp_path)
    yield places
    for place in places:
        place.stop()


def play_on(player: Any, beats: range) -> list[Any]:
    return [player.play(beat + 0.05, 60 + beat % 7)["chords"] for beat in beats]


@pytest.mark.parametrize("listen", [0, 4])
def test_a_jam_goes_on_at_another_worker_as_if_nothing_had_been(two: tuple[Place, Place], listen: int):
    one, other = two
    with one.player() as whole:
        whole.start(seed=5, listen=listen)
        expected = play_on(whole, range(12))
    with one.player() as player:
        session = player.start(seed=5, listen=listen)["session"]
        plans = play_on(player, range(6))
        misses = one.get("/v1/health")["jam"]["service"]["misses"]
    with other.player() as player:
        started = player.start(session=session)
        assert (started["session"], started["resumed"]) == (session, True)
        assert started["settings"]["seed"] == 5
        player.request = 5
        plans += play_on(player, range(6, 12))
        assert other.get("/v1/health")["jam"]["service"]["misses"] <= misses
    assert plans == expected


def test_who_had_the_jam_lets_go(two: tuple[Place, Place]):
    one, other = two
    with one.player() as old:
        session = old.start()["session"]
        play_on(old, range(3))
        with other.player() as new:
            assert new.start(session=session)["resumed"]
            new.request = 2
            play_on(new, range(3, 5))
            old.send(type="notes", request=3, beat=3.05)
            assert old.hear("bye")["reason"] == "replaced"
            new.send(type="stop")
            new.hear("bye")
    record = (Path(one.server.config.app.state.jam.shelf.folder) / f"{session}~over.jsonl").read_bytes()
    for place in two:
        assert place.server.config.app.state.jam.log_of(session) == record, "any worker knows how it went"
    with one.player() as player:
        assert not player.start(session=session)["resumed"], "what is over is over"


@pytest.mark.parametrize("name", ["../../etc/passwd", "*", "x" * 16, ""])
def test_names_that_are_none_lead_nowhere(two: tuple[Place, Place], name: str):
    with two[0].player() as player:
        assert not player.start(session=name)["resumed"]


def test_a_line_cut_short_is_left_out(two: tuple[Place, Place], tmp_path: Path):
    with two[0].player() as player:
        session = player.start()["session"]
        play_on(player, range(3))
        (record,) = tmp_path.glob(f"{session}~*.jsonl")
        record.write_bytes(record.read_bytes() + b'{"type": "hea')
    with two[1].player() as player:
        assert player.start(session=session)["resumed"]


def test_a_record_that_makes_no_sense_is_no_jam(two: tuple[Place, Place], tmp_path: Path):
    (tmp_path / f"{'x' * 16}~1234.jsonl").write_bytes(b'{"type": "stop"}\n')
    with two[0].player() as player:
        assert not player.start(session="x" * 16)["resumed"]


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
def test_a_worker_that_is_killed_is_replaced_and_its_jam_goes_on(tmp_path: Path):
    place = Processes(tmp_path)
    try:
        with place.player(open_timeout=PATIENCE) as player:
            session = player.start()["session"]
            assert all(play_on(player, range(4)))
            (record,) = tmp_path.glob(f"*/{session}~*.jsonl")
            place.kill_in_turn()  # one of them has it
            player.closed()
        with place.player(open_timeout=PATIENCE) as player:
            started = player.start(session=session)
            assert (started["session"], started["resumed"]) == (session, True)
            player.request = 3
            assert all(play_on(player, range(4, 8)))
        assert not record.exists(), "it has changed hands"
    finally:
        code, said = place.stop()
    assert (code, said.count("another takes its place")) == (130, 2)
    assert list(tmp_path.iterdir()) == [], "what they shared is gone"
