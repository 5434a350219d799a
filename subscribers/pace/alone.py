"""What one process knows by itself: waits that it heard of, and its share of each rate without the cache."""

import threading
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from subscribers import warmup
from subscribers.rates import Rate

#: So many workers at most are thought to share a rate when they cannot count together.
SHARES = 16
_LONGEST_CROWD = 300.0


class Memory:
    """Shared by a process's workers and their threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        #: {name: until when it is left alone, seconds since the epoch}
        self.holds: dict[str, float] = {}
        self.strikes: dict[str, int] = {}
        self.turns: dict[str, float] = {}
        #: Until when no digest may go, since a quota is used up.
        self.closed_until = 0.0
        self._crowds: dict[str, float] = {}

    def crowded(self, told: Iterable[tuple[str, bool]]) -> dict[str, float]:
        """Take in of each group whether some of it got no leave; return about how long those shall wait.

        Doubling while it lasts: where more come than may go, they must not come again and again.
        """
        fate: dict[str, bool] = {}
        for group, refused in told:
            fate[group] = fate.get(group, False) or refused
        for group, refused in fate.items():
            before = self._crowds.get(group, 0.0)
            self._crowds[group] = min(before * 2 or 1.0, _LONGEST_CROWD) if refused else before / 2
        return {group: max(self._crowds[group], 1.0) for group in fate}


def share(memory: Memory, group: str, at: datetime) -> tuple[str, float]:
    """Return (why not, seconds to wait) of a message to `group`: one after the other, evenly, a share of all.

    The first one waits, too: what was sent before the cache went away is not known here.
    """
    now, cap = at.timestamp(), warmup.cap(at)
    rates = (*settings.SEND_RATE, *settings.SEND_QUOTA, *((Rate(cap, 86_400),) if cap is not None else ()))
    mine = [("all", f"all {rate}", rate) for rate in rates]
    mine += [("domain", f"{group} {rate}", rate) for rate in settings.DOMAIN_RATES.get(group, ())]
    with memory.lock:
        for why, key, rate in mine:
            turn = memory.turns.setdefault(key, now + rate.seconds * SHARES / rate.many)
            if turn > now:
                return why, turn - now
        for _why, key, rate in mine:
            memory.turns[key] = now + rate.seconds * SHARES / rate.many
    return "", 0.0
