"""The Redis or Valkey that all processes share, asked by whoever has no time to wait for it."""

import functools

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

#: Seconds that connecting may take, and an answer.
_SECONDS = 0.5


@functools.cache
def client(url: str) -> "redis.Redis":
    """Return this process's connections to the Redis at `url`; answers are text.

    A connection that broke is not tried again within one call; the next one opens another.
    """
    return redis.Redis.from_url(
        url,
        socket_timeout=_SECONDS,
        socket_connect_timeout=_SECONDS,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


@functools.cache
def script(url: str, source: str) -> "redis.commands.core.Script":
    """Return the Lua script `source`, to be called with `keys` and `args` on the Redis at `url`."""
    return client(url).register_script(source)
