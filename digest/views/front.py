"""The front page: the newest edition, under one line and one form."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from digest.views import editions
from digest.views.public import public
from subscribers.forms import SignupForm


@public
def front(request: HttpRequest) -> HttpResponse:
    """Show the newest published edition that has papers, 30 a page, and the way in."""
    edition = editions.newest()
    context = editions.contents(edition, request.GET.get("page"), level=3) if edition else {}
    return render(request, "web/front.html", {**context, "signup_form": SignupForm()})
