"""Workers told to stop in the middle of a send: nothing is left on the wire, nothing is left claimed."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

from tests.faults.house import LONG, House, a_house
from tests.processes import wait_until

EACH = 60
#: How a worker is told: what signals come to whom. Its own name for each.
WAYS: dict[str, list[tuple[Callable[[int, int], None], signal.Signals]]] = {
    "kubernetes": [(os.kill, signal.SIGTERM)],  # and `manage.py up`
    "systemd": [(os.killpg, signal.SIGTERM)],  # and honcho
    "impatient": [(os.killpg, signal.SIGTERM), (os.killpg, signal.SIGTERM)],
    "ctrl-c": [(os.killpg, signal.SIGINT), (os.killpg, signal.SIGINT)],
    "quit": [(os.killpg, signal.SIGQUIT)],
}


def test_however_it_is_told_it_finishes_what_is_on_the_wire_and_gives_back_the_rest(tmp_path: Path) -> None:
    # A batch would take such a mail server the better part of a minute.
    with a_house(tmp_path, pause=0.4) as (house, _broker):
        keys = house.furnish(len(WAYS) * EACH)
        workers = dict(zip(WAYS, house.workers(*WAYS, concurrency=1), strict=True))
        for count in range(len(WAYS)):
            house.let_go(keys[count * EACH : (count + 1) * EACH])
            house.send("digest.tasks.deliver")
            assert wait_until(lambda: _owners(house) > count, LONG)  # noqa: B023 - asked within the loop
        assert house.sending(keys)
        for way, signals in WAYS.items():
            for tell, number in signals:
                tell(workers[way].pid, number)
        for worker in workers.values():
            worker.wait(LONG)
        states = house.states(keys)
        assert set(states) <= {"accepted", "ready", "deferred"}, states
        assert states["accepted"] < len(keys), "somebody went on to the end"
        assert house.mails_settle(keys) == states["accepted"]
        assert not [way for way in WAYS if "Traceback" in house.said(way)]

        house.sink(pause=0.0)
        house.workers("next")
        house.let_go(keys)
        house.beat()
        assert house.all_accepted(keys), house.states(keys)
        assert house.each_once(keys)


def _owners(house: House) -> int:
    """Return how many workers hold deliveries."""
    held = "SELECT COUNT(DISTINCT owner) FROM digest_delivery WHERE state IN ('claimed', 'submitting')"
    return int(house.rows(held)[0][0])
