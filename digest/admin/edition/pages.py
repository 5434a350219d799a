"""What the pages of one edition share: who may open them, the edition, the header and its tabs."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from digest.curation import By
from digest.models import Edition

View = Callable[..., HttpResponseBase]
#: (name of its address, label, permission to open it), in the order of the work.
TABS = (
    ("admin:digest_edition_change", "Desk", "digest.view_edition"),
    ("admin:edition_preview", "Preview", "digest.view_edition"),
    ("admin:edition_sending", "Send", "digest.view_edition"),
    ("admin:edition_report", "Afterwards", "digest.view_edition"),
)


def of_an_edition(permission: str) -> Callable[[View], View]:
    """Let a view of (request, edition) be called with the edition's key, by who has `permission`.

    Raises PermissionDenied for others, and Http404 where there is no such edition. Nothing of it is cached.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, pk: int, **more: Any) -> HttpResponseBase:  # noqa: ANN401
            if not request.user.has_perm(permission):
                raise PermissionDenied
            edition = Edition.objects.filter(pk=pk).first()
            if edition is None:
                raise Http404("There is no such edition.")
            return view(request, edition, **more)

        return admin.site.admin_view(guarded)

    return decorate


def by(request: HttpRequest) -> By:
    """Return who decides."""
    return By(request.user.pk, request.user.get_username())


def number(text: str | None, otherwise: int = 0) -> int:
    """Return the whole number that a form or an address says; `otherwise` for what is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else otherwise


def context(request: HttpRequest, edition: Edition, tab: str, **more: object) -> dict[str, Any]:
    """Return what `admin/edition/base.html` shows: the header of `edition`, and the tabs with `tab` chosen.

    `tab` is the name of an address in TABS.
    """
    tabs = [
        {"label": label, "url": reverse(name, args=[edition.pk]), "chosen": name == tab}
        for name, label, permission in TABS
        if request.user.has_perm(permission)
    ]
    return {
        **admin.site.each_context(request),
        "opts": Edition._meta,
        "edition": edition,
        "edition_tabs": tabs,
        "title": f"Edition of {edition.day:%A} {edition.day.day} {edition.day:%B %Y}",
        **more,
    }
