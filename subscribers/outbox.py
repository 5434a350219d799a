"""System mails (confirm, a link ...): rows written with their cause, sent at least once afterwards.

`post` belongs inside the transaction of the change that causes the mail; `deliver_due` runs from a task.
A mail whose answer got lost is sent again: a second confirmation mail does no harm, a missing one does.
"""

import time
from contextlib import closing
from datetime import datetime, timedelta
from uuid import uuid4

import structlog
from django.conf import settings

from subscribers import letters, stopping
from subscribers.addresses import address_hash
from subscribers.leasing import claim
from subscribers.models import AddressChange, Subscriber, Suppression, SystemMail
from subscribers.pace import Leave, Pacer
from subscribers.transport import Fate, Outcome, Sender

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 6
#: Waits after the first, second ... attempt. The sum stays well below the 72 hours of a confirm link.
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360))
_LONGEST_WAIT = timedelta(hours=6)
_LONGEST_LIFE = timedelta(days=3)
#: Seconds that a mail waits for the pace before it goes back, and how often it asks.
_PATIENCE, _TRIES = 2.0, 5
_Status = Subscriber.Status
#: The states in which a reader still has a use for a mail of this kind.
_WANTED_BY = {
    SystemMail.Kind.CONFIRM: {_Status.PENDING},
    SystemMail.Kind.ALREADY_SUBSCRIBED: {_Status.ACTIVE},
    # Who has left may still take their data along, or have it erased.
    SystemMail.Kind.ACCOUNT: {_Status.PENDING, _Status.ACTIVE, _Status.UNSUBSCRIBED},
    SystemMail.Kind.NEW_ADDRESS: {_Status.ACTIVE},
    SystemMail.Kind.ADDRESS_CHANGED: set(_Status),
}


def post(subscriber: Subscriber, kind: SystemMail.Kind, *, at: datetime, to: str = "") -> SystemMail:
    """Write the mail into the outbox, due at once; call it in the transaction of its cause.

    It goes to the reader's address of the moment it is sent, or to `to`, an address from `normalise`.
    """
    return SystemMail.objects.create(subscriber=subscriber, kind=kind, to=to, created_at=at, not_before=at)


def deliver_due(*, at: datetime, limit: int = 500) -> int:
    """Send up to `limit` mails that are due at `at` or become due meanwhile; return how many were accepted.

    Rows are claimed one at a time, so that a slow mail server never outlasts a lease. A server that cannot
    be reached ends the run: what waits behind would only wait longer.
    """
    owner = uuid4().hex
    started = time.monotonic()
    accepted = 0

    def clock() -> datetime:
        return at + timedelta(seconds=time.monotonic() - started)

    pacer = Pacer(clock)
    with closing(Sender(pacer=pacer)) as sender:
        for _ in range(limit):
            now = clock()
            mail = None if stopping.told() or pacer.held() else _next(owner, now)
            if mail is None:
                break
            fate = _deliver(mail, sender, pacer, now)
            accepted += fate is Fate.ACCEPTED
            if fate is Fate.NOT_SENT:
                break
    return accepted


def _next(owner: str, at: datetime) -> SystemMail | None:
    until = at + timedelta(seconds=settings.LEASE_SECONDS)
    for due in SystemMail.objects.due(at), SystemMail.objects.astray(at):
        for pk in claim(due.order_by("not_before", "pk"), owner=owner, until=until, limit=1):
            return SystemMail.objects.select_related("subscriber").get(pk=pk)
    return None


