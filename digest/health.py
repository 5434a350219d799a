"""Whether Paperboy is ready to send and to be read: plain facts for monitors, what is wrong in sentences.

For monitors and people, not for load balancers: a web process whose queue is late still takes every click on
"unsubscribe". Those ask `/healthz`.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic

import redis
import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from digest import guarding, queues
from digest.models import Delivery, Edition, Guard
from subscribers import quick_redis

log = structlog.get_logger(__name__)

#: Seconds that an answer may take, and that it is kept for whoever asks next.
PATIENCE, KEPT = 1.0, 2.0
#: Late is a digest that has been due for so long while none has left lately: a large edition takes hours.
LATE, LATELY = timedelta(minutes=15), timedelta(minutes=5)
#: Ticks come every TICK_SECONDS, at most a minute apart.
MISSED = timedelta(minutes=3)
#: Everything that is looked at; those after the first two are known from the database.
NAMES = ("database", "broker", "migrations", "queue", "sending", "clock")
_UNKNOWN = "not known: the database does not answer"

Facts = dict[str, str]


def facts() -> Facts:
    """Return {what: what is wrong with it, nothing if it is well}, at most two seconds old."""
    with _LOCK:
        global _kept  # noqa: PLW0603 - what one process knows, for all of its threads
        if _kept is None or monotonic() - _kept[0] > KEPT:
            _kept = (monotonic(), _ask())
            _say(_kept[1])
        return _kept[1]


_LOCK = threading.Lock()
_kept: tuple[float, Facts] | None = None
_asking: threading.Thread | None = None
_said_at = 0.0


def forget() -> None:
    """Forget what is kept."""
    global _kept  # noqa: PLW0603
    _kept = None


def _say(found: Facts) -> None:
    global _said_at  # noqa: PLW0603
    wrong = {name: told for name, told in found.items() if told}
    if wrong and monotonic() - _said_at > 60:
        _said_at = monotonic()
        log.warning("not_ready", **wrong)


def _ask() -> Facts:
    """Ask the database and, meanwhile, the broker."""
    told = _Told(timezone.now())
    broker = _broker()
    known = told.within(PATIENCE) or {"database": f"does not answer within {PATIENCE:.0f} second"}
    return {name: known.get(name, _UNKNOWN) for name in NAMES} | {"broker": broker}


class _Told:
    """What the database says, asked in a thread of its own: drivers wait for minutes for a lost host."""

    def __init__(self, at: datetime) -> None:
        global _asking  # noqa: PLW0603
        self._found: list[Facts] = []
        # One that hangs still is not joined by others.
        if _asking is None or not _asking.is_alive():
            _asking = threading.Thread(target=lambda: self._found.append(_of_database(at)), daemon=True)
            _asking.start()
        self._thread = _asking

    def within(self, seconds: float) -> Facts | None:
        """Return it if it comes within `seconds`."""
        self._thread.join(seconds)
        return self._found[0] if self._found else None


def _of_database(at: datetime) -> Facts:
    looks: dict[str, Callable[[datetime], str]] = {
        "migrations": lambda _at: _migrations(),
        "queue": _queue,
        "sending": lambda _at: guarding.found(),
        "clock": _clock,
    }
    try:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"SET statement_timeout = {PATIENCE * 1000:.0f}")
        return {"database": ""} | {name: look(at) for name, look in looks.items()}
    except (DatabaseError, InterfaceError) as error:
        return {"database": f"cannot be asked ({type(error).__name__})"}
    finally:
        connections.close_all()  # this thread's


_migrated = False


def _migrations() -> str:
    global _migrated  # noqa: PLW0603 - they are not unapplied under a running process
    if not _migrated:
        executor = MigrationExecutor(connection)
        waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        if waiting:
            return f"{waiting} are not applied: run `manage.py migrate`"
        _migrated = True
    return ""


def _queue(at: datetime) -> str:
    since = queues.oldest_digest(at)
    if since is None or at - since < LATE or _moves(at):
        return ""
    minutes = int((at - since).total_seconds() // 60)
    return f"the oldest due digest has waited {minutes} minutes, and none has left for 5"


def _moves(at: datetime) -> bool:
    """Say whether digests leave at present, however many wait."""
    going = Edition.objects.sendable().filter(day__gte=(at - timedelta(days=3)).date()).values("pk")
    left = Delivery.objects.filter(edition__in=going, state__in=Delivery.ANSWERED)
    return left.filter(settled_at__gt=at - LATELY).exists()


def _clock(at: datetime) -> str:
    ticked = Guard.objects.filter(pk=1).values_list("ticked_at", flat=True).first()
    if ticked is None:
        return "has never ticked: run beat and a worker"
    if at - ticked >= MISSED:
        minutes = int((at - ticked).total_seconds() // 60)
        return f"last ticked {minutes} minutes ago: see to beat and the workers"
    return ""


def _broker() -> str:
    try:
        quick_redis.client(settings.REDIS_URL).ping()
    except redis.RedisError as error:
        return f"does not answer ({type(error).__name__})"
    return ""
