"""The door: sign up, confirm, choose, leave. GET and HEAD show, POST acts.

The pages behind a token set no cookie and need none: the link in the mail is the authority, so nothing a
forged cross-site request could borrow exists, and they are exempt from the CSRF check (whose Origin check
`no-referrer` would fail anyway).
"""

import ipaddress
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from subscribers import lifecycle, links
from subscribers.addresses import masked
from subscribers.consent import Trace, binding_of, text_asked_with
from subscribers.forms import PauseForm, PreferencesForm, SignupForm
from subscribers.links import Claims, LinkError, Purpose
from subscribers.models import Subscriber

log = structlog.get_logger(__name__)

#: How long a page goes on to say that something was saved: as long as it takes to arrive and be read.
SAVED_SECONDS = 10

_show_or_act = require_http_methods(["GET", "HEAD", "POST"])


def behind_a_token(purpose: Purpose) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Let a view run with the `Claims` of a valid token of `purpose`, and keep its page to its reader.

    The answer is never stored, never indexed, and its address never leaks as a referrer. A token that opens
    nothing gets a small page: 410 for one that was good once, 400 for any other.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, token: str) -> HttpResponse:
            try:
                claims = links.read(token, purpose, timezone.now())
            except LinkError as error:
                status = 410 if error.fault is links.Fault.EXPIRED else 400
                log.info("link refused", door=purpose.name.lower(), fault=error.fault)
                response = _closed(request, str(error), status)
            else:
                response = view(request, claims)
            response["Cache-Control"] = "no-store, private"
            response["Referrer-Policy"] = "no-referrer"
            response["X-Robots-Tag"] = "noindex, nofollow"
            # Django would log the path of every 4xx, and this path is a key to somebody's choices.
            response._has_been_logged = True  # type: ignore[attr-defined]
            return response

        return csrf_exempt(_show_or_act(guarded))

    return decorate


@_show_or_act
def signup(request: HttpRequest) -> HttpResponse:
    """Take a wish to subscribe. The answer is the same whatever the address's state."""
    form = SignupForm(request.POST or None)
    if request.method == "POST" and form.filled_by_a_program():
        return _see_other(reverse("signup_sent"))
    if request.method == "POST" and form.is_valid():
        lifecycle.sign_up(
            form.cleaned_data["address"],
            form.cleaned_data["topics"],
            form.cleaned_data["words"],
            at=timezone.now(),
            trace=_trace(request, "signup form"),
        )
        return _see_other(reverse("signup_sent"))
    return render(request, "web/signup.html", {"signup_form": form}, status=422 if form.errors else 200)


@require_safe
def signup_sent(request: HttpRequest) -> HttpResponse:
    """Say that a mail is on its way, to everybody alike."""
    return render(request, "web/signup_sent.html")


@behind_a_token(Purpose.CONFIRM)
def confirm(request: HttpRequest, claims: Claims) -> HttpResponse:
    """Show the button that confirms; pressed, open the subscription."""
    trace = _trace(request, "confirm link")
    if request.method == "POST":
        if not lifecycle.confirm(claims.subject, claims.extra, at=timezone.now(), trace=trace):
            return _used_up(request)
        return _welcome(request, claims)
    reader = Subscriber.objects.filter(public_id=claims.subject).first()
    if reader is not None and reader.status == Subscriber.Status.ACTIVE:
        return _welcome(request, claims)
    if reader is None or reader.status != Subscriber.Status.PENDING or binding_of(reader) != claims.extra:
        return _used_up(request)
    page = {"address": masked(reader.address), "wording": getattr(text_asked_with(reader), "wording", "")}
    return render(request, "web/confirm.html", page)


@behind_a_token(Purpose.PREFERENCES)
def preferences(request: HttpRequest, claims: Claims) -> HttpResponse:
    """Show and save all that a reader can choose; the pause is a form of its own."""
    reader = Subscriber.objects.filter(public_id=claims.subject, status=Subscriber.Status.ACTIVE).first()
    if reader is None:
        return _closed(request, "There is no subscription behind this link any more.", 410)
    now = timezone.now()
    try:
        if request.method == "POST" and request.GET.get("form") == "pause":
            return _pause(request, reader, now)
        if request.method == "POST":
            return _save(request, reader, now)
    except lifecycle.NotSubscribedError:
        return _closed(request, "There is no subscription behind this link any more.", 410)
    return _choices_page(request, reader, PreferencesForm(reader), PauseForm(_today(reader, now)))


