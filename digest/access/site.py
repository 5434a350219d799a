"""The desk: Unfold's admin site with the pages of the second factor, password changes in the audit log."""

from typing import Any

import redis
import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.sites import UnfoldAdminSite

from digest.access import pages
from subscribers import audit
from subscribers.models import AuditEvent

log = structlog.get_logger(__name__)


class DeskSite(UnfoldAdminSite):  # type: ignore[misc]  # Unfold ships no types
    """What `admin.site` is."""

    def get_urls(self) -> list[URLPattern]:
        """Put the pages of the second factor before Django's."""
        own = [
            path(where, self.admin_view(view, cacheable=False), {"site": self}, name=f"two_factor{name}")
            for where, view, name in (
                ("two-factor/", pages.state, ""),
                ("two-factor/set-up/", pages.set_up, "_set_up"),
                ("two-factor/code/", pages.code, "_code"),
                ("two-factor/backup-codes/", pages.backup_codes, "_backup_codes"),
                ("two-factor/off/", pages.turn_off, "_off"),
            )
        ]
        found: list[URLPattern] = super().get_urls()
        return [*own, *found]

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Return what the search finds. Unfold keeps that in the cache; without it a sentence says so."""
        try:
            found: HttpResponseBase = super().search(request, extra_context)
        except redis.RedisError as error:
            log.warning("search without the cache", fault=type(error).__name__)
            return render(request, "admin/search_away.html")
        except (InvalidPage, ValueError) as error:
            raise Http404("There is no such page of what was found.") from error
        return found

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Let people change their own password, and write that they did."""
        response: HttpResponseBase = super().password_change(request, extra_context)
        if request.method == "POST" and response.status_code == 302 and isinstance(request.user, User):
            about = f"user {request.user.get_username()}"
            audit.record(request, AuditEvent.Kind.CHANGED, about, "own password", at=timezone.now())
        return response

    def _get_account_links(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Return what stands in the menu under one's name."""
        links: list[dict[str, Any]] = super()._get_account_links(request)
        if isinstance(request.user, User) and request.user.has_usable_password():
            links.append({"title": "Change password", "link": reverse("admin:password_change")})
        if settings.ADMIN_TWO_FACTOR:
            links.append({"title": "Two-factor login", "link": reverse("admin:two_factor")})
        return links
