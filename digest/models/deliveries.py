"""One reader's copy of one edition: the only record of who got it."""

from django.db import models
from django.db.models import Q

from digest.models.editions import Edition
from subscribers.models import Subscriber, new_public_id


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Deliveries in the words of the domain."""

    def waiting(self) -> "DeliveryQuerySet":
        """Rows that nothing has been sent for and that still may be."""
        return self.filter(state__in=Delivery.WAITING)

    def open(self) -> "DeliveryQuerySet":
        """Rows without an end: waiting, or on the wire this moment."""
        return self.filter(state__in=[*Delivery.WAITING, Delivery.State.SUBMITTING])


class Delivery(models.Model):
    """One subscriber's copy of one edition. The modules of `digest.delivery` alone write `state`."""

    class State(models.TextChoices):
        READY = "ready"
        CLAIMED = "claimed"
        SUBMITTING = "submitting"
        ACCEPTED = "accepted"
        DEFERRED = "deferred"
        REJECTED = "rejected"
        UNKNOWN = "unknown"
        SKIPPED_UNSUBSCRIBED = "skipped_unsubscribed"
        SKIPPED_SUPPRESSED = "skipped_suppressed"
        SKIPPED_PAUSED = "skipped_paused"
        SKIPPED_EMPTY = "skipped_empty"
        EXPIRED = "expired"
        CANCELLED = "cancelled"

    WAITING = (State.READY, State.CLAIMED, State.DEFERRED)
    #: The far side had the message and gave its answer.
    ANSWERED = (State.ACCEPTED, State.REJECTED)
    SKIPPED = (
        State.SKIPPED_UNSUBSCRIBED,
        State.SKIPPED_SUPPRESSED,
        State.SKIPPED_PAUSED,
        State.SKIPPED_EMPTY,
    )

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="deliveries")
    subscriber = models.ForeignKey(
        Subscriber,
        on_delete=models.SET_NULL,
        null=True,
        related_name="deliveries",
        help_text="Empty once erased.",
    )
    address_hash = models.CharField(max_length=80, help_text="Whom a provider's event must name.")
    state = models.CharField(max_length=20, choices=State, default=State.READY)
    local_date = models.DateField(help_text="The reader's date this digest is for.")
    not_before = models.DateTimeField()
    expires_at = models.DateTimeField()
    retry_at = models.DateTimeField(null=True, blank=True)
    overdue = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Its hour has come, and a newer digest waits for its own: it may leave until then.",
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    owner = models.CharField(max_length=40, blank=True)
    epoch = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    picks = models.JSONField(default=list, help_text="[[paper id, reason], ...] in order.")
    subject = models.CharField(max_length=200, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    provider_id = models.CharField(
        max_length=200, blank=True, help_text="The provider's name for the message."
    )
    detail = models.CharField(max_length=200, blank=True, help_text="The last answer, without addresses.")

    clicks_counted = models.BooleanField(
        default=False,
        # A worker of the version before, at work while migrations run, does not name it.
        db_default=False,
        help_text="Its links lead past a counter: its reader agreed to that.",
    )
    domain_key = models.CharField(
        max_length=30,
        default="",
        db_default="",
        blank=True,
        help_text="Which mail domain it went to, by a keyed hash.",
    )

    # What was heard of it afterwards: facts with their times, never a state. `events` writes these.
    delivered_at = models.DateTimeField(null=True, blank=True)
    bounced_at = models.DateTimeField(null=True, blank=True, help_text="The mailbox refused it for good.")
    soft_bounced_at = models.DateTimeField(null=True, blank=True, help_text="Refused for now.")
    complained_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True, help_text="Its link was used to unsubscribe.")

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["edition", "subscriber"], name="one_delivery_an_edition"),
            models.UniqueConstraint(
                fields=["subscriber", "local_date"],
                # What no longer can reach the inbox frees its date: else a delivery that a newer edition
                # replaces on the same date would leave the reader with neither.
                condition=Q(
                    state__in=[
                        "ready",
                        "claimed",
                        "deferred",
                        "submitting",
                        "accepted",
                        "rejected",
                        "unknown",
                    ]
                ),
                name="one_delivery_a_local_date",
            ),
            models.UniqueConstraint(
                fields=["subscriber"],
                condition=Q(state__in=["ready", "claimed", "deferred"], overdue=False),
                name="one_waiting_delivery",
            ),
        ]
        indexes = [
            models.Index(
                fields=["not_before", "id"],
                name="delivery_waiting",
                condition=Q(state__in=["ready", "claimed", "deferred"]),
            ),
            # One for each question of a claim, see digest.delivery.due; then what a sweep asks.
            models.Index(
                fields=["edition", "not_before", "id"], name="delivery_ready", condition=Q(state="ready")
            ),
            models.Index(
                fields=["edition", "retry_at", "id"], name="delivery_deferred", condition=Q(state="deferred")
            ),
            models.Index(fields=["lease_until"], name="delivery_claimed", condition=Q(state="claimed")),
            models.Index(
                fields=["expires_at"],
                name="delivery_expiring",
                condition=Q(state__in=["ready", "claimed", "deferred"]),
            ),
            models.Index(fields=["lease_until"], name="delivery_submitting", condition=Q(state="submitting")),
            # With the id, so that the newest of a rare state are found without walking the table.
            models.Index(fields=["edition", "state", "id"], name="delivery_of_edition"),
            # How many left since when: the share of bounces is of these.
            models.Index(
                fields=["edition", "settled_at"],
                name="delivery_settled",
                condition=Q(state__in=["accepted", "rejected"]),
            ),
            *(
                models.Index(
                    fields=["edition", "id"],
                    name=f"delivery_{fact}",
                    condition=Q(**{f"{fact}_at__isnull": False}),
                )
                for fact in ("bounced", "soft_bounced", "complained", "left")
            ),
            # How many left for one mail domain since when.
            models.Index(
                fields=["domain_key", "settled_at"],
                name="delivery_of_domain",
                condition=Q(state__in=["accepted", "rejected"]),
            ),
            models.Index(fields=["subscriber", "-edition"]),
            models.Index(fields=["provider_id"], name="delivery_provider_id", condition=~Q(provider_id="")),
        ]

    def __str__(self) -> str:
        return f"delivery {self.public_id}"
