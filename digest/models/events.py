"""What was heard of digests after they left: providers' events, and clicks of readers who agreed."""

from django.db import models
from django.db.models import Q

from digest.models.deliveries import Delivery
from digest.models.papers import Paper
from subscribers.models import SystemMail


class ProviderEvent(models.Model):
    """One event a provider posted: stored first, applied afterwards, once (UNIQUE by its name or its hash).

    `events` alone writes it. It holds no address: the recipient is known by hash.
    """

    class Kind(models.TextChoices):
        DELIVERED = "delivered"
        SOFT_BOUNCED = "soft_bounced"
        BOUNCED = "bounced"  # invalid mailbox: the address is dead
        REFUSED = "refused"  # policy, spam or content: says nothing of the address
        COMPLAINED = "complained"
        UNSUBSCRIBED = "unsubscribed"
        OTHER = "other"

    provider = models.CharField(max_length=20)
    key = models.CharField(max_length=100, help_text="The provider's id, else a hash of what identifies it.")
    kind = models.CharField(max_length=12, choices=Kind)
    delivery = models.ForeignKey(
        Delivery, on_delete=models.SET_NULL, null=True, blank=True, related_name="events"
    )
    system_mail = models.ForeignKey(
        SystemMail, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    recipient_hash = models.CharField(max_length=80, blank=True)
    message_id = models.CharField(
        max_length=200,
        blank=True,
        help_text="The provider's name for a mail that nothing else names; the delivery may learn it later.",
    )
    at = models.DateTimeField(help_text="When it happened, as the provider says.")
    received_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True, blank=True)
    detail = models.CharField(max_length=300, blank=True, help_text="The server's answer, without addresses.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "key"], name="one_event_once")]
        indexes = [
            models.Index(fields=["id"], name="event_waiting", condition=Q(applied_at__isnull=True)),
            models.Index(fields=["received_at"], name="event_received"),
            models.Index(
                fields=["recipient_hash"],
                name="event_orphan",
                condition=Q(delivery__isnull=True, system_mail__isnull=True),
            ),
            models.Index(fields=["delivery", "kind"]),
            # The many that tell of nothing but success are left out.
            models.Index(fields=["kind", "id"], name="event_of_kind", condition=~Q(kind="delivered")),
        ]


class Click(models.Model):
    """A paper's link in a digest was followed, by a reader who agreed that this is counted, or by a program.

    `robot` says why it is taken for a program's (a scanner, a prefetch); empty: a person's.
    """

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="clicks")
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="+")
    link = models.CharField(max_length=10, default="", help_text="Which of the paper's links.")
    robot = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["delivery"]), models.Index(fields=["at"])]
