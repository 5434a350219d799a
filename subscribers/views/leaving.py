"""Leaving: one click, whatever happened since the mail was sent; or fewer mails, or a pause."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from subscribers import account_links, address_changes, lifecycle, links
from subscribers.addresses import masked
from subscribers.links import Claims, Purpose
from subscribers.models import Subscriber
from subscribers.views.guards import behind_a_token, path_of, see_other, trace_of
from subscribers.views.preferences import today_of

#: Days of the pauses that are offered in place of leaving.
PAUSES = {"14": "two weeks", "30": "a month"}


@behind_a_token(Purpose.UNSUBSCRIBE)
def unsubscribe(request: HttpRequest, claims: Claims) -> HttpResponse:
    """Show the button that ends the subscription; posted to, end it before answering (RFC 8058).

    A mail program posts `List-Unsubscribe=One-Click` without cookies and follows no redirect. The body is
    not read, so that no form of it can fail. Repeated, or for a reader erased since, the answer is the same.
    What else the page's own buttons can do stands in the query: this link never expires, so it shows no
    choices, and can do nothing but send less or send its reader a fresh link.
    """
    if address_changes.is_only_asked(claims.subject, claims.extra):
        return _refuse(request, claims)
    if request.method != "POST":
        return _page(request, claims)
    wanted = request.GET.get("do", "")
    if wanted == "account":
        account_links.mail_link(claims.subject, at=timezone.now())
        return render(request, "web/link_mailed.html")
    if wanted == "weekly" or (wanted == "pause" and request.GET.get("days") in PAUSES):
        return _send_less(request, claims)
    return _leave(request, claims)


def _leave(request: HttpRequest, claims: Claims) -> HttpResponse:
    by_hand = "page" in request.GET
    now = timezone.now()
    trace = trace_of(request, "unsubscribe page" if by_hand else "one-click")
    was_active = lifecycle.unsubscribe(claims.subject, at=now, trace=trace, mail=claims.extra)
    if by_hand and was_active:
        # Only who has ended a subscription this moment may take it back: this link is for ever.
        return see_other(path_of(links.undo_url(claims.subject, now)))
    return _gone(request) if by_hand else render(request, "web/unsubscribed.html")


def _send_less(request: HttpRequest, claims: Claims) -> HttpResponse:
    now, trace = timezone.now(), trace_of(request, "unsubscribe page")
    reader = Subscriber.objects.filter(public_id=claims.subject).first()
    if reader is None:
        return _gone(request)
    until = None
    try:
        if request.GET["do"] == "weekly":
            lifecycle.read_weekly(reader.public_id, at=now, trace=trace)
        else:
            until = today_of(reader, now) + timedelta(days=int(request.GET["days"]))
            until = max(until, reader.paused_until or until)
            lifecycle.pause(reader.public_id, until, at=now, trace=trace)
    except lifecycle.NotSubscribedError:
        return _gone(request)
    return render(request, "web/fewer.html", {"until": until})


def _refuse(request: HttpRequest, claims: Claims) -> HttpResponse:
    """Let the owner of an address that a reader wants to move to refuse it; the reader is none of theirs."""
    if request.method == "POST":
        address_changes.refuse(claims.subject, claims.extra)
        return render(request, "web/unsubscribed.html")
    return render(request, "web/unsubscribe.html")


def _page(request: HttpRequest, claims: Claims) -> HttpResponse:
    subscribed = [Subscriber.Status.ACTIVE, Subscriber.Status.PENDING]
    reader = Subscriber.objects.filter(public_id=claims.subject, status__in=subscribed).first()
    if reader is None:
        return _gone(request)
    page: dict[str, Any] = {"address": masked(reader.address)}
    if reader.status == Subscriber.Status.ACTIVE:
        page["pauses"] = PAUSES
        page["offer_weekly"] = reader.frequency != Subscriber.Frequency.WEEKLY
    return render(request, "web/unsubscribe.html", page)


def _gone(request: HttpRequest) -> HttpResponse:
    """Answer a person, not a mail program: who has left may ask for the link to their data."""
    return render(request, "web/unsubscribed.html", {"by_hand": True})
