"""Wishes to subscribe, as they came in by the web."""

from django.db import models

from subscribers.models.consent import ConsentText


class SignupRequest(models.Model):
    """A wish to subscribe that nobody has looked at yet.

    The web writes one such row for every address alike and asks nothing about it, so that its answer can tell
    nothing. The outbox task works it off by `lifecycle.sign_up` and deletes it.
    """

    address = models.CharField(max_length=254, help_text="From addresses.normalise.")
    topics = models.JSONField(default=list, help_text="Slugs.")
    words = models.JSONField(default=list)
    time_zone = models.CharField(max_length=64, blank=True, help_text="The browser's, or empty.")
    consent_text = models.ForeignKey(ConsentText, on_delete=models.PROTECT)
    source = models.CharField(max_length=40, help_text="The form it came by.")
    network = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"sign-up request {self.pk}"
