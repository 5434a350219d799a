"""Machines' questions are answered before anything else looks at the request."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from digest.views import probes

PROBES: dict[str, Callable[[HttpRequest], HttpResponseBase]] = {
    "/healthz": probes.healthz,
    "/readyz": probes.readyz,
    "/metrics": probes.metrics_page,
}


class ProbeMiddleware:
    """The first of all: monitors ask by address and without TLS, which ALLOWED_HOSTS and SECURE_SSL_REDIRECT
    refuse. No answer depends on the host, sets a cookie or is kept.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a probe, or let the request through."""
        probe = PROBES.get(request.path_info)
        if probe is None:
            return self.get_response(request)
        answer = probe(request)
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer
