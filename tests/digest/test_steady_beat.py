"""Beat under a clock that jumps: Celery's own scheduler, with the real schedule, messages kept in memory."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from celery import Celery
from celery.beat import PersistentScheduler

from digest.steady_beat import SteadyScheduler

START = datetime(2026, 3, 4, 12, tzinfo=UTC)
TASKS = {"quick": 5.0, "minute": 60.0, "hour": 3600.0}


def beat(kind: type[PersistentScheduler], folder: Path) -> tuple[Any, Counter[str]]:
    """Return a scheduler of `kind`, and what it sends: {task: how often}."""
    app = Celery("clockwork", broker="memory://", set_as_current=False)
    app.conf.beat_schedule = {name: {"task": name, "schedule": every} for name, every in TASKS.items()}
    sent: Counter[str] = Counter()

    class Counting(kind):  # type: ignore[misc, valid-type]
        def apply_async(self, entry: Any, **_kwargs: Any) -> None:
            sent[entry.task] += 1
            self.reserve(entry)

    return Counting(app=app, schedule_filename=str(folder / "beat")), sent


def run(scheduler: Any, move: Callable[[timedelta], None], seconds: int) -> None:
    """Let `seconds` go by, a tick in each."""
    for _ in range(seconds):
        scheduler.tick()
        move(timedelta(seconds=1))


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(days=1)], ids=str)
@pytest.mark.parametrize("ahead", [True, False], ids=["ahead", "back"])
def test_beat_goes_on_when_the_clock_jumps(tmp_path: Path, jump: timedelta, ahead: bool) -> None:
    with time_machine.travel(START, tick=False) as clock:
        scheduler, sent = beat(SteadyScheduler, tmp_path)
        run(scheduler, clock.shift, 120)
        assert (sent["quick"], sent["minute"]) == (23, 1)
        sent.clear()
        clock.shift(jump if ahead else -jump)
        run(scheduler, clock.shift, 120)
        assert sent["quick"] in {23, 24, 25}
        assert sent["minute"] in {1, 2, 3}
        scheduler.close()


def test_a_beat_that_is_started_after_its_clock_was_set_back_begins_at_once(tmp_path: Path) -> None:
    with time_machine.travel(START + timedelta(days=1), tick=False) as clock:
        before, _sent = beat(SteadyScheduler, tmp_path)
        run(before, clock.shift, 70)
        before.close()
    with time_machine.travel(START, tick=False) as clock:
        after, sent = beat(SteadyScheduler, tmp_path)
        run(after, clock.shift, 70)
        assert sent["minute"] == 1
        after.close()


def test_celerys_own_beat_is_silent_then(tmp_path: Path) -> None:
    with time_machine.travel(START, tick=False) as clock:
        scheduler, sent = beat(PersistentScheduler, tmp_path)
        run(scheduler, clock.shift, 120)
        sent.clear()
        clock.shift(timedelta(hours=-1))
        run(scheduler, clock.shift, 120)
        assert sent["minute"] == 0
        scheduler.close()
