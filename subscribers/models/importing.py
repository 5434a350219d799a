"""Imports of readers: what was given, how far it is, what became of the rows."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models

from subscribers import leasing


class ImportJobQuerySet(models.QuerySet["ImportJob"]):
    """Imports in the words of the domain."""

    def under_way(self) -> "ImportJobQuerySet":
        """Those that a worker has something to do for."""
        return self.filter(state__in=ImportJob.UNDER_WAY)

    def waiting(self, at: datetime) -> "ImportJobQuerySet":
        """Those under way that nobody works on at `at`."""
        free = models.Q(lease_until=None) | leasing.lapsed(at, ImportJob.LEASE)
        return self.under_way().filter(free)


class ImportJob(models.Model):
    """One file of readers on its way in. `importing.jobs` and `importing.running` write its state.

    The row stays as part of the proof of consent: it holds the sentence that says where and when the readers
    agreed. The file and the examples go as soon as they have served.
    """

    class State(models.TextChoices):
        CHECKING = "checking", "Being looked through"
        READY = "ready", "Waiting for you to confirm"
        IMPORTING = "importing", "Being imported"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"
        FAILED = "failed", "Failed"

    UNDER_WAY = (State.CHECKING, State.IMPORTING)
    #: A process that commits nothing for so long is taken for dead.
    LEASE = timedelta(minutes=2)

    class Format(models.TextChoices):
        MAILCHIMP = "mailchimp", "Mailchimp (audience export)"
        BUTTONDOWN = "buttondown", "Buttondown"
        LISTMONK = "listmonk", "listmonk"
        PLAIN = "plain", "Plain CSV"

    state = models.CharField(max_length=10, choices=State, default=State.CHECKING)
    format = models.CharField(
        max_length=10, choices=Format, blank=True, help_text="Empty: told from the first line."
    )
    consent_source = models.CharField(
        max_length=500, help_text="Where and when these readers agreed to get mail from this list."
    )
    name = models.CharField(max_length=200, help_text="The file's own name.")
    stored_as = models.CharField(max_length=60, blank=True, help_text="Its name in DATA_DIR/imports.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the file.")
    encoding = models.CharField(max_length=80, blank=True, help_text="As it was read.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    total = models.PositiveIntegerField(default=0, help_text="Rows, without the header.")
    done = models.PositiveIntegerField(default=0, help_text="Rows committed: where to go on.")
    rate = models.FloatField(default=0, help_text="Rows a second, lately.")
    forecast = models.JSONField(default=dict, help_text="What the dry run found: {outcome: rows}.")
    counts = models.JSONField(default=dict, help_text="What became of the rows so far: {outcome: rows}.")
    examples = models.JSONField(default=dict, help_text="{outcome: [[line, address]]}, the first 50 of each.")
    tags = models.JSONField(default=dict, help_text="{tag: [readers, the topic's slug or empty]}.")
    problem = models.CharField(max_length=500, blank=True, help_text="Why it failed: a sentence.")

    attempts = models.PositiveSmallIntegerField(default=0, help_text="Starts since the last commit.")
    epoch = models.PositiveIntegerField(default=0, help_text="Fences a worker that comes back too late.")
    lease_until = models.DateTimeField(null=True)

    objects = ImportJobQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = "import of readers"
        verbose_name_plural = "imports of readers"

    def __str__(self) -> str:
        return f"{self.name} ({self.get_state_display().lower()})"


class ImportProblem(models.Model):
    """A row of a file that brought no reader in, or not all it says, and why: where, never who."""

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="problems")
    line = models.PositiveIntegerField(help_text="Where the row begins; the header's line is 1.")
    outcome = models.CharField(max_length=16)
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"
