"""What is answered while the database is away, locked or full: a sentence and 503, on every page alike.

Browsers and providers that see 503 come again; a one-click unsubscribe that failed must not look done.
"""

import sys
from collections.abc import Callable

import structlog
from django.core.signals import got_request_exception
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string

from digest.delivery.persisting import OUTAGES

log = structlog.get_logger(__name__)

#: Seconds after which one may come again, told to programs (RFC 9110 section 10.2.3).
RETRY_AFTER = "60"


class OutageMiddleware:
    """The first of all: what middleware further in asks of the database may fail like any page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, with the page of an outage in place of Django's where middleware met one."""
        response = self.get_response(request)
        fault = getattr(request, "outage", None)
        return self.process_exception(request, fault) or response if fault else response

    def process_exception(self, _request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer for a view that met an outage; None for any other fault."""
        if not isinstance(exception, OUTAGES):
            return None
        # Its text may hold what was typed, and the path may be a key to somebody's choices.
        log.error("database_away", fault=type(exception).__name__, cause=type(exception.__cause__).__name__)
        # Made without the request: what pages know of it and its user stands in the database.
        response = HttpResponse(render_to_string("503.html"), status=503)
        response["Retry-After"] = RETRY_AFTER
        response["Cache-Control"] = "no-store, private"
        response["Referrer-Policy"] = "no-referrer"
        response._has_been_logged = True  # type: ignore[attr-defined]  # just now, without the path
        return response


@receiver(got_request_exception, dispatch_uid="digest.note_outage")
def note_outage(request: HttpRequest | None = None, **_: object) -> None:
    """Remember an outage that no view met, before Django makes its own page of it."""
    fault = sys.exception()
    if request is not None and isinstance(fault, OUTAGES):
        request.outage = fault  # type: ignore[attr-defined]
