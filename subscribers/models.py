"""Who reads, about what, and with what consent: fields, constraints and querysets that take the moment."""

import secrets
from datetime import datetime

from django.db import models
from django.db.models import Q


def new_public_id() -> str:
    """Return 128 random bits as 22 URL-safe characters: a name for outside eyes that tells nothing."""
    return secrets.token_urlsafe(16)


class TopicQuerySet(models.QuerySet["Topic"]):
    """Topics in the words of the domain."""

    def edited(self) -> "TopicQuerySet":
        """Those whose definition is newer than the papers matched to them."""
        return self.filter(Q(matched_at=None) | Q(edited_at__gt=models.F("matched_at")))


class Topic(models.Model):
    """What one may follow. Curators edit it; `digest.matching` says which papers belong."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=60, unique=True)
    description = models.CharField(max_length=200, help_text="One sentence a reader chooses by.")
    categories = models.JSONField(default=list, blank=True, help_text='arXiv categories, such as ["cs.CV"].')
    include = models.JSONField(
        default=list, blank=True, help_text="Words or phrases that make a paper belong."
    )
    exclude = models.JSONField(default=list, blank=True, help_text="Words or phrases that keep a paper out.")
    active = models.BooleanField(default=True, help_text="Offered to readers and matched to papers.")
    edited_at = models.DateTimeField(auto_now=True)
    matched_at = models.DateTimeField(null=True, editable=False, help_text="When papers were matched to it.")

    objects = TopicQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


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

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    address = models.CharField(max_length=254, help_text="As given, its domain in IDNA form; mail goes here.")
    address_key = models.CharField(max_length=254, unique=True, help_text="What two spellings share.")
    address_hash = models.CharField(max_length=80, db_index=True, editable=False)
    status = models.CharField(max_length=12, choices=Status, default=Status.PENDING)
    status_at = models.DateTimeField()
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)

    time_zone = models.CharField(max_length=64, default="UTC")
    send_minute = models.PositiveSmallIntegerField(default=7 * 60, help_text="Minutes after local midnight.")
    frequency = models.CharField(max_length=8, choices=Frequency, default=Frequency.DAILY)
    weekday = models.PositiveSmallIntegerField(default=0, help_text="For weekly readers: 0 is Monday.")
    size = models.PositiveSmallIntegerField(default=10, help_text="Papers in a digest, 5 to 25.")
    paused_until = models.DateField(null=True, blank=True, help_text="First local date with a digest again.")

    topics = models.ManyToManyField(Topic, through="Preference", related_name="subscribers")

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["status", "id"]), models.Index(fields=["confirmed_at"])]
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


class ConsentText(models.Model):
    """The exact wording somebody agreed to. A row never changes; a new wording is a new version."""

    version = models.CharField(max_length=20, unique=True)
    wording = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.version


class ConsentEvent(models.Model):
    """Append-only: who agreed to what or took it back, when, and from where (GDPR article 7)."""

    class Kind(models.TextChoices):
        REQUESTED = "requested"
        CONFIRMED = "confirmed"
        CHANGED = "changed"
        WITHDRAWN = "withdrawn"
        IMPORTED = "imported"
        ERASED = "erased"

    subscriber = models.ForeignKey(
        Subscriber, on_delete=models.SET_NULL, null=True, related_name="consent_events"
    )
    address_hash = models.CharField(max_length=80, db_index=True)
    kind = models.CharField(max_length=10, choices=Kind)
    text = models.ForeignKey(ConsentText, on_delete=models.PROTECT, null=True)
    source = models.CharField(max_length=40, help_text="The form, link or command it came by.")
    network = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()


class Suppression(models.Model):
    """An address that must get no mail, by keyed hash, so that it outlives the reader's row."""

    class Reason(models.TextChoices):
        BOUNCE = "bounce"
        COMPLAINT = "complaint"
        REQUEST = "request"

    address_hash = models.CharField(max_length=80, unique=True)
    reason = models.CharField(max_length=10, choices=Reason)
    source = models.CharField(max_length=80)
    at = models.DateTimeField()


class SystemMailQuerySet(models.QuerySet["SystemMail"]):
    """Outbox rows in the words of the domain."""

    def due(self, at: datetime) -> "SystemMailQuerySet":
        """Rows to send at `at`: waiting, or held by an owner whose lease is over."""
        return self.filter(
            Q(state=SystemMail.State.WAITING, not_before__lte=at)
            | Q(state=SystemMail.State.CLAIMED, lease_until__lt=at)
        )


class SystemMail(models.Model):
    """The outbox: a mail of the house (confirm, already subscribed, goodbye), written with its cause.

    Sent at least once and at most `outbox.MOST_ATTEMPTS` times.
    """

    class Kind(models.TextChoices):
        CONFIRM = "confirm"
        ALREADY_SUBSCRIBED = "already_subscribed"

    class State(models.TextChoices):
        WAITING = "waiting"
        CLAIMED = "claimed"
        SENT = "sent"
        FAILED = "failed"

    public_id = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="system_mails")
    kind = models.CharField(max_length=20, choices=Kind)
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
            )
        ]