@behind_a_token(Purpose.UNSUBSCRIBE)
def unsubscribe(request: HttpRequest, claims: Claims) -> HttpResponse:
    """Show the button that ends the subscription; posted to, end it before answering (RFC 8058).

    A mail program posts `List-Unsubscribe=One-Click` without cookies and follows no redirect. The body is
    not read, so that no form of it can fail. Repeated, or for a reader erased since, the answer is the same.
    """
    if request.method == "POST":
        source = "unsubscribe page" if "page" in request.GET else "one-click"
        lifecycle.unsubscribe(claims.subject, at=timezone.now(), trace=_trace(request, source))
        return render(request, "web/unsubscribed.html")
    subscribed = [Subscriber.Status.ACTIVE, Subscriber.Status.PENDING]
    reader = Subscriber.objects.filter(public_id=claims.subject, status__in=subscribed).first()
    if reader is None:
        return render(request, "web/unsubscribed.html")
    # No link to the preferences: this one never expires, and must not hand out what does.
    active = reader.status == Subscriber.Status.ACTIVE
    return render(request, "web/unsubscribe.html", {"address": masked(reader.address), "active": active})


def _save(request: HttpRequest, reader: Subscriber, now: datetime) -> HttpResponse:
    form = PreferencesForm(reader, request.POST)
    if not form.is_valid():
        return _choices_page(request, reader, form, PauseForm(_today(reader, now)))
    lifecycle.change_preferences(
        reader.public_id, form.choices(), at=now, trace=_trace(request, "preferences page")
    )
    return _see_other(f"{request.path}?saved=choices&at={int(now.timestamp())}")


def _pause(request: HttpRequest, reader: Subscriber, now: datetime) -> HttpResponse:
    today = _today(reader, now)
    form = PauseForm(today, request.POST)
    if not form.is_valid():
        return _choices_page(request, reader, PreferencesForm(reader), form)
    days, until = form.cleaned_data["days"], form.cleaned_data["until"]
    if days is not None:
        until = today + timedelta(days=days) if days else None
    lifecycle.pause(reader.public_id, until, at=now, trace=_trace(request, "preferences page"))
    return _see_other(f"{request.path}?saved=pause&at={int(now.timestamp())}#pause")


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
        "unsubscribe": _path(links.unsubscribe_url(reader.public_id)),
    }
    return render(request, "web/preferences.html", page, status=422 if form.errors or pause.errors else 200)


def _just_saved(request: HttpRequest) -> str:
    """Return which form was saved a moment ago; opened again later, the address does not say so any more."""
    at = request.GET.get("at", "")
    if request.method == "POST" or not re.fullmatch(r"[0-9]{1,12}", at):
        return ""
    fresh = abs(int(timezone.now().timestamp()) - int(at)) <= SAVED_SECONDS
    return request.GET.get("saved", "") if fresh else ""


def _welcome(request: HttpRequest, claims: Claims) -> HttpResponse:
    page = {"preferences": _path(links.preferences_url(claims.subject, timezone.now()))}
    return render(request, "web/confirmed.html", page)


def _used_up(request: HttpRequest) -> HttpResponse:
    return _closed(request, "This link has been used, or a newer one took its place.", 410)


def _closed(request: HttpRequest, sentence: str, status: int) -> HttpResponse:
    page = {"sentence": sentence, "signup": reverse("signup")}
    return render(request, "web/link_closed.html", page, status=status)


def _see_other(path: str) -> HttpResponse:
    """Send the browser on by GET (RFC 9110 section 15.4.4), so that a reload repeats nothing."""
    return HttpResponseRedirect(path, status=303)


def _path(url: str) -> str:
    """Return where `url` leads within this site: pages link to the host they were asked of."""
    return urlsplit(url).path


def _today(reader: Subscriber, now: datetime) -> date:
    return now.astimezone(ZoneInfo(reader.time_zone)).date()


def _trace(request: HttpRequest, source: str) -> Trace:
    agent = "".join(
        character for character in request.headers.get("User-Agent", "") if character.isprintable()
    )
    return Trace(source=source, network=_network(request.META.get("REMOTE_ADDR", "")), user_agent=agent[:200])


def _network(given: str) -> str | None:
    try:
        return str(ipaddress.ip_address(given))
    except ValueError:  # a Unix socket has no address
        return None
