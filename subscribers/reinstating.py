"""Take back that an address was suppressed for a bounce: `lifecycle`'s third file."""

from datetime import datetime

from django.db import transaction

from subscribers.consent import Trace, record
from subscribers.models import ConsentEvent, Subscriber, Suppression

#: What the consent log says of it.
SOURCE = "bounce taken back"


def reinstate(hashed: str, source: str, *, at: datetime) -> bool:
    """Mail the address with hash `hashed` again, if nothing but the bounce told by `source` stops it.

    Its reader is again what they were: active, or yet to confirm. Who complained, left or was put on the list
    for another reason since is left alone. Returns whether the address was taken off the list.
    """
    with transaction.atomic():
        reader = Subscriber.objects.select_for_update().filter(address_hash=hashed).first()
        listed = Suppression.objects.filter(
            address_hash=hashed, reason=Suppression.Reason.BOUNCE, source=source
        )
        if not listed.delete()[0]:
            return False
        if reader is not None and reader.status == Subscriber.Status.SUPPRESSED:
            confirmed = reader.confirmed_at is not None
            reader.status = Subscriber.Status.ACTIVE if confirmed else Subscriber.Status.PENDING
            reader.status_at = at
            reader.save(update_fields=["status", "status_at"])
            record(reader, ConsentEvent.Kind.CHANGED, Trace(SOURCE), at=at)
        return True
