"""Accounts of the desk: who may log in, as what; for owners alone, and all of it in the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import admin as djangos
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from digest import rights
from digest.access import second_factor
from digest.admin.owners_only import OwnersOnlyAdmin
from subscribers import audit
from subscribers.admin import asking_first
from subscribers.models import AuditEvent

if TYPE_CHECKING:
    _DjangosUserAdmin = djangos.UserAdmin[User]
else:  # Django's admins take no parameter at run time
    _DjangosUserAdmin = djangos.UserAdmin

admin.site.unregister(User)


class AccountForm(UserChangeForm):  # type: ignore[misc]  # Unfold ships no types
    """An account, of which the last owner cannot be made something less."""

    def clean(self) -> dict[str, Any]:
        """Refuse to leave the desk without an owner."""
        cleaned: dict[str, Any] = super().clean()
        others = rights.owners().exclude(pk=self.instance.pk)
        groups = {group.name for group in cleaned.get("groups", ())}
        stays = cleaned.get("is_superuser", self.instance.is_superuser) or rights.OWNER in groups
        able = cleaned.get("is_active", True) and cleaned.get("is_staff", True)
        if not (stays and able) and not others.exists():
            raise forms.ValidationError("This is the last owner. Make somebody else an owner first.")
        return cleaned


@admin.register(User)
class UserAdmin(OwnersOnlyAdmin, _DjangosUserAdmin):  # type: ignore[misc]  # DeskAdmin is Unfold's, untyped
    """Rights come by groups; no account has any of its own."""

    form = AccountForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "roles", "is_staff", "is_active", "second_factor", "last_login"]
    list_filter = ["groups", "is_active"]
    search_fields = ["username", "first_name", "last_name"]
    ordering = ["username"]
    filter_horizontal = []
    actions = ["reset_second_factor"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        ("Rights", {"fields": ["is_active", "is_staff", "groups", "is_superuser"]}),
        ("Seen", {"fields": ["second_factor", "last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", "password1", "password2", "is_staff", "groups"]}),
    ]
    readonly_fields = ["second_factor", "last_login", "date_joined"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Return the accounts with their groups, in two statements."""
        users: QuerySet[User] = super().get_queryset(request)
        return users.prefetch_related("groups")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Let whoever is added log in: an account without that is refused as if its password were wrong."""
        return {"is_staff": True, **super().get_changeform_initial_data(request)}

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Keep superusers the matter of superusers."""
        fixed: list[str] = [*super().get_readonly_fields(request, obj)]
        return fixed if getattr(request.user, "is_superuser", False) else [*fixed, "is_superuser"]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **more: Any) -> Any:  # noqa: ANN401
        """Show the groups as boxes to tick: there are three."""
        if db_field.name == "groups":
            more["widget"] = forms.CheckboxSelectMultiple()
            more["help_text"] = rights.WHAT_THEY_DO
        return super().formfield_for_manytomany(db_field, request, **more)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Say who may delete whom: nobody themselves. Making an account inactive is the gentler way."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.pk != request.user.pk)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer no deletion by the dozen."""
        offered: dict[str, Any] = super().get_actions(request)
        return {name: action for name, action in offered.items() if name != "delete_selected"}

    def has_reset_permission(self, request: HttpRequest) -> bool:
        """Say who may take a second factor off an account: whoever may change accounts."""
        return self.has_change_permission(request)

    @admin.display(description="Groups")
    def roles(self, user: User) -> str:
        """Return the groups, and whether all rights come without one."""
        names = [group.name for group in user.groups.all()]
        return ", ".join([*(["superuser"] if user.is_superuser else []), *names]) or "-"

    @admin.display(description="Second factor", boolean=True)
    def second_factor(self, user: User) -> bool:
        """Return whether the account has one."""
        return second_factor.is_set_up(user)

    @admin.action(description="Reset the second factor", permissions=["reset"])
    def reset_second_factor(self, request: HttpRequest, chosen: QuerySet[User]) -> TemplateResponse | None:
        """Take the second factor off the chosen accounts, once confirmed."""
        users = list(chosen.order_by("username")[: asking_first.MOST_AT_ONCE])
        if not asking_first.is_answered(request):
            return asking_first.page(
                self,
                request,
                action="reset_second_factor",
                title="Reset the second factor of these accounts?",
                sentence="Their app and backup codes stop working, here and at once. Whoever has to have a "
                "second factor sets it up anew at the next login, with the password alone: be sure that it "
                "is they who ask.",
                rows=[(user.pk, user.get_username()) for user in users],
            )
        for user in users:
            second_factor.remove(user)
            about = f"user {user.get_username()}"
            audit.record(request, AuditEvent.Kind.DEED, about, "second factor reset", at=timezone.now())
        self.message_user(request, f"{len(users)} reset.", messages.SUCCESS)
        return None
