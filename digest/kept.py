"""Pieces of pages, rendered once and kept in the cache under the hash of what they say.

A key made of the content is never stale: what changes gets another key, and the old one runs out.
"""

import hashlib
import time
import zlib
from collections.abc import Callable
from typing import TypeVar

import structlog
from django.core.cache import cache
from django.template import engines
from django.template.backends.django import DjangoTemplates
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

#: How long a piece is kept, in seconds: each vote makes another, and the old ones take room.
KEPT = 600
#: How long a cache that failed is left alone, in seconds: each request would wait for it anew.
PATIENCE = 10.0
Answer = TypeVar("Answer")


class Passing(SafeString):
    """A piece that says what is wrong at this moment: it is shown and not kept."""


class _Weather:
    """When this process will try the cache again, on the monotonic clock."""

    away_until = 0.0


def rendered(template: str, **context: object) -> SafeString:
    """Return `template` rendered with `context`, from the cache if the same was rendered before.

    The context is plain values whose `repr` tells all that the template shows of them.
    """
    engine = engines["django"]
    assert isinstance(engine, DjangoTemplates)  # noqa: S101 - for mypy; settings name no other
    found = engine.get_template(template)
    return remembered(
        template,
        (found.template.source, sorted(context.items())),
        lambda: render_to_string(template, context),
    )


def remembered(kind: str, made_of: object, make: Callable[[], SafeString]) -> SafeString:
    """Return what `make` returned when it was last made of the same, or call it.

    `repr(made_of)` tells all that it depends on. Works without a cache, more slowly.
    """
    said = hashlib.sha256(repr(made_of).encode(errors="backslashreplace"))
    key = f"{kind}:{said.hexdigest()}"
    known = _ask(lambda: _unpacked(key))
    if known is not None:
        return known
    piece = make()
    if not isinstance(piece, Passing):
        _ask(lambda: cache.set(key, zlib.compress(piece.encode()), KEPT))
    return piece


def _unpacked(key: str) -> SafeString | None:
    """Return the piece kept under `key`; None if there is none, or something that cannot be read.

    Raises RedisError.
    """
    try:
        packed = cache.get(key)
        return SafeString(zlib.decompress(packed).decode()) if packed is not None else None
    except RedisError:
        raise
    except Exception as error:  # noqa: BLE001 - what unpickling junk raises is anything
        log.warning("cache_unreadable", why=type(error).__name__)
        return None


def _ask(question: Callable[[], Answer]) -> Answer | None:
    """Return the cache's answer, or None where it gives none; one that failed is not asked for a while."""
    if time.monotonic() < _Weather.away_until:
        return None
    try:
        return question()
    except RedisError as error:
        _Weather.away_until = time.monotonic() + PATIENCE
        log.warning("cache_away", why=type(error).__name__)
        return None
