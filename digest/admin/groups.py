"""Groups: what each may do, to be looked at. `digest.rights` says it, at every migration."""

from django.contrib import admin
from django.contrib.auth import admin as _djangos  # noqa: F401 - it registers Group, which we take back
from django.contrib.auth.models import Group
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest

from digest.admin.owners_only import OwnersOnlyAdmin

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(OwnersOnlyAdmin):
    """Who is in a group is decided on the pages of the users."""

    list_display = ["name", "members"]
    fields = ["name", "members", "may"]
    readonly_fields = ["members", "may"]
    ordering = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """Return the groups with their members counted."""
        groups: QuerySet[Group] = super().get_queryset(request)
        return groups.annotate(count=Count("user"))

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """The groups are what the program says."""
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        """A change here would be undone by the next migration."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        """It would come back."""
        return False

    @admin.display(description="Members", ordering="count")
    def members(self, group: Group) -> int:
        """Return how many accounts are in it."""
        return int(group.count)  # type: ignore[attr-defined]  # annotated above

    @admin.display(description="May")
    def may(self, group: Group) -> str:
        """Return its permissions in words."""
        names = group.permissions.order_by("content_type__app_label", "name").values_list("name", flat=True)
        return "; ".join(name.removeprefix("Can ") for name in names)
