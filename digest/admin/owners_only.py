"""Pages for owners: what they change decides who may do what."""

from django.db.models import Model
from django.http import HttpRequest

from digest import rights
from subscribers.admin.base import DeskAdmin


class OwnersOnlyAdmin(DeskAdmin):
    """Whatever permissions an account was given, being an owner comes on top: nobody raises themselves."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Say whether the pages stand on the first one."""
        return super().has_module_permission(request) and rights.is_owner(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Say who may look."""
        return super().has_view_permission(request, obj) and rights.is_owner(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Say who may add."""
        return super().has_add_permission(request) and rights.is_owner(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Say who may change."""
        return super().has_change_permission(request, obj) and rights.is_owner(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Say who may delete."""
        return super().has_delete_permission(request, obj) and rights.is_owner(request.user)
