"""The owner of a new address agrees that the digest comes there: GET shows a button, POST acts."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from subscribers import address_changes, links
from subscribers.addresses import masked
from subscribers.consent import MOVING
from subscribers.links import Claims, Purpose
from subscribers.models import Subscriber
from subscribers.views.guards import behind_a_token, closed, trace_of


@behind_a_token(Purpose.NEW_ADDRESS)
def new_address(request: HttpRequest, claims: Claims) -> HttpResponse:
    """Show the button that moves the subscription here; pressed, move it."""
    if request.method == "POST":
        now, trace = timezone.now(), trace_of(request, MOVING)
        if address_changes.agree(claims.subject, claims.extra, at=now, trace=trace):
            return render(request, "web/address_changed.html")
        return _used_up(request)
    reader = Subscriber.objects.filter(public_id=claims.subject, status=Subscriber.Status.ACTIVE).first()
    if reader is None:
        return _used_up(request)
    if links.address_binding(reader.address_hash) == claims.extra:
        return render(request, "web/address_changed.html")
    wish = address_changes.wish_of(reader, claims.extra)
    if wish is None:
        return _used_up(request)
    return render(request, "web/new_address.html", {"address": masked(wish.address)})


def _used_up(request: HttpRequest) -> HttpResponse:
    return closed(request, "This link has been used, or a newer one took its place.", 410)
