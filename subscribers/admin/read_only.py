"""Pages that show and change nothing by hand."""

from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # Unfold ships no types
    """Lists and details for who may view them; what happens to rows happens by actions."""

    show_full_result_count = False  # a second count of a large table, for a line nobody needs

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """Rows come by what readers do."""
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        """Nothing here is edited."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        """Nothing here is deleted by hand."""
        return False
