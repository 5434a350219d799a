"""What is written down and never edited: consent, its wordings, and the house's own mails."""

from django.contrib import admin
from django.http import HttpRequest

from subscribers.addresses import masked
from subscribers.admin.read_only import ReadOnlyAdmin
from subscribers.models import ConsentEvent, ConsentText, SystemMail


@admin.register(ConsentEvent)
class ConsentEventAdmin(ReadOnlyAdmin):
    """Who agreed to what, and when: newest first."""

    list_display = ["at", "kind", "source", "text", "network", "subscriber"]
    list_filter = ["kind", "text", "at"]
    list_select_related = ["text", "subscriber"]
    ordering = ["-pk"]
    list_before_template = "admin/subscribers/find_link.html"

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow the list of one reader, to which their page leads."""
        return lookup == "subscriber__id__exact" or super().lookup_allowed(lookup, value, request)


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
    ordering = ["-pk"]
    exclude = ["to"]
    readonly_fields = ["elsewhere"]

    @admin.display(description="To another address")
    def elsewhere(self, mail: SystemMail) -> str:
        """Return the masked address of a mail that does not go to the reader's own."""
        return masked(mail.to) if mail.to else "no"
