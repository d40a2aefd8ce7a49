"""One melody at a time, a bounded line before it, and no work for those who left."""

import asyncio
import threading

import pytest

from sideman.serve.worker import MAX_WAITING, Busy, Gone, Stopping, Worker


async def stays() -> bool:
    return False


async def leaves() -> bool:
    return True


def test_one_at_a_time_and_in_order():
    busy = threading.Lock()
    done: list[int] = []

    def work(number: int) -> int:
        assert busy.acquire(blocking=False), "two at once"
        done.append(number)
        busy.release()
        return number

    async def scenario() -> list[int]:
        worker = Worker()
        results = await asyncio.gather(*[worker.run(lambda i=i: work(i), stays) for i in range(20)])
        worker.close()
        return results

    assert asyncio.run(scenario()) == list(range(20)) == done


def test_a_full_line_says_so_and_empties_again():
    release = threading.Event()

    async def scenario() -> None:
        worker = Worker()
        tasks = [asyncio.create_task(worker.run(release.wait, stays)) for _ in range(MAX_WAITING + 1)]
        await asyncio.sleep(0.05)
        assert worker.waiting == MAX_WAITING + 1  # one at work and the line behind it
        with pytest.raises(Busy):
            await worker.run(release.wait, stays)
        release.set()
        assert await asyncio.gather(*tasks) == [True] * (MAX_WAITING + 1)
        assert worker.waiting == 0
        assert await worker.run(lambda: 5, stays) == 5
        worker.close()

    asyncio.run(scenario())


def test_who_leaves_costs_nothing():
    release = threading.Event()
    ran: list[str] = []

    async def scenario() -> None:
        worker = Worker()
        first = asyncio.create_task(worker.run(release.wait, stays))
        await asyncio.sleep(0.01)  # it is at work
        with pytest.raises(Gone):
            await worker.run(lambda: ran.append("for nobody"), leaves)
        release.set()
        await first
        worker.close()

    asyncio.run(scenario())
    assert ran == []


def test_a_failure_harms_nobody_else():
    async def scenario() -> None:
        worker = Worker()
        with pytest.raises(ZeroDivisionError):
            await worker.run(lambda: 1 // 0, stays)
        assert await worker.run(lambda: 5, stays) == 5
        assert worker.waiting == 0
        worker.close()

    asyncio.run(scenario())


def test_the_end_of_the_server_is_an_answer():
    release = threading.Event()

    async def scenario() -> None:
        worker = Worker()
        waits = asyncio.create_task(worker.run(release.wait, stays))
        await asyncio.sleep(0.01)
        waits.cancel()
        with pytest.raises(Stopping):
            await waits
        assert worker.waiting == 0
        worker.close()

    asyncio.run(scenario())
    release.set()
