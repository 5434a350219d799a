"""What was asked of each source and what came of it."""

from django.db import models


class IngestRun(models.Model):
    """A coverage receipt: one source, one category, one day, asked once."""

    class State(models.TextChoices):
        RUNNING = "running"
        COMPLETE = "complete"
        QUIET = "quiet"  # the source answered rightly and had nothing
        FAILED = "failed"

    source = models.CharField(max_length=20)
    category = models.CharField(max_length=20, blank=True)
    day = models.DateField()
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    announced = models.PositiveIntegerField(default=0, help_text="Entries in the answer.")
    new = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    reasons = models.JSONField(default=dict, help_text="{why: how many} for the skipped ones.")
    error = models.CharField(max_length=300, blank=True, help_text="Why it failed, and what to do.")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "receipt"
        indexes = [
            models.Index(fields=["source", "category", "day"]),
            models.Index(fields=["-started_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.category} {self.day}: {self.state}"


class SourceTurn(models.Model):
    """Whose turn it is to ask a source, over all processes: one at a time, with a pause between."""

    source = models.CharField(max_length=20, primary_key=True)
    owner = models.CharField(max_length=40, blank=True)
    free_at = models.DateTimeField(help_text="Nobody may ask before.")

    def __str__(self) -> str:
        return self.source
