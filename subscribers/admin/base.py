"""What every page of the desk has in common: each change it makes is written to the audit log."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin

from subscribers import audit
from subscribers.models import AuditEvent


class DeskAdmin(ModelAdmin):  # type: ignore[misc]  # Unfold ships no types
    """The base of all admin pages. Beside Django's history, changes go to the append-only log."""

    show_full_result_count = False  # a second count of a large table, for a line nobody needs

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:  # noqa: ANN401
        """Write that `obj` was added."""
        self._audit(request, AuditEvent.Kind.ADDED, [obj], message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:  # noqa: ANN401
        """Write that `obj` was changed."""
        self._audit(request, AuditEvent.Kind.CHANGED, [obj], message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> Any:  # noqa: ANN401
        """Write that the rows of `queryset` were deleted."""
        self._audit(request, AuditEvent.Kind.DELETED, queryset, "")
        return super().log_deletions(request, queryset)

    def _audit(
        self, request: HttpRequest, kind: AuditEvent.Kind, rows: Iterable[Model], message: object
    ) -> None:
        for row in rows:
            audit.record(request, kind, f"{self.opts.verbose_name} {row}", _told(message), at=timezone.now())


def _told(message: object) -> str:
    """Return Django's change message as text: names of fields, never their values."""
    if isinstance(message, str):
        return message
    parts = []
    for entry in message if isinstance(message, list) else []:
        for deed, told in entry.items():
            fields = ", ".join(told.get("fields", [])) if isinstance(told, dict) else ""
            parts.append(f"{deed}: {fields}" if fields else deed)
    return "; ".join(parts)
