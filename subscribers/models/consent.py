"""The proof of what readers agreed to and took back."""

from django.db import models

from subscribers.models.append_only import AppendOnly, AppendOnlyQuerySet
from subscribers.models.importing import ImportJob
from subscribers.models.readers import Subscriber


class ConsentTextQuerySet(AppendOnlyQuerySet["ConsentText"]):
    """Wordings: read and added."""


class ConsentEventQuerySet(AppendOnlyQuerySet["ConsentEvent"]):
    """Events: read and added."""


class ConsentText(AppendOnly):
    """The exact wording somebody agreed to. A row never changes; a new wording is a new version."""

    class Purpose(models.TextChoices):
        DIGESTS = "digests"  # to get them: asked at sign-up
        CLICKS = "clicks"  # to have clicks on papers counted: asked apart

    purpose = models.CharField(max_length=8, choices=Purpose, default=Purpose.DIGESTS)
    version = models.CharField(max_length=20, unique=True)
    wording = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ConsentTextQuerySet.as_manager()

    def __str__(self) -> str:
        return self.version


class ConsentEvent(AppendOnly):
    """Append-only: who agreed to what or took it back, when, and from where (GDPR article 7)."""

    class Kind(models.TextChoices):
        REQUESTED = "requested"
        CONFIRMED = "confirmed"
        CHANGED = "changed"
        WITHDRAWN = "withdrawn"
        IMPORTED = "imported"
        RESUMED = "resumed"  # left, and took it back at once
        ERASED = "erased"
        TRACKING_ON = "tracking_on"  # let clicks on papers be counted
        TRACKING_OFF = "tracking_off"

    class Keeping(models.IntegerChoices):
        """How far retention has come with an event; it alone writes this."""

        WHOLE = 0
        COARSE = 1  # the network shortened, the browser's name gone
        PROOF = 2  # old, and kept: somebody did agree

    subscriber = models.ForeignKey(
        Subscriber, on_delete=models.SET_NULL, null=True, related_name="consent_events"
    )
    address_hash = models.CharField(max_length=80, db_index=True)
    kind = models.CharField(max_length=12, choices=Kind)
    text = models.ForeignKey(ConsentText, on_delete=models.PROTECT, null=True)
    source = models.CharField(max_length=40, help_text="The form, link or command it came by.")
    #: Its `consent_source` says where and when an imported reader agreed.
    import_job = models.ForeignKey(ImportJob, on_delete=models.PROTECT, null=True, related_name="+")
    network = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    keeping = models.PositiveSmallIntegerField(choices=Keeping, default=Keeping.WHOLE, editable=False)

    objects = ConsentEventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["keeping", "at"], name="consent_keeping"),
            models.Index(fields=["kind", "at"], name="consent_kind_at"),
            models.Index(fields=["at"], name="consent_at"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M}"


class LeavingReason(models.Model):
    """Why somebody left, if they told. Nothing in it says who."""

    class Reason(models.TextChoices):
        TOO_MANY = "too_many", "Too many mails"
        NOT_FITTING = "not_fitting", "The papers did not fit me"
        ELSEWHERE = "elsewhere", "I find my papers elsewhere"
        NEVER_ASKED = "never_asked", "I never asked for this"
        OTHER = "other", "Something else"

    reason = models.CharField(max_length=12, choices=Reason)
    words = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.get_reason_display()
