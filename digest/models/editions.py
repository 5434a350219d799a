"""One day's issue, the papers in it, and the words it is matched by."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from digest.models.papers import Paper

if TYPE_CHECKING:
    from datetime import date


class EditionQuerySet(models.QuerySet["Edition"]):
    """Editions in the words of the domain."""

    def with_candidates(self) -> "EditionQuerySet":
        """Those whose candidates are fixed, whatever became of the sending."""
        return self.exclude(state=Edition.State.OPEN)

    def sendable(self) -> "EditionQuerySet":
        """Those whose digests may leave."""
        return self.filter(state__in=Edition.SENDABLE)

    def published(self) -> "EditionQuerySet":
        """Those that left the curators' desk; one that waits for approval may still change."""
        return self.exclude(
            Q(state__in=[Edition.State.OPEN, Edition.State.FROZEN])
            | Q(state__in=[Edition.State.EXPIRED, Edition.State.CANCELLED], approved_at=None)
        )

    def newest(self) -> "Edition | None":
        """The newest that readers see first: published, with papers, and not called off."""
        shown = self.published().filter(candidate_count__gt=0).exclude(state=Edition.State.CANCELLED)
        return shown.order_by("-day").first()

    def before(self, day: "date") -> "EditionQuerySet":
        """Those of earlier days, newest first."""
        return self.filter(day__lt=day).order_by("-day")


class CandidateQuerySet(models.QuerySet["Candidate"]):
    """Candidates in the words of the domain."""

    def public(self) -> "CandidateQuerySet":
        """Those that anybody may see: in a published edition, not hidden there, the paper not withdrawn.

        A paper hidden in one edition and shown in another is public by the other.
        """
        return self.filter(
            hidden=False, paper__withdrawn_at=None, edition__in=Edition.objects.published().values("pk")
        )


class Edition(models.Model):
    """The issue of one day. `editions` moves its state; `curation` asks it to."""

    class State(models.TextChoices):
        OPEN = "open"
        FROZEN = "frozen"  # candidates fixed, waiting for approval
        APPROVED = "approved"
        SENDING = "sending"  # enrolled
        SENT = "sent"
        PAUSED = "paused"
        CANCELLED = "cancelled"
        EXPIRED = "expired"
        EMPTY = "empty"

    #: States in which its digests may leave; a welcome may take an edition that is sent.
    SENDABLE = (State.APPROVED, State.SENDING, State.SENT)
    LONGEST_NOTE = 2_000
    LONGEST_SUBJECT = 120

    day = models.DateField(unique=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    paused_from = models.CharField(max_length=10, blank=True, help_text="The state to resume to.")
    # What is new here has a default of the database's own: a worker of the version before, at work while
    # migrations run, does not name it.
    pause_reason = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="Why it is paused, said to curators."
    )
    resumed_at = models.DateTimeField(
        null=True, blank=True, help_text="What left before says nothing more against going on."
    )
    resent = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Digests of unknown outcome that a person let go again."
    )
    note = models.TextField(
        blank=True, max_length=LONGEST_NOTE, help_text="The curator's word to every reader; plain text."
    )
    subject = models.CharField(
        max_length=LONGEST_SUBJECT,
        blank=True,
        default="",
        db_default="",
        help_text="The curator's subject line; empty: made from each reader's papers.",
    )
    missing_sources = models.JSONField(default=list, help_text="Sources that failed; the mail says so.")
    candidate_count = models.PositiveIntegerField(default=0)
    enrolled = models.PositiveIntegerField(default=0, help_text="Deliveries ever made for it.")
    enrolled_upto = models.BigIntegerField(default=0, help_text="Key of the last reader looked at.")
    revision = models.PositiveIntegerField(default=0, help_text="Grows with each curator's decision.")
    opened_at = models.DateTimeField()
    frozen_at = models.DateTimeField(null=True, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    enrolled_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = EditionQuerySet.as_manager()

    class Meta:
        ordering = ["-day"]
        indexes = [models.Index(fields=["state", "day"])]
        permissions = [
            ("shape_edition", "Can shape an edition: pin, hide, notes, subject, papers by hand"),
            ("approve_edition", "Can approve an edition"),
            ("stop_edition", "Can pause, resume and cancel an edition"),
            ("resend_unknown", "Can send again what has an unknown outcome"),
        ]

    def __str__(self) -> str:
        return f"edition of {self.day}"

    @property
    def public_note(self) -> str:
        """The curator's word, where it may be read by anybody.

        An empty edition is public without anybody's approval, and what is written there may be a draft for
        when papers come; one that was cancelled took its word back.
        """
        return "" if self.state in {self.State.EMPTY, self.State.CANCELLED} else self.note


class Candidate(models.Model):
    """A paper in an edition, with the signals of that moment and the curator's decision."""

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="candidates")
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="candidacies")
    featured_on = models.DateField(help_text="Latest day it appeared; trend decays from here.")
    sources = models.JSONField(default=list)
    upvotes = models.PositiveIntegerField(default=0)
    comments = models.PositiveIntegerField(default=0)
    stars = models.PositiveIntegerField(null=True, blank=True)
    # Curation alone writes these three.
    pin = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Place among the pins, from 1.")
    hidden = models.BooleanField(default=False)
    note = models.CharField(max_length=280, blank=True)

    objects = CandidateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["edition", "paper"], name="candidate_once_an_edition"),
            models.CheckConstraint(condition=~Q(hidden=True, pin__isnull=False), name="pinned_is_not_hidden"),
        ]


class EditionTerms(models.Model):
    """How rare each word is in the 60 days before an edition: computed once, read by every worker."""

    edition = models.OneToOneField(Edition, on_delete=models.CASCADE, primary_key=True, related_name="terms")
    documents = models.PositiveIntegerField()
    packed = models.BinaryField(help_text="Written and read by digest.terms.")
