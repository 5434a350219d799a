"""Editions: where they stand. Each row leads to the edition's own pages, where it is shaped and sent."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, reverse
from django.utils.html import format_html

from digest import progress
from digest.admin.edition import desk, preview, report, sending
from digest.delivery import balance
from digest.models import Edition
from subscribers.admin.read_only import ReadOnlyAdmin


@admin.register(Edition)
class EditionAdmin(ReadOnlyAdmin):
    """A list of editions with their balance; all else happens on an edition's own pages."""

    list_display = ["edition_of", "state", "candidate_count", "account"]
    list_display_links = None
    list_filter = ["state"]
    list_select_related = ["figures"]
    ordering = ["-day"]

    def get_urls(self) -> list[URLPattern]:
        """Put the edition's own pages before Django's."""
        own = [*desk.urls, *preview.urls, *sending.urls, *report.urls]
        found: list[Any] = super().get_urls()
        return [*own, *found]

    def has_view_permission(self, request: HttpRequest, _obj: Edition | None = None) -> bool:
        """Say who may look: whoever may view editions."""
        return bool(request.user.has_perm("digest.view_edition"))

    @admin.display(description="Edition", ordering="day")
    def edition_of(self, edition: Edition) -> str:
        """Return the day, a link to the desk."""
        return format_html(
            '<a class="font-semibold underline" href="{}">{}</a>',
            reverse("admin:digest_edition_change", args=[edition.pk]),
            f"{edition.day:%a} {edition.day.day} {edition.day:%b %Y}",
        )

    @admin.display(description="Balance")
    def account(self, edition: Edition) -> str:
        """Return the edition's account in one line, as it was last counted."""
        figures = progress.figures(edition)
        return str(balance.kept(figures)) if figures else "nobody is enrolled yet"
