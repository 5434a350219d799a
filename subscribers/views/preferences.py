"""The preference centre: all that a reader can choose, the pause, and the way to a fresh link."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from subscribers import account_links, click_consent, lifecycle, links
from subscribers.addresses import masked
from subscribers.forms import PauseForm, PreferencesForm
from subscribers.links import Claims, Purpose
from subscribers.models import Subscriber
from subscribers.views.guards import behind_a_token, path_of, trace_of
from subscribers.views.saying import just_saved, saved


@behind_a_token(Purpose.PREFERENCES)
def preferences(request: HttpRequest, claims: Claims) -> HttpResponse:
    """Show and save all that a reader can choose; the pause and the fresh link are forms of their own."""
    now = timezone.now()
    form = request.GET.get("form") if request.method == "POST" else None
    reader = Subscriber.objects.filter(public_id=claims.subject, status=Subscriber.Status.ACTIVE).first()
    if reader is None:
        if form == "account":
            account_links.mail_link(claims.subject, at=now)
            return saved(request, "account", now, place="account")
        return _nothing_to_choose(request)
    try:
        if request.method == "POST":
            return _act(request, reader, now, form or "choices")
    except lifecycle.NotSubscribedError:
        return _nothing_to_choose(request)
    return _choices_page(request, reader, PreferencesForm(reader), PauseForm(today_of(reader, now)))


def _nothing_to_choose(request: HttpRequest) -> HttpResponse:
    """Say so. Who has left may ask for the link to their data; who was erased is told the same."""
    page = {"mailed": just_saved(request) == "account"}
    return render(request, "web/no_choices.html", page, status=200 if page["mailed"] else 410)


def _act(request: HttpRequest, reader: Subscriber, now: datetime, pressed: str) -> HttpResponse:
    """Do what the button says and save the choices with it: all buttons of the page send all of it.

    A button of a page from before that sends no choices, and they stay.
    """
    today, sent = today_of(reader, now), request.POST
    choosing = pressed == "choices" or "frequency" in sent
    pausing = pressed == "pause" or bool(sent.get("until"))
    form = PreferencesForm(reader, sent if choosing else None)
    pause = PauseForm(today, sent if pausing else None)
    if (choosing and not form.is_valid()) or (pausing and not pause.is_valid()):
        return _choices_page(request, reader, form, pause)
    trace, done = trace_of(request, "preferences page"), []
    if choosing:
        lifecycle.change_preferences(reader.public_id, form.choices(), at=now, trace=trace)
        wanted = form.cleaned_data["count_clicks"]
        click_consent.choose(reader.public_id, wanted=wanted, at=now, trace=trace)
        done.append("choices")
    if pausing:
        lifecycle.pause(reader.public_id, pause.end(), at=now, trace=trace)
        done.append("pause")
    if pressed == "account":
        done.append(account_links.mail_link(reader.public_id, at=now))
    return saved(request, "+".join(done), now, place="" if pressed == "choices" else pressed)


def _choices_page(
    request: HttpRequest, reader: Subscriber, form: PreferencesForm, pause: PauseForm
) -> HttpResponse:
    paused = reader.paused_until is not None and reader.paused_until > pause.today
    page: dict[str, Any] = {
        "form": form,
        "pause": pause,
        "clicks_wording": click_consent.current_text(),
        "paused_until": reader.paused_until if paused else None,
        "bounced": paused and reader.paused_because == Subscriber.PauseReason.BOUNCES,
        "address": masked(reader.address),
        "saved": just_saved(request),
        "mailed_at": lambda: _local(reader, account_links.last_mailed(reader)),
        "unsubscribe": path_of(links.unsubscribe_url(reader.public_id)),
    }
    return render(request, "web/preferences.html", page, status=422 if form.errors or pause.errors else 200)


def _local(reader: Subscriber, moment: datetime | None) -> str:
    """Return the time of day of `moment` where the reader lives."""
    if moment is None:
        return ""
    try:
        return f"{moment.astimezone(ZoneInfo(reader.time_zone)):%H:%M}"
    except (ZoneInfoNotFoundError, ValueError):
        return f"{moment:%H:%M} UTC"


def today_of(reader: Subscriber, now: datetime) -> date:
    """Return the date at `now` where the reader lives; a zone unknown to this machine counts as UTC."""
    try:
        return now.astimezone(ZoneInfo(reader.time_zone)).date()
    except (ZoneInfoNotFoundError, ValueError):
        return now.date()
