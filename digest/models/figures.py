"""Figures kept, so that no page counts large tables when it is looked at. `digest.figures` writes them."""

from django.db import models

from digest.models.editions import Candidate, Edition
from subscribers.models import Topic


class DailyFigures(models.Model):
    """The readership on one day (UTC): how many stand where at the last count, and who came and went.

    A day that was reckoned afterwards knows who came and went, and so how many were active; no table tells
    any more who was pending or paused then.
    """

    day = models.DateField(primary_key=True)
    active = models.PositiveIntegerField(default=0)
    pending = models.PositiveIntegerField(null=True, help_text="Empty: not known any more.")
    paused = models.PositiveIntegerField(
        null=True, help_text="Of the active ones. Empty: not known any more."
    )
    joined = models.PositiveIntegerField(default=0, help_text="Confirmed or imported that day.")
    left = models.PositiveIntegerField(default=0, help_text="Unsubscribed or erased that day.")
    suppressed = models.PositiveIntegerField(default=0, help_text="Stopped by bounce or complaint that day.")
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "daily figures"

    def __str__(self) -> str:
        return f"figures of {self.day}"


class EditionFigures(models.Model):
    """Where the deliveries of an edition stand, at the last count.

    `states` is {Delivery.State: how many}, `facts` {delivered, bounced, soft_bounced, complained, left: how
    many}; `rate` is deliveries settled a second of late. `refusals` is [[state, detail, how many, when the
    latest], ...], most first, of the newest that were refused or put off.
    """

    edition = models.OneToOneField(
        Edition, on_delete=models.CASCADE, primary_key=True, related_name="figures"
    )
    states = models.JSONField(default=dict)
    facts = models.JSONField(default=dict)
    enrolled = models.PositiveIntegerField(default=0)
    rate = models.FloatField(default=0)
    due = models.PositiveIntegerField(default=0, help_text="Whose hour has come and who wait all the same.")
    oldest_due_at = models.DateTimeField(null=True, help_text="Since when the longest waiting of them waits.")
    next_at = models.DateTimeField(null=True, help_text="The next hour at which readers are due.")
    next_count = models.PositiveIntegerField(default=0, help_text="How many are due then.")
    last_at = models.DateTimeField(null=True, help_text="The hour of the last one who waits.")
    peaks = models.JSONField(
        null=True, help_text="Of `states`, the highest ever counted: settled ones stay counted as they were."
    )
    refusals = models.JSONField(default=list)
    took = models.FloatField(default=0, help_text="Seconds that the count took: the dearer, the rarer it is.")
    at = models.DateTimeField()

    class Meta:
        verbose_name = verbose_name_plural = "figures of editions"


class CandidateFigures(models.Model):
    """What became of one paper of an edition: tallied once its digests have left."""

    candidate = models.OneToOneField(
        Candidate, on_delete=models.CASCADE, primary_key=True, related_name="figures"
    )
    digests = models.PositiveIntegerField(default=0, help_text="Accepted digests with it.")
    agreed = models.PositiveIntegerField(
        default=0, help_text="Of those, the ones whose readers let clicks be counted."
    )
    pinned = models.PositiveIntegerField(default=0, help_text="Of those, the ones where it was a pin.")
    clicks = models.PositiveIntegerField(default=0, help_text="Digests of which a person followed it.")
    robots = models.PositiveIntegerField(default=0, help_text="Digests of which only programs followed it.")


class EditionTally(models.Model):
    """What became of an edition's digests, walked through page by page. `tallying` alone writes it.

    `found` is what the last finished walk found, `working` what the present one has found so far, up to the
    delivery `upto`: {"hours": {hour: [accepted, delivered]}, "heard": {worst that was heard: how many},
    "papers": {paper id: [digests, pinned, agreed, clicks, robots]}, "agreed": digests whose readers let
    clicks be counted, "clicked": those of which a person followed a paper, "scanned": only programs did}.
    """

    edition = models.OneToOneField(Edition, on_delete=models.CASCADE, primary_key=True, related_name="tally")
    found = models.JSONField(default=dict)
    working = models.JSONField(default=dict)
    upto = models.BigIntegerField(default=0)
    took = models.FloatField(default=0, help_text="Seconds of the present walk, then of the last one.")
    at = models.DateTimeField(null=True, help_text="When the last walk was finished; empty: none was.")


class TopicFigures(models.Model):
    """How many follow a topic, and how many papers of the last 30 days belong to it."""

    topic = models.OneToOneField(Topic, on_delete=models.CASCADE, primary_key=True, related_name="figures")
    readers = models.PositiveIntegerField(default=0)
    papers = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()
