"""Deliveries: who got an edition and what became of it, by the reader's public id alone."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from digest.admin.filters import EditionFilter, HeardFilter
from digest.models import Delivery, Paper
from digest.rendering import wording
from subscribers.admin.read_only import ReadOnlyAdmin
from subscribers.models import Subscriber

TITLE = 200
_SEE_READERS = "subscribers.view_subscriber"
_FACTS = ("delivered", "soft_bounced", "bounced", "complained", "left")

#: What the list may be narrowed by: each by an index, and none tells what a reader follows.
_NARROWED_BY = {
    "state__exact",
    "state__in",
    "subscriber__id__exact",
    EditionFilter.parameter_name,
    HeardFilter.parameter_name,
}


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """One edition's deliveries, troubles first: in the order of the index they are found by."""

    list_display = ["public_id", "edition", "state", "to", "local_date", "not_before", "settled_at"]
    list_display += ["attempts", "heard", "detail"]
    list_filter = ["state", EditionFilter, HeardFilter]
    list_select_related = ["edition", "subscriber"]
    search_fields = ["public_id"]
    search_help_text = "Public id of a delivery or reader"
    sortable_by = ()
    edition_has = "enrolled"
    across_editions = ("subscriber__id__exact", "q")
    fieldsets = [
        (None, {"fields": ["public_id", "edition", "to", "state", "detail"]}),
        ("When", {"fields": ["local_date", "not_before", "expires_at", "retry_at", "submitted_at"]}),
        ("Outcome", {"fields": ["settled_at", "attempts", "heard", "provider_id", "events"]}),
        ("What was in it", {"fields": ["subject", "papers"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        """Leave the papers of each delivery in the table."""
        rows: QuerySet[Delivery] = super().get_queryset(request)
        return rows.defer("picks")

    def get_ordering(self, request: HttpRequest) -> list[str]:
        """Order as the index does that finds the rows."""
        if any(request.GET.get(name) for name in self.across_editions):
            return ["-edition_id", "-pk"]
        return ["-pk"] if request.GET.get(HeardFilter.parameter_name) else ["-state", "-pk"]

    def get_search_results(
        self, _request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        """Find one delivery, or those of one reader, by a whole public id."""
        wanted = search_term.strip().replace("\x00", "")
        if not wanted:
            return queryset, False
        reader = Subscriber.objects.filter(public_id=wanted).values_list("pk", flat=True).first()
        return queryset.filter(public_id=wanted) if reader is None else queryset.filter(
            subscriber=reader
        ), False

    def lookup_allowed(self, lookup: str, _value: str, request: HttpRequest) -> bool:  # noqa: ARG002 - by name
        """Allow what our pages link to. Django would allow any column: to ask what a reason quotes, too."""
        return lookup in _NARROWED_BY

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Link to readers for who may look at them."""
        names: list[str] = super().get_list_display(request)
        return [_allowed(name, request) for name in names]

    def get_fieldsets(self, request: HttpRequest, obj: Delivery | None = None) -> Any:  # noqa: ANN401
        """Link to the reader, and to what the provider told, for who may look at them."""
        told = request.user.has_perm("digest.view_providerevent")
        return [
            (
                title,
                {
                    "fields": [
                        _allowed(name, request) for name in options["fields"] if told or name != "events"
                    ]
                },
            )
            for title, options in super().get_fieldsets(request, obj)
        ]

    @admin.display(description="Reader")
    def to(self, delivery: Delivery) -> str:
        """Return the reader's public id."""
        return delivery.subscriber.public_id if delivery.subscriber else "erased"

    @admin.display(description="Reader")
    def to_linked(self, delivery: Delivery) -> str:
        """Return the reader's public id, a link to their page."""
        if not delivery.subscriber:
            return "erased"
        page = reverse("admin:subscribers_subscriber_change", args=[delivery.subscriber_id])
        return format_html('<a class="underline" href="{}">{}</a>', page, delivery.subscriber.public_id)

    @admin.display(description="Heard of it")
    def heard(self, delivery: Delivery) -> str:
        """Return what was heard of it, each with its moment."""
        known = [(fact, getattr(delivery, f"{fact}_at")) for fact in _FACTS]
        return ", ".join(f"{fact.replace('_', ' ')} {at:%Y-%m-%d %H:%M}" for fact, at in known if at)

    @admin.display(description="Events")
    def events(self, delivery: Delivery) -> str:
        """Return a link to what the provider told of it."""
        page = reverse("admin:digest_providerevent_changelist")
        return format_html(
            '<a class="underline" href="{}?delivery__id__exact={}">What the provider told</a>',
            page,
            delivery.pk,
        )

    @admin.display(description="Papers")
    def papers(self, delivery: Delivery) -> str:
        """Return the papers in order."""
        return _lines(title for title, _why in _picked(delivery))

    @admin.display(description="Papers, and why")
    def papers_and_reasons(self, delivery: Delivery) -> str:
        """Return the papers in order, each with the reason that stood under it."""
        return _lines(f"{title}: {why}" if why else title for title, why in _picked(delivery))


#: What stands in the place of a column for who may look at readers; a reason quotes what somebody follows.
_FOR_WHO_MAY_SEE_READERS = {"to": "to_linked", "papers": "papers_and_reasons"}


def _allowed(name: str, request: HttpRequest) -> str:
    return _FOR_WHO_MAY_SEE_READERS.get(name, name) if request.user.has_perm(_SEE_READERS) else name


def _picked(delivery: Delivery) -> list[tuple[str, str]]:
    """Return (title, reason) of the papers in order."""
    keys = [int(key) for key, _why in delivery.picks]
    titles = dict(Paper.objects.filter(pk__in=keys).values_list("pk", "title"))
    return [
        (wording.plain(titles.get(int(key), "a paper that is gone"), TITLE), str(why))
        for key, why in delivery.picks
    ]


def _lines(lines: Iterable[str]) -> str:
    return format_html_join("", "<p>{}</p>", ((line,) for line in lines)) or "none yet"
