"""Readers and what they chose."""

from django.db import models
from django.db.models import Q

from subscribers.models.identity import new_public_id
from subscribers.models.suppression import Suppression
from subscribers.models.topics import Topic


class SubscriberQuerySet(models.QuerySet["Subscriber"]):
    """Subscribers in the words of the domain."""

    def reachable(self) -> "SubscriberQuerySet":
        """Those who asked for digests and whose address is not on the suppression list."""
        listed = Suppression.objects.filter(address_hash=models.OuterRef("address_hash"))
        return self.filter(status=Subscriber.Status.ACTIVE).exclude(models.Exists(listed))


class Subscriber(models.Model):
    """One reader. `lifecycle` alone writes `status`."""

    class Status(models.TextChoices):
        PENDING = "pending"  # asked, not yet confirmed
        ACTIVE = "active"
        UNSUBSCRIBED = "unsubscribed"
        SUPPRESSED = "suppressed"  # hard bounce or complaint

    class Frequency(models.TextChoices):
        DAILY = "daily", "Every day"
        WEEKDAYS = "weekdays", "Monday to Friday"
        WEEKLY = "weekly", "Once a week"

    class PauseReason(models.TextChoices):
        BOUNCES = "bounces", "Their mailbox refused three digests for now"

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    address = models.CharField(max_length=254, help_text="As given, its domain in IDNA form; mail goes here.")
    address_key = models.CharField(max_length=254, unique=True, help_text="What two spellings share.")
    address_hash = models.CharField(max_length=80, db_index=True, editable=False)
    status = models.CharField(max_length=12, choices=Status, default=Status.PENDING)
    status_at = models.DateTimeField()
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    address_changed_at = models.DateTimeField(
        null=True, blank=True, help_text="Links that are older open nothing, except to leave."
    )

    time_zone = models.CharField(max_length=64, default="UTC")
    send_minute = models.PositiveSmallIntegerField(default=7 * 60, help_text="Minutes after local midnight.")
    frequency = models.CharField(max_length=8, choices=Frequency, default=Frequency.DAILY)
    weekday = models.PositiveSmallIntegerField(default=0, help_text="For weekly readers: 0 is Monday.")
    size = models.PositiveSmallIntegerField(default=10, help_text="Papers in a digest, 5 to 25.")
    paused_until = models.DateField(null=True, blank=True, help_text="First local date with a digest again.")

    paused_because = models.CharField(
        max_length=12,
        choices=PauseReason,
        blank=True,
        default="",
        # A worker of the version before, at work while migrations run, does not name it.
        db_default="",
        help_text="Why, if not by their own wish.",
    )

    clicks_counted_since = models.DateTimeField(
        null=True, blank=True, help_text="Agreed to have clicks on papers counted; empty: did not."
    )

    topics = models.ManyToManyField(Topic, through="Preference", related_name="subscribers")

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        permissions = [("export_subscriber", "Can take readers out as a file")]
        indexes = [
            models.Index(fields=["status", "id"]),
            models.Index(fields=["confirmed_at"]),
            models.Index(fields=["frequency", "id"], name="subscriber_frequency"),
            models.Index(fields=["status", "status_at"], name="subscriber_status_since"),
            models.Index(
                fields=["paused_until"], name="subscriber_paused", condition=Q(paused_until__isnull=False)
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(send_minute__lt=24 * 60), name="send_minute_within_a_day"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="weekday_within_a_week"),
            models.CheckConstraint(condition=Q(size__gte=5, size__lte=25), name="size_5_to_25"),
        ]

    def __str__(self) -> str:
        return f"reader {self.public_id}"


class Preference(models.Model):
    """A topic a subscriber follows, and how much."""

    class Weight(models.IntegerChoices):
        NORMAL = 1
        MORE = 2

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="preferences")
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="preferences")
    weight = models.PositiveSmallIntegerField(choices=Weight, default=Weight.NORMAL)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscriber", "topic"], name="one_preference_a_topic")]


class Interest(models.Model):
    """A reader's own words, an author followed, or something they never want to see."""

    class Kind(models.TextChoices):
        WORDS = "words"
        AUTHOR = "author"
        EXCLUDE = "exclude"

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="interests")
    kind = models.CharField(max_length=8, choices=Kind)
    text = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscriber", "kind", "text"], name="one_interest_once")
        ]


class AddressChange(models.Model):
    """A new address that a reader asked for and its owner has not confirmed yet; the newest wish counts."""

    subscriber = models.OneToOneField(Subscriber, on_delete=models.CASCADE, related_name="address_change")
    address = models.CharField(max_length=254)
    address_key = models.CharField(max_length=254)
    address_hash = models.CharField(max_length=80)
    asked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"change of address of {self.subscriber}"
