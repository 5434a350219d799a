"""The outbox."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q

from subscribers import leasing
from subscribers.models.identity import new_public_id
from subscribers.models.readers import Subscriber


class SystemMailQuerySet(models.QuerySet["SystemMail"]):
    """Outbox rows in the words of the domain."""

    def due(self, at: datetime) -> "SystemMailQuerySet":
        """Rows to send at `at`: waiting, or held by an owner whose lease is over."""
        # The bound on all of them, so that those of later are not walked: who was claimed was due before.
        return self.filter(
            Q(state=SystemMail.State.WAITING) | Q(state=SystemMail.State.CLAIMED, lease_until__lt=at),
            not_before__lte=at,
        )

    def astray(self, at: datetime) -> "SystemMailQuerySet":
        """Rows of a time to come, which a clock wrote that has been set back since: they are due, too."""
        length = timedelta(seconds=settings.LEASE_SECONDS)
        written = Q(state=SystemMail.State.WAITING, created_at__gt=at + leasing.SLACK, not_before__gt=at)
        held = Q(state=SystemMail.State.CLAIMED, lease_until__gt=leasing.no_lease_after(at, length))
        return self.filter(written | held)


class SystemMail(models.Model):
    """The outbox: a mail of the house (confirm, already subscribed, a link), written with its cause.

    Sent at least once and at most `outbox.MOST_ATTEMPTS` times.
    """

    class Kind(models.TextChoices):
        CONFIRM = "confirm"
        ALREADY_SUBSCRIBED = "already_subscribed"
        ACCOUNT = "account"  # the link to change the address, take the data along, erase
        NEW_ADDRESS = "new_address"  # asks the owner of the new address
        ADDRESS_CHANGED = "address_changed"  # tells the owner of the old one

    class State(models.TextChoices):
        WAITING = "waiting"
        CLAIMED = "claimed"
        SENT = "sent"
        FAILED = "failed"

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="system_mails")
    kind = models.CharField(max_length=20, choices=Kind)
    to = models.CharField(
        max_length=254, blank=True, help_text="Where it goes, if not to the reader's address."
    )
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    detail = models.CharField(max_length=200, blank=True, help_text="The last answer, without addresses.")
    created_at = models.DateTimeField()
    not_before = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    owner = models.CharField(max_length=40, blank=True)
    epoch = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)

    objects = SystemMailQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["not_before"],
                name="system_mail_waiting",
                condition=Q(state__in=["waiting", "claimed"]),
            ),
            models.Index(
                fields=["created_at"],
                name="system_mail_settled",
                condition=Q(state__in=["sent", "failed"]),
            ),
        ]
