"""The time zones there are."""

import functools
import zoneinfo


@functools.cache
def names() -> frozenset[str]:
    """Return every zone this host knows. Reading the folder takes a while, so it is done once a process."""
    return frozenset(zoneinfo.available_timezones())
