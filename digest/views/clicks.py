"""The counter that papers' links lead past, for readers who agreed to that: away at once to the paper."""

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.utils import timezone

from digest import clicks
from subscribers.links import Claims, Purpose
from subscribers.views.guards import behind_a_token, closed


@behind_a_token(Purpose.CLICK)
def follow(request: HttpRequest, claims: Claims) -> HttpResponse:
    """Lead on to the paper. The token holds no address: it names a link of a paper that we know.

    That a GET writes a row is the one departure from the tenth law; docs/architecture.md says why.
    """
    if request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET", "HEAD"])
    address = clicks.destination(claims)
    if not address:
        return closed(request, "This paper is not kept here any more.", 410)
    clicks.keep(claims, request.method, request.headers, at=timezone.now())
    return HttpResponseRedirect(address)
