"""Where the sending of an edition is seen and steered; its figures move by themselves."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import timezone

from digest.admin.edition import sending_deeds
from digest.admin.edition.pages import of_an_edition
from digest.admin.edition.sending_page import counted, show
from digest.admin.edition.sending_shown import shown
from digest.models import Edition


@of_an_edition("digest.view_edition")
def page(request: HttpRequest, edition: Edition) -> HttpResponseBase:
    """Show where the sending of an edition stands, and what can be done about it."""
    return show(request, edition)


@of_an_edition("digest.view_edition")
def figures(request: HttpRequest, edition: Edition) -> HttpResponseBase:
    """Answer the page's own asking: with the figures, or, the state having moved, to load it anew."""
    if request.GET.get("state") != edition.state:
        return HttpResponse(headers={"HX-Refresh": "true"})
    edition = counted(edition)
    more = shown(request, edition, timezone.now())
    return render(request, "admin/edition/sending_figures.html", {"edition": edition, **more})


urls: list[URLPattern] = [
    path("<int:pk>/sending/", page, name="edition_sending"),
    path("<int:pk>/sending/figures/", figures, name="edition_sending_figures"),
    *sending_deeds.urls,
]
