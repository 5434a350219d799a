"""What this app forgets when a reader is erased."""

from typing import Any

from django.db.models.signals import pre_delete
from django.dispatch import receiver

from digest.models import Delivery
from subscribers.models import Subscriber


@receiver(pre_delete, sender=Subscriber, dispatch_uid="digest.forget_reasons")
def forget_reasons(instance: Subscriber, **_: Any) -> None:  # noqa: ANN401 - Django's signature
    """Take the reader's own words out of their deliveries; that a digest was sent stays counted.

    A reason quotes what somebody follows, and the subject may be chosen by it.
    """
    deliveries = list(Delivery.objects.filter(subscriber=instance).only("pk", "picks"))
    for delivery in deliveries:
        delivery.picks = [[paper, ""] for paper, _reason in delivery.picks]
        delivery.subject = ""
    # One question and one statement per hundred: retention deletes readers by the thousand.
    Delivery.objects.bulk_update(deliveries, ["picks", "subject"], batch_size=100)
