"""Answers to pages of other sites: the Fetch standard's CORS protocol, for the origins the operator names.

No credentials are ever allowed: nothing behind these answers knows a cookie.
"""

from collections.abc import Callable
from functools import wraps

import structlog
from django.conf import settings
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_vary_headers
from django.utils.log import log_response

log = structlog.get_logger(__name__)

View = Callable[[HttpRequest], HttpResponse]

#: How long a browser may remember the answer to its question whether it may ask, in seconds.
REMEMBERED = "600"


def for_named_sites(*methods: str) -> Callable[[View], View]:
    """Let pages of the sites in EMBED_ORIGINS call a JSON view by `methods`; others get 403, or 405.

    A request without an Origin header comes from a program, not from somebody's page, and goes through.
    """
    allowed = ", ".join((*methods, "OPTIONS"))

    def decorate(view: View) -> View:
        @wraps(view)
        def answered(request: HttpRequest) -> HttpResponse:
            origin = request.headers.get("Origin")
            if origin is not None and origin not in settings.EMBED_ORIGINS:
                response: HttpResponse = refused("This site may not sign readers up here. Ask us first.", 403)
            elif request.method == "OPTIONS":
                response = _preflight(allowed)
            elif request.method not in methods:
                response = refused(f"Use one of {allowed}.", 405)
            else:
                response = _answer(view, request)
            if origin is not None and origin in settings.EMBED_ORIGINS:
                response["Access-Control-Allow-Origin"] = origin
                response["Access-Control-Expose-Headers"] = "Retry-After"
            if response.status_code in {204, 405}:
                response["Allow"] = allowed
            patch_vary_headers(response, ["Origin"])
            response["X-Robots-Tag"] = "noindex, nofollow"
            return response

        return answered

    return decorate


def refused(sentence: str, status: int) -> JsonResponse:
    """Return the answer for a request that is wrong as a whole, not in one of its fields."""
    return JsonResponse({"error": sentence}, status=status)


def _answer(view: View, request: HttpRequest) -> HttpResponse:
    """Return what `view` says, or in JSON too what went wrong; Django would answer with a page.

    A fault of ours is logged and reported to whoever listens (Sentry does) as Django itself does it.
    """
    try:
        return view(request)
    except (InterfaceError, OperationalError) as error:
        log.warning("database away", fault=type(error).__name__)  # the text may hold what was typed
        return refused("This cannot be taken just now. Please try again in a minute or two.", 503)
    except Exception as error:  # noqa: BLE001 - whatever it is, a program reads JSON
        got_request_exception.send(sender=None, request=request)
        answer = refused("Something is broken here, and we are told. Please try again later.", 500)
        log_response(
            "Internal Server Error: %s", request.path, response=answer, request=request, exception=error
        )
        return answer


def _preflight(allowed: str) -> HttpResponse:
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Methods"] = allowed
    response["Access-Control-Allow-Headers"] = "Content-Type"
    response["Access-Control-Max-Age"] = REMEMBERED
    return response
