"""Celery's beat, made to go on when its machine's clock is set back or ahead.

Celery remembers when each task last ran, and keeps a heap of when each is next, both by the clock on the
wall. Set back by a day, the tasks whose last run lies in the future are silent for a day; and one that does
run is from then on ahead of all others in the heap.
"""

import time
from typing import Any

import structlog
from celery.beat import PersistentScheduler

log = structlog.get_logger(__name__)

#: Seconds by which the clock on the wall and the monotonic one may drift apart between two ticks.
DRIFT = 2.0


class SteadyScheduler(PersistentScheduler):
    """Begins anew when the clock jumps: every task counts as last run now."""

    _apart: float | None = None

    def tick(self, *args: Any, **kwargs: Any) -> float:  # noqa: ANN401 - handed on as they are
        """Send what is due and return the seconds until the next tick."""
        apart = time.time() - time.monotonic()
        if self._apart is not None and abs(apart - self._apart) > DRIFT:
            log.warning("clock_jumped", seconds=round(apart - self._apart, 1))
            self._begin_anew()
        self._apart = apart
        seconds: float = super().tick(*args, **kwargs)
        return seconds

    def setup_schedule(self) -> None:
        """Read what was kept; what a beat before wrote in the future counts as run now."""
        super().setup_schedule()
        now = self.app.now()
        if any(entry.last_run_at and entry.last_run_at > now for entry in self.schedule.values()):
            self._begin_anew()

    def _begin_anew(self) -> None:
        for entry in self.schedule.values():
            entry.last_run_at = self.app.now()
        self._heap = None
