"""Why readers left: the reasons of a month and of three, over the list of them."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from subscribers.addresses import without_addresses
from subscribers.admin.read_only import ReadOnlyAdmin
from subscribers.models import LeavingReason

MONTH, QUARTER = timedelta(days=30), timedelta(days=90)


@admin.register(LeavingReason)
class LeavingReasonAdmin(ReadOnlyAdmin):
    """Reasons and words; nothing says whose they are."""

    list_display = ["at", "reason", "said"]
    fields = ["at", "reason", "said"]
    readonly_fields = ["said"]
    list_filter = ["reason", "at"]
    ordering = ["-at"]
    list_before_template = "admin/subscribers/leaving_summary.html"

    @admin.display(description="Words")
    def said(self, row: LeavingReason) -> str:
        """Return their words; rows of former days may still hold an address."""
        return without_addresses(row.words)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add the summary to the list."""
        context = {**(extra_context or {}), "summary": summary(timezone.now())}
        response: HttpResponse = super().changelist_view(request, context)
        return response


def summary(at: datetime) -> dict[str, list[Any]]:
    """Return a table of how many left for each reason in the 30 and the 90 days before `at`."""
    lately = LeavingReason.objects.filter(at__gt=at - QUARTER, at__lte=at).values("reason")
    counted = lately.annotate(month=Count("pk", filter=Q(at__gt=at - MONTH)), quarter=Count("pk"))
    found = {row["reason"]: (row["month"], row["quarter"]) for row in counted}
    reasons = sorted(LeavingReason.Reason, key=lambda reason: -found.get(reason, (0, 0))[1])
    return {
        "headers": ["Reason", f"Last {MONTH.days} days", f"Last {QUARTER.days} days"],
        "rows": [[reason.label, *found.get(reason, (0, 0))] for reason in reasons],
    }
