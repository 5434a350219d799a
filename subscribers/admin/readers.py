"""Readers: found by exact address or public id, shown, and three deeds that ask first."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from subscribers.addresses import masked
from subscribers.admin import asking_first, finding, spike
from subscribers.admin.deeds import DEEDS
from subscribers.admin.read_only import ReadOnlyAdmin
from subscribers.models import Subscriber

_CHOICES = ["frequency", "weekday", "send_minute", "time_zone", "size", "paused_until", "paused_because"]


@admin.register(Subscriber)
class SubscriberAdmin(ReadOnlyAdmin):
    """Addresses are masked in lists, and never part of a page's address: who looks for one posts it."""

    list_display = ["reader", "public_id", "status", "status_at", "frequency", "confirmed_at"]
    list_filter = ["status", "frequency"]
    sortable_by = ()
    ordering = ["-pk"]
    list_before_template = "admin/subscribers/find_link.html"
    change_form_outer_before_template = "admin/subscribers/reader_deeds.html"
    actions = ["unsubscribe", "suppress", "erase"]
    fieldsets = [
        (None, {"fields": ["address", "status", "status_at", "created_at", "confirmed_at", "public_id"]}),
        ("Chosen", {"fields": [*_CHOICES, "followed", "own_words"]}),
        ("Records", {"fields": ["log"]}),
    ]

    def get_urls(self) -> list[URLPattern]:
        """Add the page that finds a reader, and the one about a rush of sign-ups."""
        own = [
            path("find/", self.admin_site.admin_view(self.find), name="subscribers_subscriber_find"),
            path("spike/", self.admin_site.admin_view(spike.page), name="subscribers_spike"),
        ]
        return [*own, *super().get_urls()]

    def has_unsubscribe_permission(self, request: HttpRequest) -> bool:
        """Say who may unsubscribe and suppress: whoever may change readers."""
        return bool(request.user.has_perm("subscribers.change_subscriber"))

    def has_erase_permission(self, request: HttpRequest) -> bool:
        """Say who may erase: whoever may delete readers."""
        return bool(request.user.has_perm("subscribers.delete_subscriber"))

    def find(self, request: HttpRequest) -> HttpResponse:
        """Show what is known of an address or a public id."""
        return finding.page(self, request)

    @admin.display(description="Reader")
    def reader(self, reader: Subscriber) -> str:
        """Return the masked address."""
        return masked(reader.address)

    @admin.display(description="Topics")
    def followed(self, reader: Subscriber) -> str:
        """Return the topics, those they want more of marked."""
        chosen = reader.preferences.select_related("topic").order_by("topic__name")
        return ", ".join(f"{each.topic}{' (more)' if each.weight > 1 else ''}" for each in chosen) or "none"

    @admin.display(description="Own words")
    def own_words(self, reader: Subscriber) -> str:
        """Return their words, authors and exclusions."""
        return "; ".join(f"{each.kind}: {each.text}" for each in reader.interests.order_by("pk")) or "none"

    @admin.display(description="Consent log")
    def log(self, reader: Subscriber) -> str:
        """Return a link to the events of this reader."""
        events = reverse("admin:subscribers_consentevent_changelist")
        return format_html('<a href="{}?subscriber__id__exact={}">What they agreed to</a>', events, reader.pk)

    @admin.action(description="Unsubscribe", permissions=["unsubscribe"])
    def unsubscribe(self, request: HttpRequest, chosen: QuerySet[Subscriber]) -> TemplateResponse | None:
        """End the chosen readers' subscriptions, once confirmed."""
        return self._through(request, chosen, "unsubscribe")

    @admin.action(description="Never mail again", permissions=["unsubscribe"])
    def suppress(self, request: HttpRequest, chosen: QuerySet[Subscriber]) -> TemplateResponse | None:
        """Put the chosen readers' addresses on the suppression list, once confirmed."""
        return self._through(request, chosen, "suppress")

    @admin.action(description="Erase", permissions=["erase"])
    def erase(self, request: HttpRequest, chosen: QuerySet[Subscriber]) -> TemplateResponse | None:
        """Erase the chosen readers, once confirmed."""
        return self._through(request, chosen, "erase")

    def _through(
        self, request: HttpRequest, chosen: QuerySet[Subscriber], action: str
    ) -> TemplateResponse | None:
        deed, most = DEEDS[action], asking_first.MOST_AT_ONCE
        readers = list(chosen.order_by("pk")[: most + 1])
        if len(readers) > most:
            self.message_user(request, f"Choose {most} readers at most. Nothing was done.", messages.ERROR)
            return None
        if not asking_first.is_answered(request):
            rows = [(reader.pk, f"{masked(reader.address)}, {reader.status}") for reader in readers]
            return asking_first.page(
                self, request, action=action, title=deed.question, sentence=deed.sentence, rows=rows
            )
        for reader in readers:
            deed.act(reader, timezone.now())
            self.log_deed(request, reader, deed.past)
        done = f"{len(readers)} {'reader' if len(readers) == 1 else 'readers'} {deed.past}."
        self.message_user(request, done, messages.SUCCESS)
        return None
