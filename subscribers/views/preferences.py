"""The preference centre: all that a reader can choose, and the pause."""

import re
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from subscribers import lifecycle, links
from subscribers.addresses import masked
from subscribers.forms import PauseForm, PreferencesForm
from subscribers.links import Claims, Purpose
from subscribers.models import Subscriber
from subscribers.views.guards import behind_a_token, closed, path_of, see_other, trace_of

#: How long a page goes on to say that something was saved: as long as it takes to arrive and be read.
SAVED_SECONDS = 10


@behind_a_token(Purpose.PREFERENCES)
def preferences(request: HttpRequest, claims: Claims) -> HttpResponse:
    """Show and save all that a reader can choose; the pause is a form of its own."""
    reader = Subscriber.objects.filter(public_id=claims.subject, status=Subscriber.Status.ACTIVE).first()
    if reader is None:
        return closed(request, "There is no subscription behind this link any more.", 410)
    now = timezone.now()
    try:
        if request.method == "POST" and request.GET.get("form") == "pause":
            return _pause(request, reader, now)
        if request.method == "POST":
            return _save(request, reader, now)
    except lifecycle.NotSubscribedError:
        return closed(request, "There is no subscription behind this link any more.", 410)
    return _choices_page(request, reader, PreferencesForm(reader), PauseForm(today_of(reader, now)))


def _save(request: HttpRequest, reader: Subscriber, now: datetime) -> HttpResponse:
    form = PreferencesForm(reader, request.POST)
    if not form.is_valid():
        return _choices_page(request, reader, form, PauseForm(today_of(reader, now)))
    lifecycle.change_preferences(
        reader.public_id, form.choices(), at=now, trace=trace_of(request, "preferences page")
    )
    return see_other(f"{request.path}?saved=choices&at={int(now.timestamp())}")


def _pause(request: HttpRequest, reader: Subscriber, now: datetime) -> HttpResponse:
    today = today_of(reader, now)
    form = PauseForm(today, request.POST)
    if not form.is_valid():
        return _choices_page(request, reader, PreferencesForm(reader), form)
    days, until = form.cleaned_data["days"], form.cleaned_data["until"]
    if days is not None:
        until = today + timedelta(days=days) if days else None
    lifecycle.pause(reader.public_id, until, at=now, trace=trace_of(request, "preferences page"))
    return see_other(f"{request.path}?saved=pause&at={int(now.timestamp())}#pause")


def _choices_page(
    request: HttpRequest, reader: Subscriber, form: PreferencesForm, pause: PauseForm
) -> HttpResponse:
    paused = reader.paused_until is not None and reader.paused_until > pause.today
    page: dict[str, Any] = {
        "form": form,
        "pause": pause,
        "paused_until": reader.paused_until if paused else None,
        "address": masked(reader.address),
        "saved": _just_saved(request),
        "unsubscribe": path_of(links.unsubscribe_url(reader.public_id)),
    }
    return render(request, "web/preferences.html", page, status=422 if form.errors or pause.errors else 200)


def _just_saved(request: HttpRequest) -> str:
    """Return which form was saved a moment ago; opened again later, the address does not say so any more."""
    at = request.GET.get("at", "")
    if request.method == "POST" or not re.fullmatch(r"[0-9]{1,12}", at):
        return ""
    fresh = abs(int(timezone.now().timestamp()) - int(at)) <= SAVED_SECONDS
    return request.GET.get("saved", "") if fresh else ""


def today_of(reader: Subscriber, now: datetime) -> date:
    return now.astimezone(ZoneInfo(reader.time_zone)).date()
