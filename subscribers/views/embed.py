"""The sign-up form in a frame on somebody else's page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from subscribers.forms import SignupForm
from subscribers.views.framing import framable
from subscribers.views.guards import show_or_act


@csrf_exempt
@framable
@show_or_act
def embed(request: HttpRequest) -> HttpResponse:
    """Show the form alone, with the topics and words of the address, and take what is sent."""
    return render(request, "web/embed.html", {"signup_form": SignupForm()})


@framable
@require_safe
def embed_sent(request: HttpRequest) -> HttpResponse:
    """Say inside the frame that a mail is on its way, to everybody alike."""
    return render(request, "web/embed_sent.html")
