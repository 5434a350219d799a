"""The link that confirms: GET shows a button, POST acts."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from subscribers import lifecycle, links
from subscribers.addresses import masked
from subscribers.consent import binding_of, text_asked_with
from subscribers.links import Claims, Purpose
from subscribers.models import Subscriber
from subscribers.views.guards import behind_a_token, closed, path_of, trace_of


@behind_a_token(Purpose.CONFIRM)
def confirm(request: HttpRequest, claims: Claims) -> HttpResponse:
    """Show the button that confirms; pressed, open the subscription."""
    trace = trace_of(request, "confirm link")
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


def _welcome(request: HttpRequest, claims: Claims) -> HttpResponse:
    page = {"preferences": path_of(links.preferences_url(claims.subject, timezone.now()))}
    return render(request, "web/confirmed.html", page)


def _used_up(request: HttpRequest) -> HttpResponse:
    return closed(request, "This link has been used, or a newer one took its place.", 410)
