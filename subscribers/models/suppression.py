"""Addresses that must get no mail."""

from django.db import models


class Suppression(models.Model):
    """An address that must get no mail, by keyed hash, so that it outlives the reader's row."""

    class Reason(models.TextChoices):
        BOUNCE = "bounce"
        COMPLAINT = "complaint"
        REQUEST = "request"

    address_hash = models.CharField(max_length=80, unique=True)
    reason = models.CharField(max_length=10, choices=Reason)
    source = models.CharField(max_length=80)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.reason} {self.address_hash[:10]}"
