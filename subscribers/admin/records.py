"""What is written down and never edited: consent, its wordings, and the house's own mails."""

from django.contrib import admin
from django.http import HttpRequest

from subscribers.addresses import masked
from subscribers.admin.read_only import ReadOnlyAdmin
from subscribers.models import ConsentEvent, ConsentText, SystemMail


@admin.register(ConsentEvent)
class ConsentEventAdmin(ReadOnlyAdmin):
    """Who agreed to what, and when: newest first."""

    list_display = ["at", "kind", "source", "text", "imported_with", "network", "subscriber"]
    list_filter = ["kind", "text", "at"]
    list_select_related = ["text", "subscriber", "import_job"]
    readonly_fields = ["imported_with"]
    sortable_by = ()
    ordering = ["-at", "-pk"]
    list_before_template = "admin/subscribers/find_link.html"

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow the list of one reader, to which their page leads."""
        return lookup == "subscriber__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description="Statement of the import")
    def imported_with(self, event: ConsentEvent) -> str:
        """Return the sentence that says where and when an imported reader agreed."""
        return event.import_job.consent_source if event.import_job else ""


@admin.register(ConsentText)
class ConsentTextAdmin(ReadOnlyAdmin):
    """The wordings; a new one comes with a migration."""

    list_display = ["version", "created_at", "wording"]
    ordering = ["-pk"]


@admin.register(SystemMail)
class SystemMailAdmin(ReadOnlyAdmin):
    """The outbox: what waits, what was sent, and what a mail server said to it."""

    list_display = ["created_at", "kind", "state", "attempts", "detail", "subscriber"]
    list_filter = ["state", "kind", "created_at"]
    list_select_related = ["subscriber"]
    sortable_by = ()
    ordering = ["-pk"]
    exclude = ["to"]
    readonly_fields = ["elsewhere"]

    @admin.display(description="To another address")
    def elsewhere(self, mail: SystemMail) -> str:
        """Return the masked address of a mail that does not go to the reader's own."""
        return masked(mail.to) if mail.to else "no"
