"""Addresses that lead nowhere, answered by the house in development as in production."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import resolve
from django.views.decorators.csrf import csrf_exempt
from django.views.defaults import page_not_found


@csrf_exempt
def missing(request: HttpRequest) -> HttpResponse:
    """Lead on where only a slash is missing, else answer 404 with the house's page.

    Left to Django, a demo would show its yellow page for programmers: strangers meet the demo.
    """
    path = request.path_info
    if not path.endswith("/") and resolve(f"{path}/").func is not missing:
        return HttpResponsePermanentRedirect(request.get_full_path(force_append_slash=True))
    return page_not_found(request, Http404("There is no such page."))
