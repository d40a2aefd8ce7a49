"""POST /v1/compose: lines as they grow, a short line of callers, nothing for those who left, nothing of others."""

import asyncio
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from sideman.compose.compose import Event, Finished, Grown, Started
from sideman.compose.request import ComposeRequest
from sideman.engine.bundle import Bundle
from sideman.serve.app import make_app
from sideman.serve.compose_stream import MAX_WAITING, Composing
from sideman.serve.worker import Busy


@pytest.fixture
def sheet_home(tiny_sheet: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose only model is a random one that writes sheets."""
    shutil.copytree(tiny_sheet.folder, tmp_path / "models" / "sheet")
    monkeypatch.setenv("SIDEMAN_HOME", str(tmp_path))
    monkeypatch.setattr("sideman.engine.models.SHIPPED", tmp_path / "nothing")
    return tmp_path


@pytest.fixture
def client(sheet_home: Path) -> Iterator[TestClient]:
    with TestClient(make_app()) as client:
        yield client


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_piece_is_told_as_it_grows(client: TestClient):
    answer = client.post("/v1/compose", json={"bars": 2, "key": "G", "meter": "2/4", "seed": 3})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    told = lines(answer.text)
    assert told[0] == {"type": "started", "model": "tiny-sheet", "seeds": [3]}
    assert told[-1]["type"] == "finished"
    assert (told[-1]["why"], told[-1]["bars"]) == ("end", 2)
    assert "".join(str(line["text"]) for line in told[1:-1]) == told[-1]["original"]
    again = lines(client.post("/v1/compose", json={"bars": 2, "key": "G", "meter": "2/4", "seed": 3}).text)
    assert again[-1]["abc"] == told[-1]["abc"]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"bars": 0}, 400, "bars"),
        ({"bars": 10_000}, 400, "bars"),
        ({"count": 5}, 400, "count"),
        ({"key": "H"}, 400, "no key"),
        ({"period": "Romantic"}, 400, "all three"),
        ({"period": "Romantic", "composer": "Shubert", "instrumentation": "Art Song"}, 400, "Schubert, Franz"),
        ({"begin": "not abc at all\n[V:1]C|\n"}, 400, "gone on from"),
        ({"constrained": False, "bars": 2}, 400, "constrained"),
        ({"seconds": 100_000}, 400, "seconds"),
        ({"prompt": "a waltz"}, 400, "prompt"),
        ({"model": "nobody"}, 404, "nobody"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_written(
    client: TestClient, body: dict[str, object], status: int, said: str
):
    answer = client.post("/v1/compose", json=body)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert said in error["message"] + error["hint"]


def test_a_model_that_is_damaged_is_an_error(client: TestClient, sheet_home: Path):
    (sheet_home / "models" / "sheet" / "chars.onnx").write_bytes(b"nothing")
    assert client.post("/v1/compose", json={"bars": 1}).status_code == 404


def test_the_models_and_their_prompts(client: TestClient):
    (model,) = client.get("/v1/compose/models").json()["models"]
    assert (model["name"], model["default"]) == ("sheet", True)
    assert {"period": "Romantic", "composer": "Schubert, Franz", "instrumentation": "Art Song"} in model["prompts"]


def test_a_failure_on_the_way_is_the_last_line(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    def failing(request: ComposeRequest, cancelled: Callable[[], bool]) -> Iterator[Event]:
        def events() -> Iterator[Event]:
            yield Started("x", (0,))
            raise MemoryError

        return events()

    monkeypatch.setattr("sideman.compose.compose.compose", failing)
    told = lines(client.post("/v1/compose", json={}).text)
    assert [line["type"] for line in told] == ["started", "error"]
    assert told[1]["error"]["code"] == "out_of_memory"  # type: ignore[index]


def waits(release: threading.Event, name: str, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Event]:
    """A piece that takes until `release`, or until it is cancelled."""
    yield Started(name, (0,))
    while not release.wait(0.01) and not cancelled():
        pass
    yield Grown(0, name)
    yield Finished(0, 0, "cancelled" if cancelled() else "end", name, name, "", 1, 0.0)


async def stays() -> bool:
    return False


async def told_to(line: Composing, name: str, release: threading.Event) -> list[dict[str, object]]:
    caller = line.join()
    rows = line.stream(caller, waits(release, name, caller.left.is_set), stays)
    found = [json.loads(row) async for row in rows]
    line.leave(caller)
    return found


def test_two_at_once_hear_their_own_piece_and_who_is_before_them():
    release = threading.Event()

    async def scenario() -> list[list[dict[str, object]]]:
        line = Composing()
        tasks = [asyncio.create_task(told_to(line, name, release)) for name in ("alpha", "omega")]
        await asyncio.sleep(0.1)
        release.set()
        found = await asyncio.gather(*tasks)
        line.close()
        return found

    first, second = asyncio.run(scenario())
    assert [row["type"] for row in first] == ["started", "grown", "finished"]
    assert second[0] == {"type": "queued", "ahead": 1}
    assert "alpha" not in json.dumps(second)
    assert "omega" not in json.dumps(first)
    assert second[-1]["abc"] == "omega"


def test_a_full_line_says_so_and_those_who_leave_make_room():
    async def scenario() -> None:
        line = Composing()
        callers = [line.join() for _ in range(MAX_WAITING + 1)]
        with pytest.raises(Busy):
            line.join()
        line.leave(callers[3])
        line.join()
        line.close()

    asyncio.run(scenario())


def test_who_leaves_is_not_written_for_any_longer():
    release, ended = threading.Event(), threading.Event()

    def events(cancelled: Callable[[], bool]) -> Iterator[Event]:
        yield from waits(release, "for nobody", cancelled)
        ended.set()

    async def leaves() -> bool:
        return True

    async def scenario() -> list[bytes]:
        line = Composing()
        caller = line.join()
        found = [row async for row in line.stream(caller, events(caller.left.is_set), leaves)]
        line.leave(caller)
        assert await asyncio.to_thread(ended.wait, 5)
        line.close()
        return found

    found = asyncio.run(scenario())
    assert not release.is_set()
    assert b"finished" not in b"".join(found)


def test_the_end_of_the_server_ends_the_piece():
    async def scenario() -> list[dict[str, object]]:
        line = Composing()
        task = asyncio.create_task(told_to(line, "cut short", threading.Event()))
        await asyncio.sleep(0.1)
        line.stop()
        found = await task
        line.close()
        return found

    assert asyncio.run(scenario())[-1]["why"] == "cancelled"
