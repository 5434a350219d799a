"""The door for programs: the sign-up form's own rules, in JSON.

No cookie is looked at and none is set, so there is nothing a forged request could borrow, and no CSRF token.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from subscribers import admission, captcha, stamps
from subscribers.addresses import LONGEST
from subscribers.admission import Refusal
from subscribers.consent import current_consent_text
from subscribers.forms import LinesField, SignupForm
from subscribers.models import Topic
from subscribers.views import json_wish
from subscribers.views.cross_site import for_named_sites, refused
from subscribers.views.guards import trace_of
from subscribers.views.json_wish import UnreadableError, WrongFieldsError
from subscribers.views.signup import RETRY_AFTER, take

#: Which field a refusal is about; the others are about no field.
_FIELDS = {admission.ONCE_MORE: "stamp", admission.PUZZLE: "captcha"}
_SENT = "A mail is on its way. The first digest follows once the button in it has been pressed."


@csrf_exempt
@for_named_sites("GET", "HEAD", "POST")
def subscribe(request: HttpRequest) -> HttpResponse:
    """Tell what a form needs, or take a wish to subscribe: the same 202 whatever the address."""
    if request.method != "POST":
        return _needs()
    try:
        form = SignupForm(json_wish.read(request))
    except UnreadableError as error:
        return refused(str(error), error.status)
    except WrongFieldsError as error:
        return _mend(error.errors)
    if not form.is_valid():
        return _mend({name: [str(fault) for fault in faults] for name, faults in form.errors.items()})
    refusal = take(form, trace_of(request, "JSON endpoint"), at=timezone.now())
    if refusal is None or refusal.quiet:
        return JsonResponse({"status": "sent", "message": _SENT}, status=202)
    return _answer_to(refusal)


def _mend(errors: dict[str, list[str]]) -> JsonResponse:
    return JsonResponse({"errors": errors}, status=422)


def _answer_to(refusal: Refusal) -> JsonResponse:
    if refusal in _FIELDS:
        return _mend({_FIELDS[refusal]: [refusal.sentence]})
    answer = refused(refusal.sentence, refusal.status)
    if refusal.status == 429:
        answer["Retry-After"] = RETRY_AFTER
    return answer


def _needs() -> JsonResponse:
    """Return what a form of one's own shows and sends back."""
    consent = current_consent_text()
    puzzle = {"provider": settings.CAPTCHA, "site_key": settings.CAPTCHA_SITE_KEY}
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
            "captcha": puzzle if captcha.in_use() else None,
        }
    )
    answer["Cache-Control"] = "no-store"
    return answer
