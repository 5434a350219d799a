"""What all pages of the desk share: changes go to the audit log, lists are bounded and go out as CSV."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import ShowFacets
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.admin import ModelAdmin

from subscribers import audit
from subscribers.admin.lists_as_csv import list_as_csv
from subscribers.admin.long_lists import CappedPaginator, DeskChangeList
from subscribers.models import AuditEvent


class DeskAdmin(ModelAdmin):  # type: ignore[misc]  # Unfold ships no types
    """The base of all admin pages. Beside Django's history, changes go to the append-only log.

    A list of a large table says in `sortable_by` which of its columns have an index to sort by.
    """

    show_full_result_count = False  # a second count of a large table, for a line nobody needs
    show_facets = ShowFacets.NEVER  # a count for each choice of each filter
    list_per_page = 50
    paginator = CappedPaginator

    def get_changelist(self, _request: HttpRequest, **_more: object) -> type[DeskChangeList]:
        """Return the kind of list that stays within its bounds."""
        return DeskChangeList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Refuse patterns: at a wrong one PostgreSQL fails, and a nasty one may take it minutes."""
        allowed: bool = super().lookup_allowed(lookup, value, request)
        return allowed and not lookup.endswith("regex")

    def get_urls(self) -> list[URLPattern]:
        """Add the list as a file."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        found: list[URLPattern] = super().get_urls()
        return [path("export/", self.admin_site.admin_view(self.export), name=name), *found]

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a POST with the list as CSV, filtered as its address says, for whoever may look at it."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        around = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        if request.method != "POST":
            return HttpResponseRedirect(around)
        try:
            changelist = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{around}?e=1")
        return list_as_csv(changelist, request)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:  # noqa: ANN401
        """Write that `obj` was added."""
        self._audit(request, AuditEvent.Kind.ADDED, [obj], message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:  # noqa: ANN401
        """Write that `obj` was changed."""
        self._audit(request, AuditEvent.Kind.CHANGED, [obj], message)
        return super().log_change(request, obj, message)

    def log_deed(self, request: HttpRequest, obj: Model, message: str) -> None:
        """Write that an action was done to `obj`: a change in its history, a deed in the log."""
        self._audit(request, AuditEvent.Kind.DEED, [obj], message)
        super().log_change(request, obj, message)

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
