"""Let stored events have their effects: facts on deliveries, suppression, and the end of unknown outcomes.

Run twice, by two workers at once, or over events in any order, it comes to the same: facts keep the earliest
moment, effects repeat harmlessly, and an outcome is judged by all events of a delivery together.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic

import structlog
from django.db import InterfaceError, OperationalError, transaction

from digest import resting, verdicts
from digest.delivery.refusing import verdict
from digest.delivery.rows import write
from digest.delivery.settling import settle_by_evidence, takes_evidence
from digest.events import judging
from digest.models import Delivery, ProviderEvent
from subscribers import lifecycle, stopping
from subscribers.addresses import domain_key, domain_of
from subscribers.at_once import hold_readers, once_more
from subscribers.consent import Trace
from subscribers.models import Suppression, SystemMail

log = structlog.get_logger(__name__)

Kind = ProviderEvent.Kind
#: Events applied in one transaction.
PAGE = 200
#: So long an event waits whose mail is known by the provider's name for it alone: a delivery learns that with
#: its outcome, and a whole group may still be on its way to it.
UNTIL_NAMED = timedelta(minutes=15)
#: Which fact of a delivery an event states. A refusal for policy is a bounce, but no word on the address.
FACTS: Mapping[str, str] = {
    Kind.DELIVERED: "delivered_at",
    Kind.SOFT_BOUNCED: "soft_bounced_at",
    Kind.BOUNCED: "bounced_at",
    Kind.REFUSED: "bounced_at",
    Kind.COMPLAINED: "complained_at",
    Kind.UNSUBSCRIBED: "left_at",
}
_FIELDS = tuple(dict.fromkeys(FACTS.values()))


def apply_waiting(*, at: datetime, seconds: float = 50) -> int:
    """Apply what waits, oldest first, for at most `seconds`; return how many events were applied."""
    stop_at, after, applied = monotonic() + seconds, 0, 0
    while monotonic() < stop_at and not stopping.told():
        waiting = ProviderEvent.objects.filter(applied_at=None, pk__gt=after).order_by("pk")
        page = list(waiting.values_list("pk", flat=True)[:PAGE])
        if not page:
            break
        after = page[-1]
        applied += _attempt(page, at)
    return applied


def _attempt(page: Sequence[int], at: datetime) -> int:
    """Apply the events `page`; where that fails, each alone, so that one holds up no other."""
    try:
        return _apply(page, at)
    except (InterfaceError, OperationalError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the other events count
        if len(page) == 1:
            # The event waits on, and is tried again. Its row's number leads to the rest.
            log.error("event_not_applied", row=page[0], fault=type(error).__name__)  # noqa: TRY400
            return 0
        return sum(_attempt([event], at) for event in page)


@once_more
def _apply(page: Sequence[int], at: datetime) -> int:
    with transaction.atomic():
        _hold_readers(page)
        # Locked, and looked at again: what another worker has applied meanwhile may have been answered since,
        # by a reader who came back, and has no effect a second time.
        waiting = ProviderEvent.objects.select_for_update(of=("self",)).filter(pk__in=page, applied_at=None)
        events = list(waiting.select_related("system_mail__subscriber").order_by("pk"))
        _bind(events)
        named = {event.delivery_id for event in events if event.delivery_id}
        held = Delivery.objects.select_for_update().filter(pk__in=named).order_by("pk")
        deliveries = {delivery.pk: delivery for delivery in held}
        # While a message is on the wire its outcome comes from there, or from its lapsed lease. Till then
        # its events wait: a word that comes too early must not be lost.
        ready = [
            event
            for event in events
            if not _on_the_wire(deliveries.get(event.delivery_id or 0)) and not _may_be_named(event, at)
        ]
        news = _state_facts(ready, deliveries)
        for event in ready:
            _have_effect(event, deliveries.get(event.delivery_id or 0), at)
        _pass_on(ready, deliveries, at)
        resting.look(refused=news["soft_bounced_at"], reached=news["delivered_at"], at=at)
        _settle_unknown({event.delivery_id for event in ready}, deliveries, at)
        ProviderEvent.objects.filter(pk__in=[event.pk for event in ready]).update(applied_at=at)
    return len(ready)


def _hold_readers(page: Sequence[int]) -> None:
    """Lock whom the events are about, before anything else."""
    hashes: set[str] = set()
    keys: set[int] = set()
    about = ProviderEvent.objects.filter(pk__in=page)
    for hashed, *readers in about.values_list(
        "recipient_hash", "delivery__subscriber", "system_mail__subscriber"
    ):
        hashes.add(hashed)
        keys.update(filter(None, readers))
    hold_readers(hashes, keys)


def _bind(events: Sequence[ProviderEvent]) -> None:
    """Bind events to the deliveries that have learnt their names since these came."""
    names = {event.message_id for event in events if _is_loose(event)}
    known = Delivery.objects.filter(provider_id__in=names) if names else Delivery.objects.none()
    found = {(one.provider_id, one.address_hash): one.pk for one in known.only("provider_id", "address_hash")}
    for event in events:
        key = found.get((event.message_id, event.recipient_hash))
        if _is_loose(event) and key is not None:
            event.delivery_id = key
            event.save(update_fields=["delivery"])


def _is_loose(event: ProviderEvent) -> bool:
    return event.delivery_id is None and event.system_mail_id is None and event.message_id != ""


def _may_be_named(event: ProviderEvent, at: datetime) -> bool:
    """Say whether a delivery may still learn the name that `event` has for it."""
    return _is_loose(event) and at - event.received_at < UNTIL_NAMED


def _on_the_wire(delivery: Delivery | None) -> bool:
    return delivery is not None and delivery.state == Delivery.State.SUBMITTING


def _state_facts(
    events: Sequence[ProviderEvent], deliveries: Mapping[int, Delivery]
) -> Mapping[str, set[int | None]]:
    """Write the facts, each with the earliest moment it was told for.

    Returns {fact: readers of whose deliveries it was not known}.
    """
    changed: dict[int, Delivery] = {}
    news: dict[str, set[int | None]] = defaultdict(set)
    for event in events:
        delivery, fact = deliveries.get(event.delivery_id or 0), FACTS.get(event.kind)
        if delivery is None or fact is None:
            continue
        known: datetime | None = getattr(delivery, fact)
        if known is None:
            news[fact].add(delivery.subscriber_id)
        if known is None or event.at < known:
            setattr(delivery, fact, event.at)
            changed[delivery.pk] = delivery
    rows = ((delivery, {name: getattr(delivery, name) for name in _FIELDS}) for delivery in changed.values())
    write(_FIELDS, rows, was=list(Delivery.State))
    return news


def _have_effect(event: ProviderEvent, delivery: Delivery | None, at: datetime) -> None:
    """Stop mail to who complained; let go who unsubscribed at the provider.

    An event that names no mail of ours and its recipient has none.
    """
    if delivery is not None:
        source = f"delivery {delivery.public_id}"
    elif event.system_mail is not None:
        source = f"system mail {event.system_mail.public_id}"
    else:
        return
    kind = Kind(event.kind)
    if kind == Kind.COMPLAINED:
        lifecycle.suppress(event.recipient_hash, Suppression.Reason.COMPLAINT, source, at=at)
    elif kind == Kind.UNSUBSCRIBED:
        reader = delivery.subscriber if delivery else event.system_mail and event.system_mail.subscriber
        if reader is not None:
            lifecycle.unsubscribe(reader.public_id, at=at, trace=Trace("provider"))


def _pass_on(events: Sequence[ProviderEvent], deliveries: Mapping[int, Delivery], at: datetime) -> None:
    """Tell of dead mailboxes, all of these events together, and of what arrived."""
    told, moments = [], dict[str, datetime]()
    for event in events:
        delivery = deliveries.get(event.delivery_id or 0)
        if event.kind == Kind.BOUNCED and delivery is not None:
            told.append(verdict(delivery))
        elif event.kind == Kind.BOUNCED and event.system_mail is not None:
            told.append(_verdict_of(event.system_mail, event.recipient_hash))
        elif event.kind == Kind.DELIVERED and delivery is not None:
            moments[event.recipient_hash] = max(event.at, moments.get(event.recipient_hash, event.at))
    verdicts.hear(told, at=at)
    verdicts.arrived(moments, at=at)


def _verdict_of(mail: SystemMail, hashed: str) -> verdicts.Told:
    domain = domain_of(mail.to or mail.subscriber.address)
    return verdicts.Told(hashed, domain_key(domain), f"system mail {mail.public_id}")


def _settle_unknown(keys: set[int | None], deliveries: Mapping[int, Delivery], at: datetime) -> None:
    """Give deliveries of unknown outcome the one that all their events together prove."""
    open_to_it = [key for key in keys if key and (found := deliveries.get(key)) and takes_evidence(found)]
    heard: dict[int, set[str]] = defaultdict(set)
    if open_to_it:
        rows = ProviderEvent.objects.filter(delivery__in=open_to_it).values_list("delivery", "kind")
        for key, kind in rows:
            heard[key or 0].add(kind)
    for key, kinds in heard.items():
        settle_by_evidence(deliveries[key], judging.evidence(kinds), at=at)
