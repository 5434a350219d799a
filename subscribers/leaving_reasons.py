"""Why people leave, from those who like to say. Nothing kept tells who."""

import hashlib
from datetime import datetime

import redis
import structlog
from django.core.cache import cache

from subscribers.addresses import without_addresses
from subscribers.links import LIFETIMES, Purpose
from subscribers.models import LeavingReason

log = structlog.get_logger(__name__)

#: Reasons taken in one day while the cache is away, which else sees to it that a link gives one.
MOST_UNCOUNTED = 200


def keep(reason: str, words: str, *, said_by: str, at: datetime) -> None:
    """Keep one reason of whoever holds the link `said_by` (a text, equal for equal links); drop further ones.

    Only the day is written: the consent log has the second at which somebody left. Addresses among the words
    are blotted out: curators read them, and nobody can act on them here.
    """
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if _is_first(said_by, day):
        LeavingReason.objects.create(reason=reason, words=without_addresses(words), at=day)


def _is_first(said_by: str, day: datetime) -> bool:
    name = hashlib.sha256(said_by.encode()).hexdigest()
    try:
        return cache.add(f"reason:{name}", 1, timeout=int(LIFETIMES[Purpose.UNDO].total_seconds()))
    except redis.RedisError as error:
        log.warning("leaving reason counted without the cache", fault=type(error).__name__)
        return LeavingReason.objects.filter(at=day).count() < MOST_UNCOUNTED
