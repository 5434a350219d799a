"""A page to come."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import URLPattern, path

from digest.admin.edition.pages import context, of_an_edition
from digest.models import Edition


@of_an_edition("digest.view_edition")
def page(request: HttpRequest, edition: Edition) -> HttpResponseBase:
    """Show the page."""
    return render(request, "admin/edition/base.html", context(request, edition, "admin:edition_report"))


urls: list[URLPattern] = [path("<int:pk>/report/", page, name="edition_report")]
