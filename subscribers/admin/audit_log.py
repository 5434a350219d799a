"""The audit log: who did what at the desk, newest first. It is read here and written by deeds alone."""

from django.contrib import admin

from subscribers.admin.read_only import ReadOnlyAdmin
from subscribers.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """A list; each row says all there is, so none has a page of its own to go to."""

    list_display = ["moment", "who", "kind", "about", "detail", "network"]
    list_display_links = None
    list_filter = ["kind", ("by", admin.RelatedOnlyFieldListFilter), "at"]
    date_hierarchy = "at"
    sortable_by = ["moment"]
    search_fields = ["by_name__exact", "about__istartswith"]
    search_help_text = "A user name, or how what it was done to begins: “edition of 2026”, “reader”."
    ordering = ["-pk"]
    list_per_page = 100

    @admin.display(description="When (UTC)", ordering="pk")
    def moment(self, event: AuditEvent) -> str:
        """Return the second."""
        return f"{event.at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="Who")
    def who(self, event: AuditEvent) -> str:
        """Return the name they had, which outlives the account."""
        return event.by_name or "-"
