"""The front door: a wish to subscribe. What is known of the address, nobody asks here."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from subscribers import admission, captcha, signups
from subscribers.admission import Refusal
from subscribers.consent import Trace
from subscribers.forms import SignupForm, prefilled
from subscribers.views.guards import bounded, see_other, show_or_act, trace_of

#: Seconds after which somebody refused by a limit may come again, told to programs (RFC 9110 section 10.2.3).
RETRY_AFTER = "3600"


@csrf_exempt
@show_or_act
@bounded
@captcha.allowed
def signup(request: HttpRequest) -> HttpResponse:
    """Show the form, or take a wish to subscribe.

    Forms on other sites may post here, so no CSRF token is asked for, and none is needed: see SignupForm. The
    answer to a wish is the same redirect whatever is known of the address, after the same statements.
    """
    return show_or_take(request, "web/signup.html", source="signup form", sent="signup_sent")


def show_or_take(request: HttpRequest, template: str, *, source: str, sent: str) -> HttpResponse:
    """Show the form on the page `template`, or take a wish that came from `source` and redirect to `sent`."""
    if request.method != "POST":
        return _page(request, template, prefilled(request.GET), 200)
    form = SignupForm(request.POST)
    if not form.is_valid():
        return _page(request, template, form, 422)
    refusal = take(form, trace_of(request, source), at=timezone.now())
    if refusal is None or refusal.quiet:
        return see_other(reverse(sent))
    form.refuse(refusal)
    return _page(request, template, form, refusal.status)


def take(form: SignupForm, trace: Trace, *, at: datetime) -> Refusal | None:
    """Write down the wish of a valid `form` if it is admitted, or return why it is not."""
    refusal = admission.admit(form.attempt(trace), at=at)
    if refusal is None:
        signups.receive(form.wish(trace), at=at)
    return refusal


@require_safe
def signup_sent(request: HttpRequest) -> HttpResponse:
    """Say that a mail is on its way, to everybody alike."""
    return render(request, "web/signup_sent.html")


def _page(request: HttpRequest, template: str, form: SignupForm, status: int) -> HttpResponse:
    response = render(request, template, {"signup_form": form}, status=status)
    if status == 429:
        response["Retry-After"] = RETRY_AFTER
    return response
