"""What this app does when something happens elsewhere: a reader goes, a provider tells of a mail."""

from datetime import datetime
from typing import Any

import structlog
from anymail.signals import AnymailTrackingEvent, tracking
from django.db import InterfaceError, OperationalError, transaction
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.utils import timezone

from digest.events import keeping
from digest.models import Click, Delivery
from subscribers.models import Subscriber
from subscribers.signals import clicks_taken_back, left_by_link

log = structlog.get_logger(__name__)


@receiver(pre_delete, sender=Subscriber, dispatch_uid="digest.forget_reasons")
def forget_reasons(instance: Subscriber, **_: Any) -> None:  # noqa: ANN401 - Django's signature
    """Take the reader's own words out of their deliveries; that a digest was sent stays counted.

    A reason quotes what somebody follows, and the subject may be chosen by it.
    """
    _forget_clicks(instance)
    deliveries = list(Delivery.objects.filter(subscriber=instance).only("pk", "picks"))
    for delivery in deliveries:
        delivery.picks = [[paper, ""] for paper, _reason in delivery.picks]
        delivery.subject = ""
    # One question and one statement per hundred: retention deletes readers by the thousand.
    Delivery.objects.bulk_update(deliveries, ["picks", "subject"], batch_size=100)


@receiver(tracking, dispatch_uid="digest.keep_event")
def keep_event(event: AnymailTrackingEvent, esp_name: str, **_: Any) -> None:  # noqa: ANN401
    """Store what a provider posts. One event that cannot be stored is told and left: the others must not
    come again for its sake. A database that is away is another matter: then all of them shall.
    """
    provider = esp_name.lower().replace(" ", "_")
    try:
        with transaction.atomic():
            keeping.keep(provider, event, at=timezone.now())
    except (InterfaceError, OperationalError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever one event holds, the others count
        # Without a traceback: it would quote the event, and that holds an address.
        log.error("event_not_kept", provider=provider, fault=type(error).__name__)  # noqa: TRY400


@receiver(left_by_link, dispatch_uid="digest.note_leaving")
def note_leaving(reader: Subscriber, mail: str, at: datetime, **_: Any) -> None:  # noqa: ANN401
    """Write which digest a reader left by."""
    Delivery.objects.filter(public_id=mail, subscriber=reader, left_at=None).update(left_at=at)


@receiver(clicks_taken_back, dispatch_uid="digest.forget_clicks")
def forget_clicks(reader: Subscriber, **_: Any) -> None:  # noqa: ANN401
    """Forget which papers a reader opened, who does not want that counted any more."""
    _forget_clicks(reader)


def _forget_clicks(reader: Subscriber) -> None:
    Click.objects.filter(delivery__subscriber=reader).delete()
