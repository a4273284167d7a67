"""Work by several processes: order, errors, no more in memory than is under way, nobody left behind."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tfwarpgan.data import workers
from tfwarpgan.errors import InputError


def square(number):
    time.sleep(0.002 * (number % 3))  # so that later items are ready first
    return number**2


def refuse_seven(number):
    if number == 7:
        raise InputError("seven")
    return number


def who(_):
    return os.getpid()


def end_itself(_):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_results_come_in_order(count):
    assert list(workers.ordered_map(square, range(50), count)) == [number**2 for number in range(50)]


def test_others_do_the_work():
    assert os.getpid() not in set(workers.ordered_map(who, range(20), 2))
    assert set(workers.ordered_map(who, range(20), 1)) == {os.getpid()}


@pytest.mark.parametrize("count", [1, 2])
def test_an_error_comes_in_the_place_of_its_result(count):
    results = workers.ordered_map(refuse_seven, range(20), count)
    assert [next(results) for _ in range(7)] == list(range(7))
    with pytest.raises(InputError, match="seven"):
        next(results)


def test_items_are_read_no_further_than_work_is_under_way():
    read = []
    items = (read.append(number) or number for number in range(1000))
    results = workers.ordered_map(square, items, 2)
    next(results)
    assert len(read) <= 2 * workers.AHEAD * workers.CHUNK
    results.close()


def test_a_process_that_the_system_ends_is_a_sentence():
    with pytest.raises(InputError, match="--workers=1"):
        list(workers.ordered_map(end_itself, range(3), 2))


def test_workers_end_with_their_parent():
    code = (
        "import os, time, sys\n"
        "from tfwarpgan.data import workers\n"
        "def pid(_):\n    return os.getpid()\n"
        "results = workers.ordered_map(pid, range(100), 2)\n"
        "print(next(results), flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        worker = int(process.stdout.readline())
        process.kill()
    deadline = time.time() + 10
    while time.time() < deadline and os.path.exists(f"/proc/{worker}") and not _is_zombie(worker):
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{worker}") or _is_zombie(worker)


def _is_zombie(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True
