"""How many may sign up within an hour: from one network, for one mail domain, for one address, and in all.

Counted in the Redis or Valkey that the cache uses, which all web processes share. All windows are looked at
and counted by one Lua script, which the server runs as a whole: plain INCRs would have to count first and
look afterwards, and then a network that is refused would go on using up the domain's share and everybody's.

A window is two counters of an hour each. The last 60 minutes are taken as this hour's count and so much of
the hour before as still lies within them: two numbers a window, whatever the traffic.
"""

import functools
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from subscribers import signups
from subscribers.addresses import address_hash
from subscribers.models import ConsentEvent
from subscribers.networks import neighbourhood

log = structlog.get_logger(__name__)

#: Enough for one who looks in the wrong mailbox; and it bounds what one victim's address can write.
SIGNUPS_PER_ADDRESS = 5
#: A web thread waits no longer for the cache.
_SECONDS = 0.5
_HOUR = 3600
_WEEK = 168
#: The braces keep all keys in one slot of a cluster, as a script needs.
_PREFIX = "{paperboy-signups}"

_SCRIPT = """
local function count(key, seconds)
  redis.call('INCR', key)
  redis.call('EXPIRE', key, seconds)
end
local share, hour, week = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local windows = (#KEYS - 2) / 2
count(KEYS[#KEYS - 1], week)
for i = 1, windows do
  local now = tonumber(redis.call('GET', KEYS[2 * i - 1]) or 0)
  local before = tonumber(redis.call('GET', KEYS[2 * i]) or 0)
  if now + before * share + 1 > tonumber(ARGV[3 + i]) then
    count(KEYS[#KEYS], week)
    return i
  end
end
for i = 1, windows do count(KEYS[2 * i - 1], hour) end
return 0
"""


@dataclass(frozen=True, slots=True)
class Pressure:
    """Sign-ups that came as far as the limits: within the last hour, refused there, and usual in an hour."""

    asked: int
    refused: int
    usual: float


def admit(address: str, network: str | None, *, at: datetime) -> bool:
    """Count a sign-up for `address` (from `normalise`) from network address `network`; say whether it may
    pass.

    A refused one counts for no window. Without the cache, sign-ups pass until SIGNUPS_PER_HOUR of them wait
    in the database.
    """
    caps = {
        f"net {neighbourhood(network)}": settings.SIGNUPS_PER_NETWORK,
        f"domain {address.rpartition('@')[2]}": settings.SIGNUPS_PER_DOMAIN,
        f"address {address_hash(address)}": SIGNUPS_PER_ADDRESS,
        "all": settings.SIGNUPS_PER_HOUR,
    }
    try:
        full = _count(caps, at)
    except redis.RedisError as error:
        log.warning("sign-ups counted without the cache", fault=type(error).__name__)
        return signups.waiting(settings.SIGNUPS_PER_HOUR) < settings.SIGNUPS_PER_HOUR
    if full:
        log.info("sign-up over a limit", limit=full)
    return not full


def pressure(at: datetime) -> Pressure:
    """Return how many sign up now and usually; "usually" is the mean hour of the week before, or of less."""
    hour, share = _hour_and_share(at)
    hours = range(hour, hour - _WEEK - 1, -1)
    try:
        found = _client(settings.REDIS_URL).mget([_tally("asked", each) for each in hours])
        refused = _client(settings.REDIS_URL).mget([_tally("refused", each) for each in (hour, hour - 1)])
    except redis.RedisError:
        return _pressure_by_rows(at)
    asked = [int(count or 0) for count in found]
    known = max((index for index, count in enumerate(asked) if count), default=0)
    usual = sum(asked[2:]) / (known - 1) if known > 1 else 0.0
    now, before = (int(count or 0) for count in refused)
    return Pressure(round(asked[0] + asked[1] * share), round(now + before * share), usual)


def _count(caps: dict[str, int], at: datetime) -> str:
    """Return the kind of the first window that is full, or the empty string after counting in each."""
    hour, share = _hour_and_share(at)
    keys = [_window(name, each) for name in caps for each in (hour, hour - 1)]
    keys += [_tally("asked", hour), _tally("refused", hour)]
    script = _script(settings.REDIS_URL)
    full = int(script(keys=keys, args=[share, 2 * _HOUR, (_WEEK + 2) * _HOUR, *caps.values()]))
    return list(caps)[full - 1].partition(" ")[0] if full else ""


def _hour_and_share(at: datetime) -> tuple[int, float]:
    """Return the number of the hour, and the part of the hour before that lies within the last 60 minutes."""
    hour, seconds = divmod(at.timestamp(), _HOUR)
    return int(hour), 1 - seconds / _HOUR


def _window(name: str, hour: int) -> str:
    # Keyed, so that the cache holds no network, domain or address that could be read out of it.
    hashed = hmac.digest(settings.ADDRESS_PEPPER.encode(), name.encode(), hashlib.sha256).hex()[:32]
    return f"{_PREFIX}:{hashed}:{hour}"


def _tally(name: str, hour: int) -> str:
    return f"{_PREFIX}:{name}:{hour}"


def _pressure_by_rows(at: datetime) -> Pressure:
    """Return the pressure without the cache: what was asked for in earnest, and what waits."""
    asked = ConsentEvent.objects.filter(kind=ConsentEvent.Kind.REQUESTED, at__lte=at)
    lately = asked.filter(at__gt=at - timedelta(hours=1)).count()
    usual = asked.filter(at__gt=at - timedelta(hours=_WEEK)).count() / _WEEK
    return Pressure(lately + signups.waiting(settings.SIGNUPS_PER_HOUR), 0, usual)


@functools.cache
def _client(url: str) -> "redis.Redis":
    # A connection that broke is not tried again within a request; the next one opens another.
    return redis.Redis.from_url(
        url,
        socket_timeout=_SECONDS,
        socket_connect_timeout=_SECONDS,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


@functools.cache
def _script(url: str) -> "redis.commands.core.Script":
    return _client(url).register_script(_SCRIPT)
