"""What the door's pages share: signed links, where a wish came from, and the kind page for a dead link.

The pages behind a token set no cookie and need none: the link in the mail is the authority, so nothing a
forged cross-site request could borrow exists, and they are exempt from the CSRF check (whose Origin check
`no-referrer` would fail anyway).
"""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlsplit

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from subscribers import address_changes, links
from subscribers.consent import Trace
from subscribers.links import LinkError, Purpose
from subscribers.networks import client_address

log = structlog.get_logger(__name__)
View = Callable[..., HttpResponseBase]

#: What opens a reader's choices and data: a change of address voids the links of these in older mails.
_FOR_THE_OWNER = frozenset({Purpose.PREFERENCES, Purpose.ACCOUNT})
_GOOD_ONCE = frozenset({links.Fault.EXPIRED, links.Fault.MOVED})

show_or_act = require_http_methods(["GET", "HEAD", "POST"])
#: Bytes of a form that is open to anybody; everything typed to its limits, in four-byte letters, fits.
LARGEST_FORM = 256 * 1024


def bounded(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer 413 to a body of more than LARGEST_FORM bytes, unread: Django takes in files of any size."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_FORM:
            return render(request, "web/too_large.html", status=413)
        return view(request)

    return guarded


def behind_a_token(purpose: Purpose) -> Callable[[View], View]:
    """Let a view run with the `Claims` of a valid token of `purpose`, and keep its page to its reader.

    The answer is never stored, never indexed, and its address never leaks as a referrer. A token that opens
    nothing gets a small page: 410 for one that was good once, 400 for any other.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, token: str) -> HttpResponseBase:
            try:
                claims = _read(token, purpose)
            except LinkError as error:
                status = 410 if error.fault in _GOOD_ONCE else 400
                log.info("link refused", door=purpose.name.lower(), fault=error.fault)
                response: HttpResponseBase = closed(request, str(error), status)
            else:
                response = view(request, claims)
            response["Cache-Control"] = "no-store, private"
            response["Referrer-Policy"] = "no-referrer"
            response["X-Robots-Tag"] = "noindex, nofollow"
            # Django would log the path of every 4xx, and this path is a key to somebody's choices.
            response._has_been_logged = True  # type: ignore[attr-defined]
            return response

        guarded.purpose = purpose  # type: ignore[attr-defined]  # for whoever lists the doors
        return csrf_exempt(show_or_act(guarded))

    return decorate


def _read(token: str, purpose: Purpose) -> links.Claims:
    claims = links.read(token, purpose, timezone.now())
    if purpose in _FOR_THE_OWNER and address_changes.is_void(claims):
        raise LinkError(links.Fault.MOVED)
    return claims


def closed(request: HttpRequest, sentence: str, status: int) -> HttpResponse:
    """Return the small page for a link that opens nothing; `sentence` says why."""
    page = {"sentence": sentence, "signup": reverse("signup")}
    return render(request, "web/link_closed.html", page, status=status)


def see_other(path: str) -> HttpResponse:
    """Send the browser on by GET (RFC 9110 section 15.4.4), so that a reload repeats nothing."""
    return HttpResponseRedirect(path, status=303)


def path_of(url: str) -> str:
    """Return where `url` leads within this site: pages link to the host they were asked of."""
    return urlsplit(url).path


def trace_of(request: HttpRequest, source: str) -> Trace:
    """Return where the wish in `request` came from; `source` names the form or link."""
    agent = "".join(
        character for character in request.headers.get("User-Agent", "") if character.isprintable()
    )
    return Trace(source=source, network=client_address(request), user_agent=agent[:200])
