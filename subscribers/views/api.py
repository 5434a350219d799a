"""The door for programs: the sign-up form's own rules, in JSON.

No cookie is looked at and none is set, so there is nothing a forged request could borrow, and no CSRF token.
"""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from subscribers import stamps
from subscribers.addresses import LONGEST
from subscribers.consent import current_consent_text
from subscribers.forms import LinesField
from subscribers.models import Topic
from subscribers.views import json_wish
from subscribers.views.cross_site import for_named_sites, refused


@csrf_exempt
@for_named_sites("GET", "HEAD", "POST")
def subscribe(request: HttpRequest) -> HttpResponse:
    """Tell what a form needs, or take a wish to subscribe."""
    return _needs()


def _needs() -> JsonResponse:
    """Return what a form of one's own shows and sends back."""
    consent = current_consent_text()
    answer = JsonResponse(
        {
            "topics": list(Topic.objects.filter(active=True).values("slug", "name", "description")),
            "consent": {"version": consent.version, "wording": consent.wording},
            "stamp": stamps.make(consent.pk, at=timezone.now()),
            "limits": {
                "address": LONGEST,
                "words": LinesField.most_lines,
                "word": LinesField.longest_line,
                "body": json_wish.LONGEST_BODY,
            },
        }
    )
    answer["Cache-Control"] = "no-store"
    return answer
