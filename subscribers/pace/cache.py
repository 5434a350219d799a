"""The cache that all workers count in, and how long it is left alone when it is away."""

import hashlib
import hmac
import math
import time
from collections.abc import Sequence
from typing import Any

import redis
import structlog
from django.conf import settings

from subscribers import quick_redis
from subscribers.pace import scripts

log = structlog.get_logger(__name__)

#: Seconds that a cache which has failed is asked nothing.
_AWAY = 5.0
#: The braces keep all keys in one slot of a cluster, as a script needs.
_PREFIX = "{paperboy-pace}:"
_away_until = -math.inf


class AwayError(Exception):
    """The cache did not answer, now or a moment ago."""


def run(script: str, args: Sequence[Any]) -> Any:  # noqa: ANN401 - what a script answers is its own affair
    """Return the answer of one of `scripts`, by its name. Raises AwayError."""
    _unless_away()
    try:
        return quick_redis.script(settings.REDIS_URL, getattr(scripts, script))(keys=[_prefix()], args=args)
    except redis.RedisError as error:
        raise _gone(error) from error


def holds() -> dict[str, float]:
    """Return {name: until when it is left alone, seconds since the epoch}. Raises AwayError."""
    _unless_away()
    try:
        found = quick_redis.client(settings.REDIS_URL).hgetall(f"{_prefix()}holds")
    except redis.RedisError as error:
        raise _gone(error) from error
    return {str(name): float(until) for name, until in found.items()}


def name_of(group: str) -> str:
    """Return the name of a group of domains in the cache: keyed, since a domain may be one person's."""
    return hmac.digest(settings.ADDRESS_PEPPER.encode(), f"pace {group}".encode(), hashlib.sha256).hex()[:16]


def _prefix() -> str:
    # Two installations may share one Redis.
    return f"{_PREFIX}{name_of('prefix')}:"


def _unless_away() -> None:
    if time.monotonic() < _away_until:
        raise AwayError


def _gone(error: redis.RedisError) -> AwayError:
    global _away_until  # noqa: PLW0603 - one process, one cache
    log.warning("paced without the cache", fault=type(error).__name__)
    _away_until = time.monotonic() + _AWAY
    return AwayError()
