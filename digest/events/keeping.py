"""Store what a provider posts before anything is done about it: each event once, without an address."""

import hashlib
import re
from datetime import UTC, datetime
from typing import Any

from anymail.signals import AnymailTrackingEvent
from django.conf import settings

from digest.events import judging
from digest.models import Delivery, ProviderEvent
from subscribers import outcomes
from subscribers.addresses import AddressError, address_hash, normalise
from subscribers.models import SystemMail

_LONGEST_KEY = 100
_PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def keep(provider: str, event: AnymailTrackingEvent, *, at: datetime) -> bool:
    """Store `event`, received at `at`; return whether it was new.

    It is bound to the mail it names only if it names the same recipient, too: else it is kept as an orphan
    and has no effect. What `judging` has no use for is not stored.
    """
    kind = judging.kind_of(event)
    if kind is None:
        return False
    hashed = _hash_of(event.recipient)
    delivery, system_mail = _delivery(event, hashed), _system_mail(event, hashed)
    row = ProviderEvent(
        provider=provider[:20],
        key=_key(event, kind, hashed),
        kind=kind,
        delivery=delivery,
        system_mail=system_mail,
        recipient_hash=hashed,
        message_id="" if delivery or system_mail or not hashed else _name_of_provider(event),
        at=_moment(event.timestamp, at),
        received_at=at,
        detail=outcomes.told(event.mta_response or event.description or ""),
    )
    if ProviderEvent.objects.filter(provider=row.provider, key=row.key).exists():
        return False
    # Two posts of the same event at once: the second does nothing.
    ProviderEvent.objects.bulk_create([row], ignore_conflicts=True)
    return True


def _hash_of(recipient: object) -> str:
    try:
        return address_hash(normalise(str(recipient or "")))
    except AddressError:
        return ""


def _key(event: AnymailTrackingEvent, kind: str, hashed: str) -> str:
    """Return the provider's name for the event, or where it has none, a hash of what tells it from others."""
    named = str(event.event_id or "")
    if named and len(named) <= _LONGEST_KEY and named.isprintable():
        return named
    parts = (named, event.event_type, kind, event.message_id, hashed, event.timestamp)
    return "sha256:" + hashlib.sha256("\n".join(map(str, parts)).encode(errors="replace")).hexdigest()


def _moment(said: object, at: datetime) -> datetime:
    """Return when it happened; a provider's clock may be missing, naive or ahead, never ours."""
    if not isinstance(said, datetime):
        return at
    try:
        return min(said.replace(tzinfo=said.tzinfo or UTC).astimezone(UTC), at)
    except (OverflowError, ValueError):
        return at


def _delivery(event: AnymailTrackingEvent, hashed: str) -> Delivery | None:
    """Return the delivery that the event names and whose recipient it names, too."""
    mine = Delivery.objects.filter(address_hash=hashed) if hashed else Delivery.objects.none()
    for public_id in (_metadata(event).get("delivery"), _of_ours(event.message_id)):
        if isinstance(public_id, str) and _PUBLIC_ID.fullmatch(public_id):
            return mine.filter(public_id=public_id).first()
    name = _name_of_provider(event)
    return mine.filter(provider_id=name).first() if name else None


def _name_of_provider(event: AnymailTrackingEvent) -> str:
    """Return the provider's own name for the mail, where the event names it by nothing else."""
    name, named = str(event.message_id or ""), _metadata(event)
    if not name.isprintable() or named.get("delivery") or named.get("system_mail") or _of_ours(name):
        return ""
    return name[:200]


def _system_mail(event: AnymailTrackingEvent, hashed: str) -> SystemMail | None:
    """Return the mail of the outbox that the event names, if it went to the event's recipient."""
    public_id = _metadata(event).get("system_mail")
    if not hashed or not isinstance(public_id, str) or not _PUBLIC_ID.fullmatch(public_id):
        return None
    mail = SystemMail.objects.filter(public_id=public_id).select_related("subscriber").first()
    if mail is None:
        return None
    went_to = _hash_of(mail.to) if mail.to else mail.subscriber.address_hash
    return mail if went_to == hashed else None


def _metadata(event: AnymailTrackingEvent) -> dict[str, Any]:
    return event.metadata if isinstance(event.metadata, dict) else {}


def _of_ours(message_id: object) -> str | None:
    """Return the public id in a Message-ID of ours."""
    local, _, domain = str(message_id or "").strip("<>").partition("@")
    return local if domain == settings.MAIL_DOMAIN else None
