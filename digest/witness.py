"""The count of what was sent, kept outside the database: in a file, and in the broker that all hosts share.

One place is enough to tell a restored database; there are two, so that a broker that was flushed or replaced,
or a host with a new disk, stops nobody. The embedded broker is no place of its own: it lies in DATA_DIR
beside the database, and comes back with it from a backup of the whole folder. So does the file, but it knows
when it is a copy.
"""

import fcntl
import json
import os
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import redis
import structlog
from django.conf import settings

from subscribers import quick_redis

log = structlog.get_logger(__name__)

FILE = "sent.witness"
#: Seconds that a broker which has failed rests before it is asked again.
_REST = 5.0
#: Seconds that a file's change of status (ctime) may come after what was written into it.
_SLACK = 2.0

# KEYS: the hash. ARGV: lineage, generation, then lineages that may be overwritten. Returns what was there.
_SCRIPT = """
local found = redis.call('HMGET', KEYS[1], 'lineage', 'generation')
local free = not found[1]
if found[1] == ARGV[1] then free = tonumber(found[2]) < tonumber(ARGV[2]) end
for i = 3, #ARGV do free = free or found[1] == ARGV[i] end
if free then redis.call('HSET', KEYS[1], 'lineage', ARGV[1], 'generation', ARGV[2]) end
return found
"""


class NoWitnessError(Exception):
    """No place outside the database can be asked now."""


@dataclass(frozen=True, slots=True)
class Mark:
    """So many groups were sent in a lineage."""

    lineage: str
    generation: int


def told() -> list[Mark]:
    """Return what the places outside know, of each that knows anything.

    Raises NoWitnessError where none knows anything and the broker, which may, cannot be asked.
    """
    marks = [mark for mark in (_in_file(),) if mark is not None]
    if not settings.EMBEDDED_VALKEY:
        try:
            found = quick_redis.client(settings.REDIS_URL).hmget(_key(), ["lineage", "generation"])
        except redis.RedisError as error:
            if not marks:
                raise NoWitnessError(type(error).__name__) from error
            log.warning("broker_not_asked", fault=type(error).__name__)
        else:
            marks += _marks(found)
    return marks


def tell(mark: Mark, *, over: Collection[str] = ()) -> list[Mark]:
    """Write `mark` in every place, over a smaller one and over those of lineages in `over`.

    Returns what stood there before. Raises NoWitnessError where no place took it.
    """
    before, faults = [], []
    try:
        before += [found for found in (_write(mark, over),) if found is not None]
    except OSError as error:
        faults.append(type(error).__name__)
        log.warning("witness_file_not_written", fault=type(error).__name__, folder=str(settings.WITNESS_DIR))
    if not settings.EMBEDDED_VALKEY:
        try:
            before += _told_broker(mark, over)
        except redis.RedisError as error:
            faults.append(type(error).__name__)
    if len(faults) == (1 if settings.EMBEDDED_VALKEY else 2):
        raise NoWitnessError(", ".join(faults))
    return before


# --- The file ----------------------------------------------------------------------------------------------


def _in_file() -> Mark | None:
    path = _path()
    try:
        with _held(path, os.O_RDONLY) as handle:
            return _read(handle)
    except OSError:
        return None


def _path() -> Path:
    return Path(settings.WITNESS_DIR) / FILE


@contextmanager
def _held(path: Path, flags: int) -> Iterator[int]:
    handle = os.open(path, flags, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH if flags == os.O_RDONLY else fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def _read(handle: int) -> Mark | None:
    """Return what the file says, unless it was torn by a crash, or is a copy of the file that was written."""
    try:
        said = json.loads(os.pread(handle, 1000, 0))
        mark, inode, at = Mark(said["lineage"], int(said["generation"])), said["inode"], said["at"]
    except (ValueError, KeyError, TypeError):
        return None
    stat = os.fstat(handle)
    # A copy is another file, made later, whatever times the tool that made it has set. Either alone happens
    # to originals: some mounted folders number their files anew, and an owner may be changed.
    return None if stat.st_ino != inode and stat.st_ctime > at + _SLACK else mark


def _write(mark: Mark, over: Collection[str]) -> Mark | None:
    # In place, under a lock: a new file each time would cost more and have another number.
    with _held(_path(), os.O_RDWR | os.O_CREAT) as handle:
        found = _read(handle)
        smaller = found is not None and found.lineage == mark.lineage and found.generation < mark.generation
        if found is None or smaller or found.lineage in over:
            said = {"lineage": mark.lineage, "generation": mark.generation}
            own = {"inode": os.fstat(handle).st_ino, "at": time.time()}
            text = json.dumps({**said, **own}).encode()
            os.pwrite(handle, text, 0)
            os.ftruncate(handle, len(text))
        return found


# --- The broker --------------------------------------------------------------------------------------------

_rests_until = 0.0


def _told_broker(mark: Mark, over: Collection[str]) -> list[Mark]:
    global _rests_until  # noqa: PLW0603 - one broker, and one memory of its failing, for the whole process
    if monotonic() < _rests_until:
        raise redis.ConnectionError("failed a moment ago")
    try:
        script = quick_redis.script(settings.REDIS_URL, _SCRIPT)
        return _marks(script(keys=[_key()], args=[mark.lineage, mark.generation, *over]))
    except redis.RedisError as error:
        _rests_until = monotonic() + _REST
        log.warning("broker_not_told", fault=type(error).__name__)
        raise


def _marks(found: object) -> list[Mark]:
    lineage, generation = found if isinstance(found, list) else (None, None)
    return [Mark(str(lineage), int(generation))] if lineage and generation else []


def _key() -> str:
    # Two installations may share one Redis.
    return f"{settings.CACHES['default']['KEY_PREFIX']}:sent"
