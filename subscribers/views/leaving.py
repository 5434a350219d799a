"""Leaving: one click, whatever happened since the mail was sent."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from subscribers import lifecycle
from subscribers.addresses import masked
from subscribers.links import Claims, Purpose
from subscribers.models import Subscriber
from subscribers.views.guards import behind_a_token, trace_of


@behind_a_token(Purpose.UNSUBSCRIBE)
def unsubscribe(request: HttpRequest, claims: Claims) -> HttpResponse:
    """Show the button that ends the subscription; posted to, end it before answering (RFC 8058).

    A mail program posts `List-Unsubscribe=One-Click` without cookies and follows no redirect. The body is
    not read, so that no form of it can fail. Repeated, or for a reader erased since, the answer is the same.
    """
    if request.method == "POST":
        source = "unsubscribe page" if "page" in request.GET else "one-click"
        lifecycle.unsubscribe(claims.subject, at=timezone.now(), trace=trace_of(request, source))
        return render(request, "web/unsubscribed.html")
    subscribed = [Subscriber.Status.ACTIVE, Subscriber.Status.PENDING]
    reader = Subscriber.objects.filter(public_id=claims.subject, status__in=subscribed).first()
    if reader is None:
        return render(request, "web/unsubscribed.html")
    # No link to the preferences: this one never expires, and must not hand out what does.
    active = reader.status == Subscriber.Status.ACTIVE
    return render(request, "web/unsubscribe.html", {"address": masked(reader.address), "active": active})
