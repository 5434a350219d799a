"""The gate before the desk: who needs a second factor sets it up first, who has one gives its code first."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponse, HttpResponseBase
from django.urls import reverse

from digest.access import second_factor
from digest.access.guards import DESK
from digest.rights import needs_second_factor

#: What is open before the gate: the way in, the way out, and the pages of the second factor itself.
_BEFORE = ("admin:login", "admin:logout")
SET_UP, CODE = "admin:two_factor_set_up", "admin:two_factor_code"


class GateMiddleware:
    """Stands behind the login and before every page of the desk, whatever the page itself asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Let the request through, or lead to what has to come first."""
        if settings.ADMIN_TWO_FACTOR and request.path_info.startswith(DESK):
            first = _first(request)
            if first is not None:
                return _lead(request, reverse(first))
        return self.get_response(request)


def missing(user: User) -> str | None:
    """Return the name of the page that `user`, who gave no code in this session, has to pass, if any."""
    if second_factor.is_set_up(user):
        return CODE
    return SET_UP if needs_second_factor(user) else None


def _first(request: HttpRequest) -> str | None:
    user = request.user
    if not isinstance(user, User) or not user.is_staff or getattr(user, "otp_device", None) is not None:
        return None
    if request.path_info in map(reverse, _BEFORE):
        return None
    first = missing(user)
    return first if first is not None and request.path_info != reverse(first) else None


def _lead(request: HttpRequest, where: str) -> HttpResponse:
    """Redirect there, and back afterwards; htmx, which would put the page into a corner, is told to go."""
    if request.method == "GET" and request.path_info != reverse("admin:index"):
        where = f"{where}?{urlencode({'next': request.get_full_path()})}"
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=403, headers={"HX-Redirect": where})
    return HttpResponseRedirect(where)
