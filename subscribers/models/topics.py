"""What one may follow."""

from django.db import models
from django.db.models import Q


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
