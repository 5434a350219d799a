"""Lists of a million rows: never counted, sorted or paged further than a person would look."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR
from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList

#: Rows that a list counts and shows; filters and the CSV file reach the rest.
MOST_ROWS = 10_000


if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:  # Django's Paginator takes no parameter at run time
    _Paginator = Paginator


class CappedPaginator(_Paginator):
    """Pages of the first MOST_ROWS rows; whether there are more is all it knows of the rest."""

    #: Unfold's way to choose the line under the list.
    template_name = "admin/capped_pagination.html"

    @cached_property
    def counted(self) -> int:
        """How many rows there are, up to one more than are shown.

        In the list's own order, so that the index which finds its rows counts them, too.
        """
        rows = self.object_list
        return rows[: MOST_ROWS + 1].count() if isinstance(rows, QuerySet) else len(rows)

    def page(self, number: int | str) -> "Page[Any]":
        """Return a page; of a later one first the keys, so that what is passed over is not joined.

        Raises InvalidPage for one that is not there.
        """
        found: Page[Any] = super().page(number)
        rows, shown = self.object_list, found.object_list
        if found.number > 1 and isinstance(rows, QuerySet) and isinstance(shown, QuerySet):
            found.object_list = rows.filter(pk__in=list(shown.values_list("pk", flat=True)))
        return found

    @cached_property
    def count(self) -> int:
        """How many rows are shown."""
        return min(self.counted, MOST_ROWS)

    @property
    def told(self) -> str:
        """The count in words: 10,000+ where there are rows that no page shows."""
        return f"{self.count:,}{'+' if self.counted > MOST_ROWS else ''}"


class DeskChangeList(ChangeList):  # type: ignore[misc]  # Unfold ships no types
    """A list that sorts by what its admin allows, whatever its address says, and answers for a wrong page."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Model]) -> list[object]:
        """Forget a wish to sort by a column that has no index: Django only hides the link."""
        if self.sortable_by is not None and ORDER_VAR in self.params:
            wishes = [wish for wish in self.params[ORDER_VAR].split(".") if self._may_sort(wish)]
            self.params[ORDER_VAR] = ".".join(wishes)
        ordering: list[object] = super().get_ordering(request, queryset)
        return ordering

    def get_results(self, request: HttpRequest) -> None:
        """Show the first page in place of one that is not there, and say so."""
        try:
            super().get_results(request)
        except IncorrectLookupParameters:
            self.page_num = 1
            super().get_results(request)
            messages.warning(
                request,
                f"There is no such page; this is the first. A list shows {MOST_ROWS:,} rows at most: "
                "filter it to find others, or take them all as a CSV file.",
            )

    def _may_sort(self, wish: str) -> bool:
        place = wish.lstrip("-")
        return (
            place.isdigit()
            and int(place) < len(self.list_display)
            and self.list_display[int(place)] in self.sortable_by
        )
