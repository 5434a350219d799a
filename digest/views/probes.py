"""What machines ask: whether the process lives, whether all is well, and figures for Prometheus."""

import hmac

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from digest import health, metrics


@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """Answer: this process does. It asks nobody else."""
    return JsonResponse({"alive": True})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 where all is well, else 503; what is wrong is told to who has METRICS_TOKEN."""
    facts = health.facts()
    ready = not any(facts.values())
    told = {name: said or "ok" for name, said in facts.items()} if _known(request) else {}
    return JsonResponse({"ready": ready, **told}, status=200 if ready else 503)


@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Answer the figures to who has METRICS_TOKEN; without that setting there is no such page."""
    if not settings.METRICS_TOKEN:
        return HttpResponse(status=404)
    if not _known(request):
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    try:
        return HttpResponse(metrics.text(), content_type=CONTENT_TYPE_LATEST)
    except (DatabaseError, InterfaceError):
        return HttpResponse("# The database cannot be asked.\n", status=503, content_type="text/plain")


def _known(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    own = str(settings.METRICS_TOKEN).encode()
    return bool(own) and scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), own)
