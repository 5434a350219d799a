"""Find all that is known of an address. It is posted, so that it stands in no log, history or bookmark."""

import re
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from subscribers.addresses import AddressError, address_hash, normalise
from subscribers.models import ConsentEvent, Subscriber, Suppression

#: Events shown, newest first.
MOST_EVENTS = 20
_PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{22}")


class FindForm(forms.Form):
    """An exact address, or a reader's public id."""

    who = forms.CharField(
        label="Address or public id",
        max_length=320,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_who(self) -> str:
        """Return the address's hash, or the public id's reader's. Refuses what can be neither."""
        given: str = self.cleaned_data["who"].strip()
        if "@" not in given and _PUBLIC_ID.fullmatch(given):
            reader = Subscriber.objects.filter(public_id=given).first()
            if reader is None:
                raise forms.ValidationError("There is no reader with this public id.")
            return reader.address_hash
        try:
            return address_hash(normalise(given))
        except AddressError as error:
            raise forms.ValidationError(str(error)) from error


def page(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Return the form and, posted, what is known. Raises PermissionDenied for who may not see readers."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    form = FindForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": "Find a reader",
        "form": form,
    }
    if form.is_valid():
        context |= _known(form.cleaned_data["who"])
    return render(request, "admin/subscribers/find.html", context, status=422 if form.errors else 200)


def _known(hashed: str) -> dict[str, Any]:
    """Return the reader, the suppression and the newest events of the address with this hash."""
    events = ConsentEvent.objects.filter(address_hash=hashed).select_related("text").order_by("-pk")
    return {
        "asked": True,
        "reader": Subscriber.objects.filter(address_hash=hashed).first(),
        "listed": Suppression.objects.filter(address_hash=hashed).first(),
        "events": {
            "headers": ["When", "What", "By", "Wording"],
            "rows": [
                [f"{event.at:%Y-%m-%d %H:%M}", event.kind, event.source, event.text or "-"]
                for event in events[:MOST_EVENTS]
            ],
        },
    }
