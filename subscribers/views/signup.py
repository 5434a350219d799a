"""The front door: a wish to subscribe."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from subscribers import lifecycle
from subscribers.forms import SignupForm
from subscribers.views.guards import see_other, show_or_act, trace_of


@show_or_act
def signup(request: HttpRequest) -> HttpResponse:
    """Take a wish to subscribe. The answer is the same whatever the address's state."""
    form = SignupForm(request.POST or None)
    if request.method == "POST" and form.filled_by_a_program():
        return see_other(reverse("signup_sent"))
    if request.method == "POST" and form.is_valid():
        lifecycle.sign_up(
            form.cleaned_data["address"],
            form.cleaned_data["topics"],
            form.cleaned_data["words"],
            at=timezone.now(),
            trace=trace_of(request, "signup form"),
        )
        return see_other(reverse("signup_sent"))
    return render(request, "web/signup.html", {"signup_form": form}, status=422 if form.errors else 200)


@require_safe
def signup_sent(request: HttpRequest) -> HttpResponse:
    """Say that a mail is on its way, to everybody alike."""
    return render(request, "web/signup_sent.html")
