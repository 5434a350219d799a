"""The sign-up form in a frame on somebody else's page: the front door's rules, answered inside the frame."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from subscribers import captcha
from subscribers.views.framing import framable
from subscribers.views.guards import bounded, show_or_act
from subscribers.views.signup import show_or_take


@csrf_exempt
@framable
@show_or_act
@bounded
@captcha.allowed
def embed(request: HttpRequest) -> HttpResponse:
    """Show the form alone, with the topics and words of the address, or take a wish to subscribe."""
    return show_or_take(request, "web/embed.html", source="embedded form", sent="embed_sent")


@framable
@require_safe
def embed_sent(request: HttpRequest) -> HttpResponse:
    """Say inside the frame that a mail is on its way, to everybody alike."""
    return render(request, "web/embed_sent.html")
