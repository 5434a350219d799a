"""The link that confirms: GET shows a button, POST acts."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from subscribers import lifecycle, links
from subscribers.addresses import masked
from subscribers.consent import binding_of, text_asked_with
from subscribers.links import Claims, Purpose
from subscribers.models import Subscriber
from subscribers.views.guards import behind_a_token, closed, path_of, trace_of

#: How long a press on the button is answered with a welcome; later the subscription is an old one.
STILL_NEW = timedelta(minutes=10)


@behind_a_token(Purpose.CONFIRM)
def confirm(request: HttpRequest, claims: Claims) -> HttpResponse:
    """Show the button that confirms; pressed, open the subscription."""
    trace = trace_of(request, "confirm link")
    if request.method == "POST":
        if not lifecycle.confirm(claims.subject, claims.extra, at=timezone.now(), trace=trace):
            return _used_up(request)
        return _welcome(request, Subscriber.objects.get(public_id=claims.subject))
    reader = Subscriber.objects.filter(public_id=claims.subject).first()
    if reader is None or binding_of(reader) != claims.extra:
        return _used_up(request)
    if reader.status == Subscriber.Status.ACTIVE:
        return _welcome(request, reader)
    if reader.status != Subscriber.Status.PENDING:
        return _used_up(request)
    page = {"address": masked(reader.address), "wording": getattr(text_asked_with(reader), "wording", "")}
    return render(request, "web/confirm.html", page)


def _welcome(request: HttpRequest, reader: Subscriber) -> HttpResponse:
    now = timezone.now()
    page = {
        "preferences": path_of(links.preferences_url(reader.public_id, now)),
        "already": reader.confirmed_at is not None and now - reader.confirmed_at > STILL_NEW,
    }
    return render(request, "web/confirmed.html", page)


def _used_up(request: HttpRequest) -> HttpResponse:
    return closed(request, "This link has been used, or a newer one took its place.", 410)