def _deliver(mail: SystemMail, sender: Sender, pacer: Pacer, at: datetime) -> Fate | None:
    if not _still_wanted(mail):
        _settle(mail, state=SystemMail.State.FAILED, detail="no longer wanted")
        return None
    if mail.attempts >= MOST_ATTEMPTS:
        _settle(mail, state=SystemMail.State.FAILED, detail=mail.detail or "gave up")
        return None
    leave = _leave(mail, pacer)
    if not leave.go:
        wait = timedelta(seconds=leave.put_off.get(0, leave.wait))
        _settle(mail, state=SystemMail.State.WAITING, detail=mail.detail, not_before=at + wait)
        return None if leave.put_off else Fate.NOT_SENT
    # Counted before the wire, so that a mail which kills its worker comes to an end too.
    mail.attempts += 1
    _write(mail, attempts=mail.attempts)
    outcome = _send(mail, sender, at)
    _record(mail, outcome, at)
    log.info("system mail", mail=mail.public_id, kind=mail.kind, fate=outcome.fate, attempt=mail.attempts)
    return outcome.fate


def _leave(mail: SystemMail, pacer: Pacer) -> Leave:
    """Return whether the pace lets `mail` go; a short wait is waited for: somebody looks for this mail."""
    domain = (mail.to or mail.subscriber.address).rpartition("@")[2]
    leave = pacer.leave([domain], house=True)
    for _ in range(_TRIES):
        if leave.go or leave.put_off or leave.wait > _PATIENCE:
            break
        time.sleep(leave.wait)
        leave = pacer.leave([domain], house=True)
    return leave


def _send(mail: SystemMail, sender: Sender, at: datetime) -> Outcome:
    try:
        message = letters.compose(mail, at=at)
    except Exception:
        # Our own fault, and one mail's fault must not hold up the others. It is tried again later.
        log.exception("system mail cannot be composed", mail=mail.public_id, kind=mail.kind)
        return Outcome(fate=Fate.DEFERRED, detail="cannot be composed")
    return sender.send(message)


def _record(mail: SystemMail, outcome: Outcome, at: datetime) -> None:
    if not outcome.offered:  # somebody was asked to wait a moment ago
        _write(mail, attempts=mail.attempts - 1)
        mail.attempts -= 1
    if outcome.fate is Fate.ACCEPTED:
        _settle(mail, state=SystemMail.State.SENT, detail=outcome.detail, sent_at=at)
    elif outcome.fate is Fate.REJECTED or mail.attempts >= MOST_ATTEMPTS:
        _settle(mail, state=SystemMail.State.FAILED, detail=outcome.detail)
    else:
        asked = timedelta(seconds=outcome.retry_after or 0)
        wait = min(max(BACKOFF[mail.attempts - 1], asked), _LONGEST_WAIT)
        _settle(mail, state=SystemMail.State.WAITING, detail=outcome.detail, not_before=at + wait)


def _still_wanted(mail: SystemMail) -> bool:
    reader = mail.subscriber
    if reader.status not in _WANTED_BY[SystemMail.Kind(mail.kind)]:
        return False
    if mail.kind == SystemMail.Kind.NEW_ADDRESS and not _asked_for(mail):
        return False
    hashed = address_hash(mail.to) if mail.to else reader.address_hash
    return not Suppression.objects.filter(address_hash=hashed).exists()


def _asked_for(mail: SystemMail) -> bool:
    """Say whether the reader still wants to be written to at the address that the mail asks the owner of."""
    wishes = AddressChange.objects.filter(subscriber=mail.subscriber_id)
    return wishes.filter(address_hash=address_hash(mail.to)).exists()


def _settle(mail: SystemMail, *, detail: str, **fields: object) -> None:
    _write(mail, detail=detail[:200], lease_until=None, owner="", **fields)


def _write(mail: SystemMail, **fields: object) -> None:
    # The epoch fences an owner that comes back after its lease ran out.
    SystemMail.objects.filter(pk=mail.pk, epoch=mail.epoch, state=SystemMail.State.CLAIMED).update(**fields)


def sent_between(since: datetime, until: datetime) -> int:
    """Return how many mails left within [since, until), for the pace."""
    # By an index: a mail is given up after some hours, so that none is older.
    lately = SystemMail.objects.filter(created_at__gte=since - _LONGEST_LIFE, state=SystemMail.State.SENT)
    return lately.filter(sent_at__gte=since, sent_at__lt=until).count()
