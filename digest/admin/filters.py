"""Filters of long lists: each chooses by an index, and none lists what it would have to count first."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from digest.models import Edition
from subscribers.models import Topic

#: Editions offered by name; an older one is reached from its own pages.
MOST_EDITIONS = 30


def number(value: str) -> int:
    """Return a key out of a page's address. Raises IncorrectLookupParameters for what can be none."""
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise IncorrectLookupParameters(f"{value[:20]!r} is no key.")
    return int(value)


class EditionFilter(admin.SimpleListFilter):
    """One edition: the chosen one, else the newest that has what is listed. Never all of them.

    Lists of what belongs to an edition are read one edition at a time, and indexed so. What an admin names
    in `across_editions` (a reader, a paper) lifts that; `edition_has` is the count that must not be nothing.
    """

    title = "edition"
    parameter_name = "edition__id__exact"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: type[Model], admin: Any) -> None:  # noqa: ANN401
        self.has = getattr(admin, "edition_has", "candidate_count")
        self.across = any(request.GET.get(name) for name in getattr(admin, "across_editions", ()))
        super().__init__(request, params, model, admin)

    def lookups(self, _request: HttpRequest, _admin: object) -> list[tuple[str, str]]:
        """Return the newest editions, and the chosen one where it is older."""
        newest = list(Edition.objects.with_candidates().order_by("-day")[:MOST_EDITIONS])
        given = super().value()
        if given and all(str(edition.pk) != given for edition in newest):
            newest += Edition.objects.filter(pk=number(given))
        return [
            (str(edition.pk), f"{edition.day:%a} {edition.day.day} {edition.day:%b %Y}") for edition in newest
        ]

    def value(self) -> str | None:
        """Return the key of the edition that is shown, or None for all."""
        given = super().value()
        if given or self.across or not self.lookup_choices:
            return given
        return self.newest

    @cached_property
    def newest(self) -> str | None:
        """The key of the newest edition that has what is listed."""
        with_some = Edition.objects.filter(**{f"{self.has}__gt": 0}).order_by("-day")
        newest = with_some.values_list("pk", flat=True).first()
        return str(newest) if newest else None

    def choices(self, changelist: Any) -> Any:  # noqa: ANN401 - Django's signature
        """Offer "All" only where it is what is shown."""
        offered = list(super().choices(changelist))
        return offered if self.across else offered[1:]

    def queryset(self, _request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Leave the rows of the edition."""
        value = self.value()
        return rows.filter(edition_id=number(value)) if value else rows


class TopicFilter(admin.SimpleListFilter):
    """Papers of one topic."""

    title = "topic"
    parameter_name = "topics__id__exact"

    def lookups(self, _request: HttpRequest, _admin: object) -> list[tuple[str, str]]:
        """Return the topics by name."""
        return [(str(topic.pk), topic.name) for topic in Topic.objects.order_by("name")]

    def queryset(self, _request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Leave the papers of the topic."""
        value = self.value()
        return rows.filter(papertopic__topic_id=number(value)) if value else rows


class CategoryFilter(admin.SimpleListFilter):
    """Papers of one primary category, of those that are asked for or followed."""

    title = "primary category"
    parameter_name = "primary_category__exact"

    def lookups(self, _request: HttpRequest, _admin: object) -> list[tuple[str, str]]:
        """Return the categories that arXiv is asked for, those of topics, and the chosen one."""
        followed = {
            str(name) for names in Topic.objects.values_list("categories", flat=True) for name in names
        }
        names = followed | set(settings.ARXIV_CATEGORIES) | {self.value() or ""} - {""}
        return [(name, name) for name in sorted(names)]

    def queryset(self, _request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Leave the papers of the category."""
        value = self.value()
        return rows.filter(primary_category=value) if value else rows


class Choices(admin.SimpleListFilter):
    """A few kinds of rows, each by a partial index of its own."""

    #: {value in the address: (label, what to filter by)}
    kinds: Mapping[str, tuple[str, Mapping[str, object]]] = {}

    def lookups(self, _request: HttpRequest, _admin: object) -> list[tuple[str, str]]:
        """Return the kinds."""
        return [(value, label) for value, (label, _rows) in self.kinds.items()]

    def queryset(self, _request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Leave the rows of the kind."""
        _label, chosen = self.kinds.get(self.value() or "", ("", {}))
        return rows.filter(**chosen)


class WithdrawnFilter(Choices):
    """Withdrawn papers."""

    title = "withdrawn"
    parameter_name = "withdrawn"
    kinds = {"yes": ("Withdrawn at the source", {"withdrawn_at__isnull": False})}


class HeardFilter(Choices):
    """What was heard of a digest afterwards."""

    title = "what was heard"
    parameter_name = "heard"
    kinds = {
        "bounced": ("Bounced for good", {"bounced_at__isnull": False}),
        "soft_bounced": ("Refused for now", {"soft_bounced_at__isnull": False}),
        "complained": ("Complained", {"complained_at__isnull": False}),
        "left": ("Left by its link", {"left_at__isnull": False}),
    }


class AppliedFilter(Choices):
    """Events that wait to be applied."""

    title = "applied"
    parameter_name = "applied"
    kinds = {"no": ("Not yet", {"applied_at__isnull": True})}


class SourceFilter(admin.SimpleListFilter):
    """Receipts of one source."""

    title = "source"
    parameter_name = "source__exact"

    def lookups(self, _request: HttpRequest, _admin: object) -> list[tuple[str, str]]:
        """Return the sources that are asked."""
        return [(name, name) for name in settings.SOURCES]

    def queryset(self, _request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Leave the receipts of the source."""
        return rows.filter(source=self.value()) if self.value() else rows
