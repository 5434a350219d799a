"""The suppression list: added to by typing an address, kept as a hash, taken off with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import DELETION, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from subscribers import audit, lifecycle
from subscribers.addresses import AddressError, address_hash, normalise
from subscribers.admin import asking_first
from subscribers.admin.base import DeskAdmin
from subscribers.models import AuditEvent, Suppression

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Suppression]
else:  # Django's ModelForm takes no parameter at run time
    _ModelForm = forms.ModelForm


class SuppressionForm(_ModelForm):
    """An address, typed once and not kept."""

    address = forms.CharField(
        max_length=320,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="Only its hash is stored.",
    )

    class Meta:
        model = Suppression
        fields = ["reason"]

    def clean_address(self) -> str:
        """Return the address's hash."""
        try:
            return address_hash(normalise(self.cleaned_data["address"]))
        except AddressError as error:
            raise forms.ValidationError(str(error)) from error


class WhyForm(forms.Form):
    """Why an address comes off the list."""

    why = forms.CharField(
        label="Why do they come off the list?",
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Kept in the log of the curators’ deeds. Please write no address.",
    )

    def clean_why(self) -> str:
        """Return the reason, which holds no address."""
        why: str = self.cleaned_data["why"]
        if "@" in why:
            raise forms.ValidationError("Please say it without an address: this log is kept for good.")
        return why


@admin.register(Suppression)
class SuppressionAdmin(DeskAdmin):
    """Rows are written by `lifecycle`, never edited."""

    form = SuppressionForm
    list_display = ["known_as", "reason", "source", "at"]
    list_filter = ["reason", "source", "at"]
    ordering = ["-pk"]
    list_before_template = "admin/subscribers/find_link.html"
    actions = ["lift"]

    def get_fields(self, _request: HttpRequest, obj: Suppression | None = None) -> list[str]:
        """Return what is typed for a new row, and what is shown of one that is there."""
        return ["address", "reason"] if obj is None else ["address_hash", "reason", "source", "at"]

    def has_change_permission(self, _request: HttpRequest, _obj: Suppression | None = None) -> bool:
        """A row is true or it is not there."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Suppression | None = None) -> bool:
        """Rows go by `lift`, which asks why."""
        return False

    def has_lift_permission(self, request: HttpRequest) -> bool:
        """Say who may take addresses off the list: whoever may delete rows of it."""
        return bool(request.user.has_perm("subscribers.delete_suppression"))

    @admin.display(description="Address, by hash")
    def known_as(self, row: Suppression) -> str:
        """Return the beginning of the hash."""
        return row.address_hash[:14]

    def save_model(
        self, _request: HttpRequest, obj: Suppression, form: SuppressionForm, _change: bool
    ) -> None:
        """Put the typed address on the list. One that is there already stays as it is, or gets worse."""
        hashed = form.cleaned_data["address"]
        lifecycle.suppress(hashed, Suppression.Reason(obj.reason), "admin", at=timezone.now())
        obj.pk = Suppression.objects.get(address_hash=hashed).pk
        obj.refresh_from_db()

    @admin.action(description="Take off the list", permissions=["lift"])
    def lift(self, request: HttpRequest, chosen: QuerySet[Suppression]) -> TemplateResponse | None:
        """Take the chosen addresses off the list, once a reason is given."""
        rows = list(chosen.order_by("pk")[: asking_first.MOST_AT_ONCE + 1])
        if len(rows) > asking_first.MOST_AT_ONCE:
            self.message_user(request, "Choose 100 rows at most. Nothing was done.", messages.ERROR)
            return None
        form = WhyForm(request.POST if asking_first.is_answered(request) else None)
        if not form.is_valid():
            return self._ask(request, rows, form)
        for row in rows:
            lifecycle.lift(row.address_hash, at=timezone.now())
            self._log(request, row, form.cleaned_data["why"])
        self.message_user(request, f"{len(rows)} taken off the list.", messages.SUCCESS)
        return None

    def _ask(self, request: HttpRequest, rows: list[Suppression], form: WhyForm) -> TemplateResponse:
        return asking_first.page(
            self,
            request,
            action="lift",
            title="Take these addresses off the suppression list?",
            sentence="They may be mailed again once their owners have signed up and confirmed anew.",
            rows=[(row.pk, f"{row.address_hash[:14]}, {row.reason} by {row.source}") for row in rows],
            form=form,
        )

    def _log(self, request: HttpRequest, row: Suppression, why: str) -> None:
        user: Any = request.user
        about = f"suppression {row.address_hash[:14]}"
        audit.record(request, AuditEvent.Kind.DEED, about, f"taken off the list: {why}", at=timezone.now())
        LogEntry.objects.log_actions(
            user.pk, [row], action_flag=DELETION, change_message=why, single_object=True
        )
