"""How many may sign up within an hour: from one network, for one mail domain, for one address, and in all;
how often one network may have a puzzle checked or ask for a preview, and one person at the desk a test mail.

Counted in the Redis or Valkey that the cache uses, which all web processes share. All windows are looked at
and counted by one Lua script, which the server runs as a whole: plain INCRs would have to count first and
look afterwards, and then a network that is refused would go on using up the domain's share and everybody's.

A window is two counters of an hour (or minute) each. The last 60 minutes are taken as this hour's count and
so much of the hour before as still lies within them: two numbers a window, whatever the traffic.
"""

import enum
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

import redis
import structlog
from django.conf import settings

from subscribers import quick_redis, signups
from subscribers.addresses import address_hash
from subscribers.models import ConsentEvent
from subscribers.networks import neighbourhood, provider

log = structlog.get_logger(__name__)

#: Enough for one who looks in the wrong mailbox; and it bounds what one victim's address can write.
SIGNUPS_PER_ADDRESS = 5
#: Puzzles that one network may have checked within an hour, for each of its sign-ups: people slip.
PUZZLES_PER_SIGNUP = 5
#: What one network may ask of the preview within a minute: an office of people who type.
PREVIEWS_PER_NETWORK = 120
#: Test mails of an edition that one person may have sent within an hour.
TESTS_PER_PERSON = 10
#: Shares of a network that a whole /32 of IPv6 has: who holds one could come from 65,536 networks.
NETWORKS_PER_PROVIDER = 5
_MINUTE, _HOUR = 60, 3600
_WEEK = 168
#: The braces keep all keys in one slot of a cluster, as a script needs.
_PREFIX = "{paperboy-signups}"

# KEYS: two counters of each window, then the tallies of what was asked and what was refused. ARGV: the share
# of the period before, seconds to keep counters and tallies, how many of the windows refuse, their caps. A
# window after those refuses nobody: it is told of when full, and all the others count on.
_SCRIPT = """
local function count(key, seconds)
  redis.call('INCR', key)
  redis.call('EXPIRE', key, seconds)
end
local share, kept = tonumber(ARGV[1]), tonumber(ARGV[2])
local week, refusing = tonumber(ARGV[3]), tonumber(ARGV[4])
local windows = (#KEYS - 2) / 2
local full = 0
count(KEYS[#KEYS - 1], week)
for i = 1, windows do
  local now = tonumber(redis.call('GET', KEYS[2 * i - 1]) or 0)
  local before = tonumber(redis.call('GET', KEYS[2 * i]) or 0)
  if now + before * share + 1 > tonumber(ARGV[4 + i]) then
    full = i
    if i <= refusing then
      count(KEYS[#KEYS], week)
      return full
    end
  end
end
for i = 1, windows do
  if i ~= full then count(KEYS[2 * i - 1], kept) end
end
return full
"""


class Room(enum.Enum):
    """What the limits say to a sign-up.

    ENOUGH: it is one too many for its address alone. Whoever comes now may not be to blame, and
    gets the answer of an accepted one; it counts as one too, or the network's next sign-ups would tell.
    """

    FREE = enum.auto()
    ENOUGH = enum.auto()
    FULL = enum.auto()


@dataclass(frozen=True, slots=True)
class Pressure:
    """Sign-ups that came as far as the limits: within the last hour, refused there, and usual in an hour."""

    asked: int
    refused: int
    usual: float


def admit(address: str, network: str | None, *, at: datetime) -> Room:
    """Count a sign-up for `address` (from `normalise`) from network address `network`; say whether it may
    pass.

    A refused one counts for no window. Without the cache, sign-ups pass until SIGNUPS_PER_HOUR of them wait
    in the database.
    """
    caps = {
        **_networks(network, settings.SIGNUPS_PER_NETWORK),
        f"domain {address.rpartition('@')[2]}": settings.SIGNUPS_PER_DOMAIN,
        "all": settings.SIGNUPS_PER_HOUR,
    }
    enough = {f"address {address_hash(address)}": SIGNUPS_PER_ADDRESS}
    try:
        full = _count(caps, at, enough=enough)
    except redis.RedisError as error:
        log.warning("sign-ups counted without the cache", fault=type(error).__name__)
        room = signups.waiting(settings.SIGNUPS_PER_HOUR) < settings.SIGNUPS_PER_HOUR
        return Room.FREE if room else Room.FULL
    if full:
        log.info("sign-up over a limit", limit=full)
    return {"": Room.FREE, "address": Room.ENOUGH}.get(full, Room.FULL)


def may_ask_about_puzzle(network: str | None, *, at: datetime) -> bool:
    """Count that an answer from `network` is to be checked; say whether it may be.

    Without the cache, it may.
    """
    most = PUZZLES_PER_SIGNUP * settings.SIGNUPS_PER_NETWORK
    return _within(_networks(network, most, "puzzles "), at, tallies=("puzzles", "refused"))


