"""Editions: where they stand, and approve, pause, resume, cancel."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin

from digest import curation
from digest.delivery.balance import balance
from digest.editions import EditionError
from digest.models import Edition


@admin.register(Edition)
class EditionAdmin(ModelAdmin):  # type: ignore[misc]  # Unfold ships no types
    """A list of editions with their balance; states move through `curation` alone."""

    list_display = ["day", "state", "candidate_count", "account"]
    list_filter = ["state"]
    readonly_fields = [field.name for field in Edition._meta.fields if field.name != "note"]
    actions = ["approve", "pause", "resume", "cancel"]

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """Editions are opened by the clock."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Edition | None = None) -> bool:
        """An edition is the record of who got what."""
        return False

    def get_readonly_fields(self, _request: HttpRequest, obj: Edition | None = None) -> list[str]:
        """Fix the note, too, once the edition is on its way."""
        shapeable = obj is not None and obj.state in (*curation.SHAPEABLE, Edition.State.OPEN)
        return self.readonly_fields if shapeable else [*self.readonly_fields, "note"]

    def save_model(
        self, _request: HttpRequest, obj: Edition, form: ModelForm[Edition], _change: bool
    ) -> None:
        """Write the note, the one thing to edit here, as a curator's decision."""
        if "note" in form.changed_data:
            curation.annotate_edition(obj, obj.note)

    @admin.display(description="Balance")
    def account(self, edition: Edition) -> str:
        """Return the edition's account in one line."""
        return str(balance(edition))

    @admin.action(description="Approve: let it go out", permissions=["change"])
    def approve(self, request: HttpRequest, chosen: QuerySet[Edition]) -> None:
        """Approve the chosen editions."""
        self._each(request, chosen, lambda edition: curation.approve(edition, at=timezone.now()))

    @admin.action(description="Pause the sending", permissions=["change"])
    def pause(self, request: HttpRequest, chosen: QuerySet[Edition]) -> None:
        """Pause the chosen editions."""
        self._each(request, chosen, curation.pause)

    @admin.action(description="Resume the sending", permissions=["change"])
    def resume(self, request: HttpRequest, chosen: QuerySet[Edition]) -> None:
        """Resume the chosen editions."""
        self._each(request, chosen, curation.resume)

    @admin.action(description="Cancel for good", permissions=["change"])
    def cancel(self, request: HttpRequest, chosen: QuerySet[Edition]) -> None:
        """Cancel the chosen editions."""
        self._each(request, chosen, lambda edition: curation.cancel(edition, at=timezone.now()))

    def _each(
        self, request: HttpRequest, chosen: QuerySet[Edition], deed: Callable[[Edition], Edition]
    ) -> None:
        for edition in chosen:
            try:
                moved = deed(edition)
            except EditionError as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.message_user(request, f"The edition of {moved.day} is {moved.state}.", messages.SUCCESS)
