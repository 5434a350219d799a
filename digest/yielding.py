"""Digests make way: mails that somebody looks for right now do not wait until an edition has left."""

from collections.abc import Callable
from datetime import datetime
from time import monotonic

from subscribers import stopping, waiting

#: A worker sends digests for so many seconds before it first looks who waits, and before each further look.
LOOK_SECONDS = 5.0


class Yielding:
    """What a worker that sends digests asks between two groups of them."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """`clock` returns the moment (aware UTC)."""
        self._clock = clock
        self._next = monotonic() + LOOK_SECONDS
        self.yields = False

    def __call__(self) -> bool:
        """Say whether the worker has done enough: it was told to stop, or somebody waits for its process."""
        if not self.yields and monotonic() >= self._next:
            self.yields = waiting.somebody_waits(at=self._clock())
            self._next = monotonic() + LOOK_SECONDS
        return self.yields or stopping.told()
