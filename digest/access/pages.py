"""The pages of the second factor: how it stands, set up, give a code, new backup codes, turn off."""

from base64 import b32encode
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django_otp import login
from unfold.widgets import UnfoldAdminTextInputWidget

from digest.access import second_factor
from digest.access.guards import DESK
from digest.rights import needs_second_factor
from subscribers import audit
from subscribers.models import AuditEvent

_WRONG = "This code is wrong. Codes change every 30 seconds: type the one that your app shows now."
_OLD = "This page stood open for too long. Scan the new picture, please."


class CodeInput(UnfoldAdminTextInputWidget):  # type: ignore[misc]  # Unfold ships no types
    """A field that is empty each time it is shown: a code that was wrong is not typed on from."""

    def format_value(self, _value: object) -> None:
        """Show nothing."""


class CodeForm(forms.Form):
    """Six digits, or a code on paper."""

    code = forms.CharField(
        label="Code",
        max_length=20,
        widget=CodeInput(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "none",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
        error_messages={"required": "Please type the code."},
    )


def state(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show whether one's account has a second factor, and what can be done about it."""
    user = _user(request)
    return _shown(
        request,
        site,
        "state",
        "Two-factor login",
        off=not settings.ADMIN_TWO_FACTOR,
        has_one=second_factor.is_set_up(user),
        codes_left=second_factor.backup_codes_left(user),
        required=needs_second_factor(user),
    )


def set_up(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show a new secret; POST with a code made from it takes it into use and shows the backup codes, once."""
    if not settings.ADMIN_TWO_FACTOR:
        return HttpResponseRedirect(reverse("admin:two_factor"))
    user, form = _user(request), CodeForm(request.POST if request.method == "POST" else None)
    device = second_factor.opened(request.POST.get("offered", ""), user)
    if form.is_valid() and device is None:
        form.add_error("code", _OLD)
    elif form.is_valid() and device is not None:
        if codes := second_factor.confirm(device, form.cleaned_data["code"]):
            _open(request, device, "set up")
            return _codes(request, site, codes)
        form.add_error("code", _WRONG)
    offered = request.POST["offered"] if device else second_factor.offer(user)
    device = second_factor.opened(offered, user)
    assert device is not None  # noqa: S101 - it was made or opened just now
    more = {
        "form": form,
        "offered": offered,
        "picture": second_factor.picture(device),
        "secret": _in_fours(b32encode(device.bin_key).decode()),
        "required": needs_second_factor(user),
        "again": second_factor.is_set_up(user),
        "next": _next(request),
    }
    return _shown(request, site, "set_up", "Set up two-factor login", **more)


def code(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Ask for a code; the right one opens the desk for this session."""
    user, form = _user(request), CodeForm(request.POST if request.method == "POST" else None)
    if not second_factor.is_set_up(user):
        return HttpResponseRedirect(reverse("admin:two_factor"))
    if form.is_valid():
        try:
            device = second_factor.accept(user, form.cleaned_data["code"])
        except second_factor.TooSoonError as error:
            form.add_error("code", f"Too many wrong codes. Please wait {_wait(error.until)} and try again.")
        else:
            if device is not None:
                _open(request, device, "second factor" if device.name == "app" else "backup code")
                return HttpResponseRedirect(_next(request))
            _note(request, AuditEvent.Kind.LOGIN_FAILED, "wrong code")
            form.add_error("code", _WRONG)
    return _shown(request, site, "code", "One more step", form=form, next=_next(request))


def backup_codes(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Make new backup codes by POST and show them, once."""
    user = _user(request)
    if request.method != "POST" or not second_factor.is_set_up(user):
        return HttpResponseRedirect(reverse("admin:two_factor"))
    codes = second_factor.renew_backup_codes(user)
    _note(request, AuditEvent.Kind.CHANGED, "new backup codes")
    return _codes(request, site, codes)


def turn_off(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Ask, and by POST take the second factor off one's account. Raises PermissionDenied for who needs it."""
    user = _user(request)
    if needs_second_factor(user):
        raise PermissionDenied
    if not second_factor.is_set_up(user):
        return HttpResponseRedirect(reverse("admin:two_factor"))
    if request.method != "POST":
        return _shown(request, site, "off", "Turn off two-factor login?")
    second_factor.remove(user)
    _note(request, AuditEvent.Kind.CHANGED, "second factor turned off")
    return HttpResponseRedirect(reverse("admin:two_factor"))


def _user(request: HttpRequest) -> User:
    """Return who is logged in; the site's own guard has seen to it that somebody is."""
    user = request.user
    if not isinstance(user, User):
        raise PermissionDenied
    return user


def _open(request: HttpRequest, device: second_factor.Factor, how: str) -> None:
    """Note in the session that `device` opened it, under a new name for the session."""
    login(request, device)
    request.session.cycle_key()
    _note(request, AuditEvent.Kind.CHANGED if how == "set up" else AuditEvent.Kind.LOGIN, how)


def _note(request: HttpRequest, kind: AuditEvent.Kind, detail: str) -> None:
    about = f"second factor of {_user(request).get_username()}"
    audit.record(request, kind, about, detail, at=timezone.now())


def _codes(request: HttpRequest, site: AdminSite, codes: list[str]) -> HttpResponse:
    return _shown(request, site, "backup_codes", "Your backup codes", codes=codes, next=_next(request))


def _shown(request: HttpRequest, site: AdminSite, name: str, title: str, **more: Any) -> HttpResponse:  # noqa: ANN401
    context = {**site.each_context(request), "title": title, **more}
    wrong = isinstance(form := more.get("form"), forms.Form) and form.errors
    return render(request, f"admin/two_factor/{name}.html", context, status=422 if wrong else 200)


def _next(request: HttpRequest) -> str:
    """Return where the person was going: a page of the desk, else its first one."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = wanted.startswith(DESK) and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if ours else reverse("admin:index")


def _in_fours(secret: str) -> str:
    return " ".join(secret[place : place + 4] for place in range(0, len(secret), 4))


def _wait(until: datetime) -> str:
    seconds = max(1, round((until - timezone.now()).total_seconds()))
    if seconds >= 90:
        return f"{-(-seconds // 60)} minutes"
    return "a second" if seconds == 1 else f"{seconds} seconds"
