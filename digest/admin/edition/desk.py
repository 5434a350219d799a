"""The desk of one edition: its papers by trend, searched and filtered; where it is shaped."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import URLPattern, path

from digest.admin.edition import board, deeds, rows, words
from digest.admin.edition.pages import of_an_edition
from digest.models import Edition


@of_an_edition("digest.view_edition")
def page(request: HttpRequest, edition: Edition) -> HttpResponseBase:
    """Show the desk; to htmx, which has the page already, the papers alone."""
    return (
        board.part(request, edition) if request.headers.get("HX-Request") else board.shown(request, edition)
    )


@of_an_edition("digest.view_edition")
def looks(request: HttpRequest, edition: Edition) -> HttpResponseBase:
    """Show how a subject and a word would look. Posted, since they are long; nothing is stored."""
    given = request.POST
    titles = [row.title for row in rows.best(edition, words.SAMPLE)]
    content = words.looks(edition, given.get("subject", ""), given.get("word", ""), titles)
    return render(request, "admin/edition/desk_looks.html", content)


urls: list[URLPattern] = [
    path("<int:pk>/change/", page, name="digest_edition_change"),
    path("<int:pk>/decide/", deeds.decide, name="edition_decide"),
    path("<int:pk>/undo/", deeds.undo, name="edition_undo"),
    path("<int:pk>/add/", deeds.add, name="edition_add"),
    path("<int:pk>/words/", deeds.say, name="edition_words"),
    path("<int:pk>/words/looks/", looks, name="edition_looks"),
]
