"""Locks on the login after wrong passwords: what axes counts by, and what it answers."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Max
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.crypto import salted_hmac

from digest.access.guards import COOL_OFF, FAILURES
from subscribers.networks import client_address, neighbourhood


def name_to_count(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """Return the user name that failures are counted under, if there is such a user; else a hash.

    People type passwords and addresses into the wrong field, and axes keeps what it counts.
    """
    typed = str((credentials or request.POST).get("username") or "")
    if known_name(typed):
        return typed
    return f"nobody {salted_hmac('user name', typed, algorithm='sha256').hexdigest()[:16]}"


def place_to_count(request: HttpRequest) -> str | None:
    """Return the address that failures are counted by; of IPv6 the first one of its site.

    Whoever has one address of IPv6 has thousands to come from, and would have five tries from each.
    """
    address = client_address(request)
    return neighbourhood(address).partition("/")[0] if address and ":" in address else address


def known_name(typed: object) -> str:
    """Return what was typed if a user has that name; else nothing, for it may be a password or an address."""
    name = str(typed or "").replace("\0", "")
    return name if name and User.objects.filter(username=name).exists() else ""


def nobody_named(*_client: object) -> str:
    """Return what axes' lines in the log say of a client: neither name nor address."""
    return "a browser at the desk's login"


def page(
    request: HttpRequest, _response: HttpResponse | None, credentials: Mapping[str, Any]
) -> HttpResponse:
    """Return the page that says until when the login is locked."""
    now = timezone.now()
    until = locked_until(request, credentials) or now + COOL_OFF
    wait = max(until - now, timedelta(seconds=1))
    context = {
        **admin.site.each_context(request),
        "title": "Locked for now",
        "failures": FAILURES,
        "until": until,
        "minutes": -(-int(wait.total_seconds()) // 60),
    }
    response = render(request, "admin/locked.html", context, status=429)
    response["Retry-After"] = str(int(wait.total_seconds()))
    return response


def locked_until(request: HttpRequest, credentials: Mapping[str, Any]) -> datetime | None:
    """Return when the failures counted for this name and address are forgotten."""
    counted = AccessAttempt.objects.filter(
        username=name_to_count(request, credentials), ip_address=place_to_count(request)
    )
    newest: datetime | None = counted.aggregate(newest=Max("attempt_time"))["newest"]
    return newest + COOL_OFF if newest else None
