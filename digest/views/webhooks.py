"""Where the provider posts what became of our mails. Anymail reads its dialect, `events` keep it."""

import structlog
from anymail.exceptions import AnymailError, AnymailWebhookValidationFailure
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.urls import resolve
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

log = structlog.get_logger(__name__)

#: Bytes of one post. The largest batches of events that providers send are below 1 MB.
LARGEST = 2 * 1024 * 1024
#: What Anymail's readers raise over a body that is not the provider's: data of any shape reaches them.
_JUNK = (
    AnymailError,
    ArithmeticError,
    AttributeError,
    ImproperlyConfigured,  # so says Anymail of another webhook's post
    LookupError,
    MultiPartParserError,
    RecursionError,
    SuspiciousOperation,
    TypeError,
    ValueError,
)


@csrf_exempt
@require_http_methods(["POST", "HEAD"])
def tracking(request: HttpRequest, provider: str) -> HttpResponseBase:
    """Take events of the provider that carries our mails, and of no other.

    Without WEBHOOK_SECRET nothing is taken: anybody could end subscriptions. The answer is 200 whatever the
    events name, 4xx for posts that are not the provider's, and 503 when they could not be stored: then the
    provider posts them again, and each is kept once.
    """
    if provider != settings.ANYMAIL_PROVIDER or not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        raise Http404("No provider posts here.")
    if _length(request) > LARGEST:
        return HttpResponse(status=413)
    view, _, arguments = resolve(f"/{provider}/tracking/", urlconf="anymail.urls")
    try:
        answer: HttpResponseBase = view(request, **arguments)
    except AnymailWebhookValidationFailure:
        log.warning("webhook_refused", provider=provider)
        return _refused(request)
    except _JUNK as error:
        log.warning("webhook_unreadable", provider=provider, fault=type(error).__name__)
        return HttpResponse(status=400)
    except (InterfaceError, OperationalError) as error:
        log.error("webhook_not_stored", provider=provider, fault=type(error).__name__)  # noqa: TRY400
        return HttpResponse(status=503)
    return answer


def _length(request: HttpRequest) -> int:
    said = request.META.get("CONTENT_LENGTH") or "0"
    return int(said) if said.isdigit() else 0


def _refused(request: HttpRequest) -> HttpResponse:
    """Ask for the secret (RFC 7617) where none came; a wrong one, or a wrong signature, is refused."""
    if "Authorization" in request.headers:
        return HttpResponse(status=403)
    return HttpResponse(status=401, headers={"WWW-Authenticate": 'Basic realm="webhooks"'})
