"""Pages that show and change nothing by hand."""

from django.db.models import Model
from django.http import HttpRequest

from subscribers.admin.base import DeskAdmin


class ReadOnlyAdmin(DeskAdmin):
    """Lists and details for who may view them; what happens to rows happens by actions."""

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """Rows come by what readers do."""
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        """Nothing here is edited."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        """Nothing here is deleted by hand."""
        return False
