"""Where the provider posts what became of our mails. Anymail reads its dialect, `events` keep it."""

import structlog
from anymail.exceptions import AnymailWebhookValidationFailure
from anymail.signals import AnymailTrackingEvent
from anymail.signals import tracking as told
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from digest.events import genuine, reading

log = structlog.get_logger(__name__)

#: Bytes of one post. The largest batches of events that providers send are below 1 MB.
LARGEST = 2 * 1024 * 1024
#: A database that is away. Whatever else fails with one event, the others count.
_AWAY = (InterfaceError, OperationalError)


@csrf_exempt
@require_http_methods(["POST", "HEAD"])
def tracking(request: HttpRequest, provider: str) -> HttpResponseBase:
    """Take events of the provider that carries our mails, and of no other.

    Without WEBHOOK_SECRET nothing is taken: anybody could end subscriptions. The answer is 200 as soon as one
    event of the post could be read, whatever the events name; 4xx for posts that are not the provider's, too
    long or of unknown length, or hold nothing readable; 503 when they could not be stored or looked at: then
    the provider posts them again, and each is kept once.
    """
    if not _is_awaited(provider):
        raise Http404("No provider posts here.")
    if request.method == "HEAD":  # some providers ask so whether anybody is there
        return HttpResponse()
    if (refusal := _measured(request.META.get("CONTENT_LENGTH") or "")) is not None:
        return refusal
    try:
        post = reading.read(provider, request, at=timezone.now())
    except AnymailWebhookValidationFailure:
        log.warning("webhook_refused", provider=provider)
        return _refused(request)
    except genuine.NotNowError as error:
        log.error("webhook_not_verified", provider=provider, fault=str(error))  # noqa: TRY400
        return HttpResponse(status=503)
    except Exception as error:  # noqa: BLE001 - data of any shape reaches Anymail's readers
        # Without a traceback: it would quote what was posted, and that holds addresses.
        log.warning("webhook_unreadable", provider=provider, fault=type(error).__name__)
        return HttpResponse(status=400)
    if post.faults:
        log.warning(
            "events_unreadable",
            provider=provider,
            faults=sorted(set(post.faults)),
            unreadable=len(post.faults),
            read=len(post.events),
        )
    return _kept(provider, post.events)


def _is_awaited(provider: str) -> bool:
    """Say whether `provider` carries our mails, and can prove that it posts."""
    if provider != settings.ANYMAIL_PROVIDER or not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        return False
    return provider != "amazon_ses" or bool(settings.SES_TOPIC_ARNS)


def _measured(length: str) -> HttpResponse | None:
    """Return the refusal of a body of that length, unread: too large, or nobody says how large (RFC 9110)."""
    if not (length.isascii() and length.isdigit()):
        return HttpResponse(status=411)
    return HttpResponse(status=413) if len(length) > 9 or int(length) > LARGEST else None


def _kept(provider: str, events: list[AnymailTrackingEvent]) -> HttpResponse:
    """Tell who listens of each event; the receiver that keeps them is among those."""
    for event in events:
        for _receiver, outcome in told.send_robust(sender=None, event=event, esp_name=provider):
            if isinstance(outcome, _AWAY):
                log.error("webhook_not_stored", provider=provider, fault=type(outcome).__name__)
                return HttpResponse(status=503)
    return HttpResponse()


def _refused(request: HttpRequest) -> HttpResponse:
    """Ask for the secret (RFC 7617) where none came; a wrong one, or a wrong signature, is refused."""
    if "Authorization" in request.headers:
        return HttpResponse(status=403)
    return HttpResponse(status=401, headers={"WWW-Authenticate": 'Basic realm="webhooks"'})
