"""A pool process killed in the middle of its task: the worker replaces it and takes the next message."""

import os
import signal
from pathlib import Path

import pytest

from tests.faults.house import LONG, a_house
from tests.processes import descendants, wait_until


@pytest.mark.postgres
def test_a_worker_of_one_process_goes_on_after_that_was_killed_again_and_again(tmp_path: Path) -> None:
    with a_house(tmp_path, pause=0.2, LEASE_SECONDS="2", IN_FLIGHT="2", SENDERS="1") as (house, _broker):
        keys = house.furnish(30)
        (worker,) = house.workers("worker", concurrency=1)
        house.let_go(keys)
        house.beat()
        for round_ in range(1, 4):
            assert house.sending(keys, at_least=3 * round_), house.said("worker")[-2000:]
            child = min(descendants(worker.pid))
            os.kill(child, signal.SIGKILL)
            assert wait_until(lambda: child not in descendants(worker.pid))  # noqa: B023 - asked within the loop
        done = {"accepted", "unknown"}
        assert wait_until(lambda: set(house.states(keys)) <= done, LONG), house.states(keys)
        # What the three were at, and no more, is not known; and nobody got it twice.
        assert house.states(keys)["unknown"] <= 3 * 2 * 2
        assert set(house.mails().values()) == {1}
        assert worker.poll() is None
