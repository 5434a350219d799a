"""The sign-up form in a frame on somebody else's page: the front door's rules, answered inside the frame."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from subscribers import captcha
from subscribers.forms import SignupForm, prefilled
from subscribers.views.framing import framable
from subscribers.views.guards import see_other, show_or_act, trace_of
from subscribers.views.signup import take


@csrf_exempt
@framable
@show_or_act
@captcha.allowed
def embed(request: HttpRequest) -> HttpResponse:
    """Show the form alone, with the topics and words of the address, or take a wish to subscribe."""
    if request.method != "POST":
        return _page(request, prefilled(request.GET), 200)
    form = SignupForm(request.POST)
    if not form.is_valid():
        return _page(request, form, 422)
    refusal = take(form, trace_of(request, "embedded form"), at=timezone.now())
    if refusal is None or refusal.quiet:
        return see_other(reverse("embed_sent"))
    form.refuse(refusal)
    return _page(request, form, refusal.status)


@framable
@require_safe
def embed_sent(request: HttpRequest) -> HttpResponse:
    """Say inside the frame that a mail is on its way, to everybody alike."""
    return render(request, "web/embed_sent.html")


def _page(request: HttpRequest, form: SignupForm, status: int) -> HttpResponse:
    return render(request, "web/embed.html", {"signup_form": form}, status=status)
