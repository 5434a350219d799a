"""What was done at the desk, by whom."""

from django.conf import settings
from django.db import models

from subscribers.models.append_only import AppendOnly, AppendOnlyQuerySet


class AuditEventQuerySet(AppendOnlyQuerySet["AuditEvent"]):
    """Events: read and added."""


class AuditEvent(AppendOnly):
    """Append-only: one deed of one person at the desk. `audit.record` alone writes it.

    `retention` forgets the network after a while, and nothing else.
    `by_name` is kept beside `by`, so that deleting an account does not delete what it did.
    """

    class Kind(models.TextChoices):
        LOGIN = "login"
        LOGIN_FAILED = "login_failed"
        LOGOUT = "logout"
        ADDED = "added"
        CHANGED = "changed"
        DELETED = "deleted"
        DEED = "deed"  # an action: approve, pause, unsubscribe, lift, ...
        EXPORTED = "exported"

    at = models.DateTimeField(db_index=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    by_name = models.CharField(max_length=150, blank=True)
    kind = models.CharField(max_length=12, choices=Kind)
    about = models.CharField(max_length=120, blank=True, help_text="What it was done to, without addresses.")
    detail = models.CharField(max_length=500, blank=True, help_text="What was done, without addresses.")
    network = models.GenericIPAddressField(null=True, blank=True)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        # Retention looks for these each hour, and finds none but the newest.
        indexes = [
            models.Index(fields=["at"], name="audit_with_network", condition=models.Q(network__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.by_name} at {self.at:%Y-%m-%d %H:%M}"
