"""Papers, and where and when they appeared."""

from django.db import models
from django.db.models import Q
from django.utils.text import Truncator

from subscribers.models import Topic


class Paper(models.Model):
    """One work, whatever its versions, sources or cross-lists."""

    identity = models.CharField(
        max_length=80, unique=True, help_text="arXiv id without version, else source:id at the source."
    )
    arxiv_id = models.CharField(max_length=32, null=True, blank=True, unique=True)
    version = models.PositiveSmallIntegerField(default=1)
    title = models.TextField()
    abstract = models.TextField()
    summary = models.TextField(blank=True, help_text="One line, written by a machine at the source.")
    authors = models.JSONField(default=list, help_text="Names in order.")
    categories = models.JSONField(default=list, help_text="arXiv categories, canonical names, primary first.")
    primary_category = models.CharField(max_length=20, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(null=True, blank=True)
    upvotes = models.PositiveIntegerField(default=0)
    comments = models.PositiveIntegerField(default=0)
    stars = models.PositiveIntegerField(null=True, blank=True)
    code_url = models.URLField(max_length=500, blank=True)
    project_url = models.URLField(max_length=500, blank=True)
    thumbnail_url = models.URLField(
        max_length=500, blank=True, help_text="At the source; never sent to a reader."
    )
    thumbnail = models.CharField(max_length=120, blank=True, help_text="File in our own storage.")
    thumbnail_width = models.PositiveSmallIntegerField(default=0)
    thumbnail_height = models.PositiveSmallIntegerField(default=0)
    thumbnail_tried_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    stored_at = models.DateTimeField(db_index=True, help_text="First seen here.")
    topics = models.ManyToManyField(Topic, through="PaperTopic", related_name="papers")

    class Meta:
        # With the id, so that the newest of a kind are found without walking the table. PostgreSQL has one
        # more, by the words of the title: see the migration "lists_of_a_million".
        indexes = [
            models.Index(fields=["primary_category", "id"], name="paper_of_category"),
            models.Index(fields=["id"], name="paper_withdrawn", condition=Q(withdrawn_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def quoted(self) -> str:
        """The title in quotation marks, shortened where it is long."""
        return f"“{Truncator(self.title).chars(80)}”"

    @property
    def abstract_url(self) -> str:
        """Where the abstract is read: arXiv, else the project's page."""
        return f"https://arxiv.org/abs/{self.arxiv_id}" if self.arxiv_id else self.project_url

    @property
    def pdf_url(self) -> str:
        """Where the PDF is, or the empty string."""
        return f"https://arxiv.org/pdf/{self.arxiv_id}" if self.arxiv_id else ""


class PaperTopic(models.Model):
    """A paper belongs to a topic; `matching` decides."""

    paper = models.ForeignKey(Paper, on_delete=models.CASCADE)
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["paper", "topic"], name="paper_in_topic_once")]
        indexes = [models.Index(fields=["topic", "paper"], name="papers_of_topic")]


class Appearance(models.Model):
    """A paper on a source on a day: Hugging Face's UTC day, arXiv's Eastern date."""

    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="appearances")
    source = models.CharField(max_length=20)
    day = models.DateField()
    edition = models.ForeignKey(
        "digest.Edition", on_delete=models.SET_NULL, null=True, blank=True, related_name="appearances"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["paper", "source"], name="one_appearance_a_source")]
        indexes = [models.Index(fields=["day"]), models.Index(fields=["edition"])]
