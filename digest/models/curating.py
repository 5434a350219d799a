"""What curators decided about an edition, and what it would mean for whom."""

from django.conf import settings
from django.db import models

from digest.models.editions import Edition
from digest.models.papers import Paper
from subscribers.models.append_only import AppendOnly, AppendOnlyQuerySet


class DecisionQuerySet(AppendOnlyQuerySet["Decision"]):
    """Decisions: read and added."""


class Decision(AppendOnly):
    """Append-only: one decision about an edition, with what stood there before, so that it can be undone.

    An undoing is a decision, too: it names the one it takes back. `curation` alone writes it.
    """

    class Kind(models.TextChoices):
        PINNED = "pinned"
        UNPINNED = "unpinned"
        HIDDEN = "hidden"
        SHOWN = "shown"
        NOTED = "noted"  # a paper's note
        ADDED = "added"  # a paper, by hand
        WORD = "word"  # the note to all readers
        SUBJECT = "subject"
        APPROVED = "approved"
        PAUSED = "paused"
        RESUMED = "resumed"
        CANCELLED = "cancelled"

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="decisions")
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind)
    before = models.JSONField(default=dict, help_text="What stood there before, by field.")
    after = models.JSONField(default=dict, help_text="What stands there since, by field.")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    by_name = models.CharField(max_length=150, blank=True, help_text="Empty: the clock or a command.")
    undoes = models.OneToOneField(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="undone_by"
    )
    revision = models.PositiveIntegerField(help_text="The edition's, once decided.")
    at = models.DateTimeField()

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["edition", "-id"])]


class EditionReach(models.Model):
    """Who would get what of an edition: reckoned by a task from a sample of readers, for one revision.

    `papers` is {paper id: how many of the sample get it}, `unpinned` the same had nobody pinned anything,
    `nothing` {why: how many of the sample get no paper}.
    """

    edition = models.OneToOneField(Edition, on_delete=models.CASCADE, primary_key=True, related_name="reach")
    revision = models.PositiveIntegerField(default=0)
    readers = models.PositiveIntegerField(default=0, help_text="Who is due to get it, in all.")
    sample = models.PositiveIntegerField(default=0, help_text="How many of them were looked at.")
    papers = models.JSONField(default=dict)
    unpinned = models.JSONField(default=dict)
    nothing = models.JSONField(default=dict)
    at = models.DateTimeField(null=True, help_text="When it was reckoned; empty: never yet.")
    lease_until = models.DateTimeField(null=True, help_text="A worker reckons it until then.")
