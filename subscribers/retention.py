"""What is forgotten, and when.

Every figure stands here once: the privacy page reads it from these names, so that what it says is what is
done. `tidy` works in pages of short transactions, oldest rows first. Rows decide what is due: run twice, by
two at once, or after a month without, it comes to the same.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import models, transaction
from django.db.models import Case, Exists, OuterRef, Value, When

from subscribers import audit
from subscribers.at_once import once_more
from subscribers.links import LIFETIMES, Purpose
from subscribers.models import (
    AddressChange,
    AuditEvent,
    ConsentEvent,
    LeavingReason,
    SignupRequest,
    Subscriber,
    SystemMail,
)
from subscribers.networks import neighbourhood

log = structlog.get_logger(__name__)

#: A wish to subscribe that nobody confirmed: the reader's row with all they chose, since they last asked.
UNCONFIRMED = timedelta(days=7)
#: The network a consent came from, to the last bit, and the browser's name. Then a /24 or /48, and no name.
WHOLE_NETWORKS = timedelta(days=30)
#: The outbox's sent and failed mails.
SYSTEM_MAILS = timedelta(days=30)
#: A new address whose owner has not agreed: as long as the link that asks them.
ADDRESS_CHANGES = LIFETIMES[Purpose.NEW_ADDRESS]
#: Address and choices of who left, bounced or complained. The log and the suppression list know them by hash.
AFTER_LEAVING = timedelta(days=90)
#: Why somebody left.
LEAVING_REASONS = timedelta(days=365)
#: Which papers readers opened, of those who agreed that it is counted. `digest.forgetting` does it.
CLICKS = timedelta(days=90)
#: What the carrier told of single mails: arrived, bounced, complained of. `digest.forgetting` does it.
PROVIDER_EVENTS = timedelta(days=90)
#: The log of an address that never confirmed: longer than the 365 days that confirmation mails count over.
UNCONFIRMED_LOG = timedelta(days=400)

#: Readers deleted in one transaction: each takes their deliveries' words along, which may be hundreds.
_READERS_AT_ONCE = 50
#: All else in an address's log is an agreement, or a refusal that imports must go on to know.
_NO_WORD_OF_THEIRS = ConsentEvent.Kind.REQUESTED
#: The logs refuse changes by `objects`; this is the one place that makes them.
_log_rows = ConsentEvent._base_manager
_deeds_at_the_desk = AuditEvent._base_manager
_NETWORK = models.GenericIPAddressField(null=True)


def tidy(*, at: datetime, limit: int = 1000) -> int:
    """Do a page of at most `limit` rows of everything that is due at `at`; return how many rows it touched.

    0 means that nothing is left to do. A deed that fails is told and tried again by the next run, and holds
    up no other.
    """
    touched = {deed.__name__.strip("_"): _attempt(deed, at, limit) for deed in _DEEDS}
    if any(touched.values()):
        log.info("tidied", **{name: count for name, count in touched.items() if count})
    return sum(touched.values())


def _attempt(deed: Callable[[datetime, int], int], at: datetime, limit: int) -> int:
    try:
        return deed(at, limit)
    except Exception:
        log.exception("tidying failed", deed=deed.__name__.strip("_"))
        return 0


def _unconfirmed_readers(at: datetime, limit: int) -> int:
    since = at - UNCONFIRMED
    asked_again = ConsentEvent.objects.filter(
        subscriber=OuterRef("pk"), kind=ConsentEvent.Kind.REQUESTED, at__gt=since
    )
    pending = Subscriber.objects.filter(status=Subscriber.Status.PENDING, status_at__lte=since)
    return _forget(pending.filter(~Exists(asked_again)), limit)


def _readers_who_left(at: datetime, limit: int) -> int:
    gone = (Subscriber.Status.UNSUBSCRIBED, Subscriber.Status.SUPPRESSED)
    # One status after the other: an index gives each oldest first.
    due = (Subscriber.objects.filter(status=status, status_at__lte=at - AFTER_LEAVING) for status in gone)
    return sum(_forget(readers, limit) for readers in due)


def _forget(due: models.QuerySet[Subscriber], limit: int) -> int:
    """Delete a page of the readers in `due` as `lifecycle.erase` does, but for the event: nobody asked."""
    pks = list(due.order_by("status_at").values_list("pk", flat=True)[:limit])
    batches = (pks[first : first + _READERS_AT_ONCE] for first in range(0, len(pks), _READERS_AT_ONCE))
    return sum(_forget_batch(due, batch) for batch in batches)


@once_more
def _forget_batch(due: models.QuerySet[Subscriber], pks: Sequence[int]) -> int:
    with transaction.atomic():
        free = Subscriber.objects.select_for_update(skip_locked=True).filter(pk__in=pks)
        held = list(free.values_list("pk", flat=True))
        # Asked anew under the lock: somebody may have confirmed, or asked again, a moment ago.
        _, deleted = due.filter(pk__in=held).delete()
        return deleted.get(Subscriber._meta.label, 0)


def _whole_networks(at: datetime, limit: int) -> int:
    due = ConsentEvent.objects.filter(keeping=ConsentEvent.Keeping.WHOLE, at__lte=at - WHOLE_NETWORKS)
    with transaction.atomic():
        free = due.select_for_update(skip_locked=True).order_by("at")
        page = dict(free.values_list("pk", "network")[:limit])
        by_network: dict[str | None, list[int]] = defaultdict(list)
        for pk, network in page.items():
            by_network[shortened(network)].append(pk)
        cases = [When(pk__in=pks, then=Value(short, _NETWORK)) for short, pks in by_network.items()]
        _log_rows.filter(pk__in=page).update(
            network=Case(*cases, output_field=_NETWORK), user_agent="", keeping=ConsentEvent.Keeping.COARSE
        )
    return len(page)


def shortened(network: str | None) -> str | None:
    """Return the first address of the neighbourhood: the last 8 bits of IPv4 or 80 of IPv6 are gone."""
    return None if network is None else neighbourhood(network).partition("/")[0]


def _unconfirmed_log(at: datetime, limit: int) -> int:
    """Delete old events of addresses that never agreed to anything; mark the others, to ask only once."""
    due = ConsentEvent.objects.filter(keeping=ConsentEvent.Keeping.COARSE, at__lte=at - UNCONFIRMED_LOG)
    page = dict(due.order_by("at").values_list("pk", "address_hash")[:limit])
    asked = set(page.values())
    events = ConsentEvent.objects.filter(address_hash__in=asked).exclude(kind=_NO_WORD_OF_THEIRS)
    # By address, not by the event's reader: who wanted to move to an address that never agreed is still here.
    readers = Subscriber.objects.filter(address_hash__in=asked).exclude(status=Subscriber.Status.PENDING)
    known = set(events.values_list("address_hash", flat=True).union(readers.values_list("address_hash")))
    kept = [pk for pk, hashed in page.items() if hashed in known]
    _log_rows.filter(pk__in=kept).update(keeping=ConsentEvent.Keeping.PROOF)
    _log_rows.filter(pk__in=page.keys() - set(kept)).delete()
    return len(page)


def _system_mails(at: datetime, limit: int) -> int:
    over = [SystemMail.State.SENT, SystemMail.State.FAILED]
    due = SystemMail.objects.filter(state__in=over, created_at__lte=at - SYSTEM_MAILS)
    return _delete(due.order_by("created_at"), limit)


def _address_changes(at: datetime, limit: int) -> int:
    return _delete(
        AddressChange.objects.filter(asked_at__lte=at - ADDRESS_CHANGES).order_by("asked_at"), limit
    )


def _signup_requests(at: datetime, limit: int) -> int:
    """Delete wishes that no worker has taken in: too old to answer, and they hold an address."""
    return _delete(SignupRequest.objects.filter(at__lte=at - UNCONFIRMED).order_by("at"), limit)


def _leaving_reasons(at: datetime, limit: int) -> int:
    return _delete(LeavingReason.objects.filter(at__lte=at - LEAVING_REASONS).order_by("at"), limit)


def _staff_networks(at: datetime, limit: int) -> int:
    """Forget from where something was done at the desk; who did what stays."""
    due = AuditEvent.objects.filter(network__isnull=False, at__lte=at - audit.NETWORKS).order_by("at")
    page = list(due.values_list("pk", flat=True)[:limit])
    _deeds_at_the_desk.filter(pk__in=page).update(network=None)
    return len(page)


def _delete(due: models.QuerySet[Any], limit: int) -> int:
    pks = list(due.values_list("pk", flat=True)[:limit])
    return due.filter(pk__in=pks).delete()[0] if pks else 0


_DEEDS = (
    _unconfirmed_readers,
    _readers_who_left,
    _whole_networks,
    _unconfirmed_log,
    _system_mails,
    _address_changes,
    _signup_requests,
    _leaving_reasons,
    _staff_networks,
)
