"""The figures that are kept: readers day by day, and what became of each edition."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from digest.models import DailyFigures, EditionFigures
from subscribers.admin.read_only import ReadOnlyAdmin


class FiguresAdmin(ReadOnlyAdmin):
    """Sums name nobody: whoever may look at editions may look at them."""

    def has_view_permission(self, request: HttpRequest, _obj: Model | None = None) -> bool:
        """Say who may look."""
        return bool(request.user.has_perm("digest.view_edition"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show them in the menu of who may look."""
        return self.has_view_permission(request)


@admin.register(DailyFigures)
class DailyFiguresAdmin(FiguresAdmin):
    """The readership, the newest day first."""

    list_display = ["day", "active", "pending", "paused", "joined", "left", "suppressed", "at"]
    list_filter = ["day"]
    ordering = ["-day"]


@admin.register(EditionFigures)
class EditionFiguresAdmin(FiguresAdmin):
    """The editions' accounts, the newest first."""

    list_display = ["edition", "enrolled", "stand", "heard", "at"]
    list_select_related = ["edition"]
    sortable_by = ["enrolled", "at"]
    ordering = ["-edition__day"]

    @admin.display(description="Where deliveries stand")
    def stand(self, figures: EditionFigures) -> str:
        """Return the states with any, in words."""
        return _sums(figures.states)

    @admin.display(description="Heard afterwards")
    def heard(self, figures: EditionFigures) -> str:
        """Return the facts with any, in words."""
        return _sums(figures.facts)


def _sums(counts: dict[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items() if count)
