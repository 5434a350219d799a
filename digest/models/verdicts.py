"""What was said of mailboxes: that they are dead."""

from django.db import models
from django.db.models import Q


class BounceVerdict(models.Model):
    """A mailbox was called dead, by its server or by the provider. `verdicts` alone writes it.

    Mostly the address is suppressed at once. While a whole mail domain bounces it is more likely that a
    server has fallen over than that everybody there has left: then the verdict waits.
    """

    class State(models.TextChoices):
        APPLIED = "applied", "Suppressed"
        WAITING = "waiting", "Waits: its whole domain bounces"
        DROPPED = "dropped", "Dropped"

    address_hash = models.CharField(max_length=80)
    domain_key = models.CharField(max_length=30, blank=True)
    source = models.CharField(max_length=80, unique=True, help_text="The mail that bounced.")
    state = models.CharField(max_length=8, choices=State)
    at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    why = models.CharField(max_length=100, blank=True, help_text="Why it was settled so.")

    class Meta:
        permissions = [("settle_verdicts", "Can decide on bounces that wait")]
        indexes = [
            models.Index(fields=["domain_key", "at"], name="verdict_of_domain"),
            models.Index(fields=["at"], name="verdict_at"),
            models.Index(fields=["address_hash"], name="verdict_waiting", condition=Q(state="waiting")),
        ]

    def __str__(self) -> str:
        return f"bounce of {self.at:%Y-%m-%d %H:%M}"
