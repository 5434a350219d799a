"""Topics: what readers may follow, edited by curators who see beforehand which papers would belong."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import timezone

from digest.admin.topic_form import LinesField, TopicForm, followers
from digest.trying_topics import Definition, tried
from subscribers.admin.base import DeskAdmin
from subscribers.models import Topic

__all__ = ["LinesField", "TopicAdmin", "TopicForm"]
_DEFINING = ("categories", "include", "exclude")


@admin.register(Topic)
class TopicAdmin(DeskAdmin):
    """Topics. The next tick matches papers anew to the edited ones."""

    form = TopicForm
    list_display = ["name", "description", "active", "reader_count", "paper_count"]
    list_filter = ["active"]
    list_select_related = ["figures"]
    search_fields = ["name", "description"]
    change_form_after_template = "admin/topics/live.html"

    class Media:
        css = {"all": ["digest/admin/house.css", "digest/admin/topics.css"]}

    def get_urls(self) -> list[URLPattern]:
        """Add what a definition would match."""
        view = self.admin_site.admin_view(self.matches)
        own = [
            path("matches/", view, name="new_topic_matches"),
            path("<int:pk>/matches/", view, name="topic_matches"),
        ]
        return [*own, *super().get_urls()]

    def has_delete_permission(self, _request: HttpRequest, _obj: Topic | None = None) -> bool:
        """Readers follow it: a topic is made inactive, never deleted under them."""
        return False

    def get_fields(self, request: HttpRequest, obj: Topic | None = None) -> list[str]:
        """Say who follows it; ask whether it is meant where it would be taken from them."""
        fields = ["name", "slug", "description", *_DEFINING, "active"]
        if obj is None:
            return fields
        ends = request.method == "POST" and obj.active and not request.POST.get("active")
        return [*fields, *(["sure"] if ends else []), "followed_by"]

    def get_readonly_fields(self, _request: HttpRequest, obj: Topic | None = None) -> list[str]:
        """Keep the slug once readers follow: their links, and feeds, name it."""
        if obj is None:
            return []
        return ["followed_by", *(["slug"] if followers(obj) else [])]

    def get_prepopulated_fields(
        self, _request: HttpRequest, obj: Topic | None = None
    ) -> dict[str, list[str]]:
        """Make a new topic's slug from its name."""
        return {} if obj else {"slug": ["name"]}

    def matches(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """Show what the posted definition would match, beside the saved one's papers; nothing is written."""
        topic = Topic.objects.filter(pk=pk).first() if pk else None
        if pk and topic is None:
            raise Http404("There is no such topic.")
        if not (self.has_change_permission(request, topic) if pk else self.has_add_permission(request)):
            raise PermissionDenied
        saved = Definition(topic.categories, topic.include, topic.exclude) if topic else None
        return render(request, "admin/topics/matches.html", _matches(request, saved))

    @admin.display(description="Followed by")
    def followed_by(self, topic: Topic) -> str:
        """Return how many readers follow it."""
        return followers(topic) or "nobody yet"

    @admin.display(description="Readers")
    def reader_count(self, topic: Topic) -> object:
        """Return how many active readers follow it, as last counted."""
        return topic.figures.readers if hasattr(topic, "figures") else "not counted yet"

    @admin.display(description="Papers of 30 days")
    def paper_count(self, topic: Topic) -> object:
        """Return how many papers of late belong to it, as last counted."""
        return topic.figures.papers if hasattr(topic, "figures") else "not counted yet"


def _matches(request: HttpRequest, saved: Definition | None) -> dict[str, Any]:
    """Return what the list shows, or what is wrong with the lines as they are typed."""
    form = TopicForm(request.POST)
    form.is_valid()
    problems = [str(error) for name in _DEFINING for error in form.errors.get(name, [])]
    if problems:
        return {"problems": problems}
    given = Definition(*(form.cleaned_data[name] for name in _DEFINING))
    found = tried(given, saved, at=timezone.now())
    lists = [
        ("Gained", found.gained, found.gains, "pb-live-gained"),
        ("Lost", found.lost, found.losses, "pb-live-lost"),
        ("The newest that would belong", found.count, found.matched, ""),
    ]
    return {
        "tried": found,
        "known": saved is not None,
        "nothing_asked": not (given.categories or given.include),
        "lists": lists,
    }
