"""What is written down and never edited: candidates, decisions, receipts, events."""

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from digest.admin.filters import AppliedFilter, EditionFilter, SourceFilter
from digest.models import Candidate, Decision, IngestRun, ProviderEvent
from digest.rendering import wording
from subscribers.admin.read_only import ReadOnlyAdmin


@admin.register(Candidate)
class CandidateAdmin(ReadOnlyAdmin):
    """The papers of an edition, the most voted first; they are shaped at the edition's desk."""

    list_display = [
        "named",
        "edition",
        "featured_on",
        "upvotes",
        "comments",
        "stars",
        "pin",
        "hidden",
        "note",
    ]
    list_filter = [EditionFilter, "hidden"]
    list_select_related = ["paper", "edition"]
    sortable_by = ["featured_on", "upvotes", "comments", "stars", "pin"]
    ordering = ["-upvotes", "-pk"]
    across_editions = ("paper__id__exact",)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow the list of one paper."""
        return lookup == "paper__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description="Paper")
    def named(self, candidate: Candidate) -> str:
        """Return the title in one readable line."""
        return wording.plain(candidate.paper.title, 200) or "Untitled"


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    """What curators decided, the newest first; it is undone at the edition's desk."""

    list_display = ["at", "edition", "kind", "paper", "who", "before", "after", "undoes_at"]
    list_filter = ["kind", EditionFilter]
    list_select_related = ["paper", "edition", "undoes"]
    #: Who decided by name: the account's own page is for owners.
    fields = ["at", "edition", "kind", "paper", "who", "before", "after", "undoes"]
    sortable_by = ()
    ordering = ["-pk"]
    across_editions = ("kind__exact", "paper__id__exact")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow the list of one paper."""
        return lookup == "paper__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description="By")
    def who(self, decision: Decision) -> str:
        """Return the name, or who it is when nobody is."""
        return decision.by_name or "the clock"

    @admin.display(description="Takes back")
    def undoes_at(self, decision: Decision) -> str:
        """Return the moment of the decision that it takes back."""
        return f"the one of {decision.undoes.at:%Y-%m-%d %H:%M}" if decision.undoes else ""


@admin.register(IngestRun)
class IngestRunAdmin(ReadOnlyAdmin):
    """Receipts: what each source was asked, and what came of it."""

    list_display = ["source", "category", "day", "state", "announced", "new", "updated", "unchanged"]
    list_display += ["skipped", "error", "started_at", "finished_at"]
    list_filter = ["state", SourceFilter, "day"]
    sortable_by = ()
    ordering = ["-started_at"]


@admin.register(ProviderEvent)
class ProviderEventAdmin(ReadOnlyAdmin):
    """What providers told, as it came in: stored first, applied afterwards."""

    list_display = ["received_at", "provider", "kind", "digest", "at", "applied_at", "detail"]
    list_filter = ["kind", AppliedFilter]
    list_select_related = ["delivery"]
    sortable_by = ()
    ordering = ["-pk"]
    exclude = ["recipient_hash"]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow the list of one delivery, to which its page leads."""
        return lookup == "delivery__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description="Delivery")
    def digest(self, event: ProviderEvent) -> str:
        """Return the delivery's public id, a link to it."""
        if not event.delivery:
            return "none of ours"
        page = reverse("admin:digest_delivery_change", args=[event.delivery_id])
        return format_html('<a class="underline" href="{}">{}</a>', page, event.delivery.public_id)