def may_preview(network: str | None, *, at: datetime) -> bool:
    """Count a preview for `network`; say whether it may be made. Without the cache, it may."""
    caps = _networks(network, PREVIEWS_PER_NETWORK, "previews ")
    return _within(caps, at, tallies=("previews", "previews refused"), period=_MINUTE)


def may_have_test(person: int, *, at: datetime) -> bool | None:
    """Count a test mail for the account `person`; say whether it may be sent. None: the cache is away."""
    try:
        full = _count({f"tests {person}": TESTS_PER_PERSON}, at, tallies=("tests", "tests refused"))
    except redis.RedisError as error:
        log.warning("not counted without the cache", what="tests", fault=type(error).__name__)
        return None
    return not full


def pressure(at: datetime) -> Pressure:
    """Return how many sign up now and usually; "usually" is the mean hour of the week before, or of less."""
    hour, share = _period_and_share(at, _HOUR)
    hours = range(hour, hour - _WEEK - 1, -1)
    try:
        cache = quick_redis.client(settings.REDIS_URL)
        found = cache.mget([_tally("asked", each) for each in hours])
        refused = cache.mget([_tally("refused", each) for each in (hour, hour - 1)])
    except redis.RedisError:
        return _pressure_by_rows(at)
    asked = [int(count or 0) for count in found]
    known = max((index for index, count in enumerate(asked) if count), default=0)
    usual = sum(asked[2:]) / (known - 1) if known > 1 else 0.0
    now, before = (int(count or 0) for count in refused)
    return Pressure(round(asked[0] + asked[1] * share), round(now + before * share), usual)


def _networks(network: str | None, most: int, what: str = "") -> dict[str, int]:
    """Return the windows of `network` with their caps: the neighbourhood's, and of IPv6 the provider's."""
    caps = {f"{what}net {neighbourhood(network)}": most}
    if wide := provider(network):
        caps[f"{what}provider {wide}"] = NETWORKS_PER_PROVIDER * most
    return caps


def _within(caps: dict[str, int], at: datetime, *, tallies: tuple[str, str], period: int = _HOUR) -> bool:
    try:
        full = _count(caps, at, tallies=tallies, period=period)
    except redis.RedisError as error:
        log.warning("not counted without the cache", what=tallies[0], fault=type(error).__name__)
        return True
    if full:
        log.info("over a limit", limit=full)
    return not full


def _count(
    caps: dict[str, int],
    at: datetime,
    *,
    enough: dict[str, int] | None = None,
    tallies: tuple[str, str] = ("asked", "refused"),
    period: int = _HOUR,
) -> str:
    """Return the kind of the first of `caps` that is full; or, having counted, of `enough`; or nothing.

    `tallies` name what counts all that was asked in an hour, and what was refused; a window has two periods
    of `period` seconds.
    """
    now, share = _period_and_share(at, period)
    hour, _ = _period_and_share(at, _HOUR)
    windows = {**caps, **(enough or {})}
    keys = [_window(name, each) for name in windows for each in (now, now - 1)]
    keys += [_tally(name, hour) for name in tallies]
    args = [share, 2 * period, (_WEEK + 2) * _HOUR, len(caps), *windows.values()]
    full = int(quick_redis.script(settings.REDIS_URL, _SCRIPT)(keys=keys, args=args))
    return list(windows)[full - 1].partition(" ")[0] if full else ""


def _period_and_share(at: datetime, period: int) -> tuple[int, float]:
    """Return the number of the hour or minute, and the part of the one before that a window holds still."""
    number, seconds = divmod(at.timestamp(), period)
    return int(number), 1 - seconds / period


def _window(name: str, hour: int) -> str:
    # Keyed, so that the cache holds no network, domain or address that could be read out of it, and that two
    # installations may share one.
    hashed = hmac.digest(settings.ADDRESS_PEPPER.encode(), name.encode(), hashlib.sha256).hex()[:32]
    return f"{_PREFIX}:{hashed}:{hour}"


def _tally(name: str, hour: int) -> str:
    return _window(f"tally {name}", hour)


def _pressure_by_rows(at: datetime) -> Pressure:
    """Return the pressure without the cache: what was asked for in earnest, and what waits."""
    asked = ConsentEvent.objects.filter(kind=ConsentEvent.Kind.REQUESTED, at__lte=at)
    lately = asked.filter(at__gt=at - timedelta(hours=1)).count()
    usual = asked.filter(at__gt=at - timedelta(hours=_WEEK)).count() / _WEEK
    return Pressure(lately + signups.waiting(settings.SIGNUPS_PER_HOUR), 0, usual)
