"""What guards a restored backup from sending again what it does not know has left."""

from django.db import models

from subscribers.models import new_public_id


class Guard(models.Model):
    """The one row (key 1) by which a database proves to be the one that sent last; `guarding` writes it.

    `generation` counts the groups of digests that went on the wire; it is kept outside the database, too. A
    backup that is restored has fallen behind what is told outside, and a copy has nobody to tell for it.
    """

    lineage = models.CharField(
        max_length=22, default=new_public_id, help_text="Another one with each arming."
    )
    generation = models.BigIntegerField(default=0)
    ancestors = models.JSONField(default=list, help_text="Lineages whose count says nothing any more.")
    disarmed_at = models.DateTimeField(null=True, blank=True, help_text="Since when no digest leaves.")
    why = models.CharField(max_length=400, blank=True, default="", help_text="A sentence for operators.")
    behind = models.BooleanField(default=False, help_text="Proven to be older than what has left.")
    said_at = models.DateTimeField(null=True, blank=True, help_text="When the log last said so.")
    armed_at = models.DateTimeField(
        null=True, blank=True, help_text="When an operator last armed it: what was due before is over."
    )
    ticked_at = models.DateTimeField(null=True, blank=True, help_text="When the clock last ticked.")

    class Meta:
        verbose_name = verbose_name_plural = "guard against restored backups"

    def __str__(self) -> str:
        return f"guard of {self.lineage}"
