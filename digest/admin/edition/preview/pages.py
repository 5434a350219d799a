"""The preview: whose mail, in which view; the mail itself stands in a frame of its own address."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from digest.admin.edition.pages import context, of_an_edition
from digest.admin.edition.preview import frame, whose
from digest.admin.edition.preview.forms import MixForm, MyAddressForm, ReaderForm, initial_of
from digest.dissecting import dissect
from digest.models import Edition
from digest.personas import PERSONAS
from subscribers import audit
from subscribers.addresses import AddressError, masked, normalise
from subscribers.models import AuditEvent

#: How a mail can be looked at, in the order of the tabs.
LOOKS = {
    "desktop": "Desktop",
    "phone": "Phone",
    "dark": "Dark",
    "no-pictures": "Images off",
    "text": "Plain text",
    "headers": "Headers",
}
#: Those in which the mail stands in a frame.
FRAMED = ("desktop", "phone", "dark", "no-pictures")
_UNSENT = """<!doctype html><html lang="en"><title>No mail</title><p>There is no mail to show."""


@of_an_edition("digest.view_edition")
@require_safe
def page(request: HttpRequest, edition: Edition) -> HttpResponse:
    """Show somebody's mail of the edition."""
    return shown(request, edition)


@of_an_edition("digest.view_edition")
@require_POST
def ask(request: HttpRequest, edition: Edition) -> HttpResponse:
    """Keep for whom the mail is to be shown, and show it."""
    if request.POST.get("as") == whose.READER:
        return _ask_for_reader(request, edition)
    form = MixForm(request.POST)
    if not form.is_valid():
        return shown(request, edition, {"mix_form": form})
    request.session[whose.MIX_KEY] = form.kept()
    return see(edition, whose.MIX, request)


def _ask_for_reader(request: HttpRequest, edition: Edition) -> HttpResponse:
    if not request.user.has_perm(whose.MAY_SEE_READERS):
        raise PermissionDenied
    form = ReaderForm(request.POST)
    if not form.is_valid():
        return shown(request, edition, {"reader_form": form})
    reader = form.cleaned_data["who"]
    audit.record(
        request, AuditEvent.Kind.DEED, str(edition), f"looked at the mail of {reader}", at=timezone.now()
    )
    request.session[whose.READER_KEY] = reader.public_id
    return see(edition, whose.READER, request)


@xframe_options_sameorigin
@of_an_edition("digest.view_edition")
@require_safe
def mail(request: HttpRequest, edition: Edition) -> HttpResponse:
    """Return the mail's HTML for the frame."""
    proof, _why = whose.proof_or_reason(request, edition, whose.asked(request), at=timezone.now())
    look = request.GET.get("look")
    html = _UNSENT if proof is None else str(proof.message.alternatives[0][0])
    return frame.locked_in(frame.framed(html, dark=look == "dark"), pictures=look != "no-pictures")


def see(edition: Edition, key: str, request: HttpRequest) -> HttpResponseRedirect:
    """Send the browser on to `key`'s mail, in the view it was looking at."""
    where = reverse("admin:edition_preview", args=[edition.pk])
    said = urlencode({"as": key, "look": look_of(request)})
    return HttpResponseRedirect(f"{where}?{said}", status=303)


def look_of(request: HttpRequest) -> str:
    """Return the view that is asked for."""
    look = request.POST.get("look") or request.GET.get("look", "")
    return look if look in LOOKS else "desktop"


def shown(request: HttpRequest, edition: Edition, forms: Mapping[str, Form] | None = None) -> HttpResponse:
    """Return the page; `forms` are those that were filled in wrongly."""
    asked = whose.asked(request)
    proof, problem = whose.proof_or_reason(request, edition, asked, at=timezone.now())
    mix = request.session.get(whose.MIX_KEY)
    more: dict[str, Any] = {
        "asked": asked,
        "problem": problem,
        "proof": proof,
        "dissected": dissect(proof.message) if proof else None,
        "look": look_of(request),
        "looks": LOOKS,
        "framed": look_of(request) in FRAMED,
        "personas": PERSONAS,
        "mix_form": MixForm(initial=initial_of(mix) if mix else None),
        "has_mix": mix is not None,
        "may_see_readers": request.user.has_perm(whose.MAY_SEE_READERS),
        "reader_form": ReaderForm(),
        "may_test": request.user.has_perm("digest.shape_edition"),
        "my_address": my_address(request),
        "address_form": MyAddressForm(),
        **(forms or {}),
    }
    page = context(request, edition, "admin:edition_preview", **more)
    return render(request, "admin/edition/preview.html", page, status=422 if forms else 200)


def my_address(request: HttpRequest) -> str:
    """Return the address of the account that is logged in, masked; empty where it has none to write to."""
    try:
        return masked(normalise(str(getattr(request.user, "email", "") or "")))
    except AddressError:
        return ""
