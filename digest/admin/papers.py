"""Papers: found by id or words, with all that is known of each. Sources alone change them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from digest import finding_papers
from digest.admin.filters import CategoryFilter, TopicFilter, WithdrawnFilter
from digest.models import Paper
from digest.rendering import opening, wording
from subscribers.admin.read_only import ReadOnlyAdmin

TITLE, NAMES = 300, 1_000


@admin.register(Paper)
class PaperAdmin(ReadOnlyAdmin):
    """The papers, newest first."""

    list_display = ["named", "identity", "primary_category", "featured", "upvotes", "withdrawn"]
    list_filter = [TopicFilter, CategoryFilter, WithdrawnFilter, "stored_at"]
    search_fields = ["identity"]
    search_help_text = "arXiv id, or words of the title"
    sortable_by = ()
    ordering = ["-pk"]
    fieldsets = [
        (None, {"fields": ["named", "at_the_source", "by", "withdrawn"]}),
        ("What it says", {"fields": ["abstract", "summary"]}),
        ("Where it belongs", {"fields": ["filed", "belongs_to", "appeared", "editions"]}),
        ("Signals, as last heard", {"fields": ["upvotes", "comments", "stars", "version", "stored_at"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Paper]:
        """Fetch the days it was featured along, for a whole page at once."""
        rows: QuerySet[Paper] = super().get_queryset(request)
        return rows.defer("authors", "code_url", "thumbnail_url").prefetch_related("appearances")

    def get_search_results(
        self, _request: HttpRequest, queryset: QuerySet[Paper], search_term: str
    ) -> tuple[QuerySet[Paper], bool]:
        """Find by an index; a paper is found once."""
        return finding_papers.found(queryset, search_term) if search_term else queryset, False

    @admin.display(description="Paper")
    def named(self, paper: Paper) -> str:
        """Return the title in one readable line."""
        return wording.plain(paper.title, TITLE) or "Untitled"

    @admin.display(description="Featured")
    def featured(self, paper: Paper) -> str:
        """Return where and when it appeared, the first day first."""
        rows = sorted(paper.appearances.all(), key=lambda row: (row.day, row.source))
        return ", ".join(f"{opening.NAMES.get(row.source, row.source)} {row.day}" for row in rows)

    @admin.display(description="Withdrawn")
    def withdrawn(self, paper: Paper) -> str:
        """Return since when."""
        return f"{paper.withdrawn_at:%Y-%m-%d}" if paper.withdrawn_at else "no"

    @admin.display(description="Read it")
    def at_the_source(self, paper: Paper) -> str:
        """Return a link to the source."""
        where = paper.abstract_url
        if not where.startswith(("https://", "http://")):
            return paper.identity
        return format_html('<a class="underline" href="{}" rel="noreferrer">{}</a>', where, where)

    @admin.display(description="Authors")
    def by(self, paper: Paper) -> str:
        """Return the names in order."""
        return wording.plain(", ".join(map(str, paper.authors)), NAMES) or "not told"

    @admin.display(description="Categories")
    def filed(self, paper: Paper) -> str:
        """Return arXiv's categories, the primary one first."""
        return ", ".join(map(str, paper.categories)) or "none"

    @admin.display(description="Topics")
    def belongs_to(self, paper: Paper) -> SafeString | str:
        """Return its topics, each a link."""
        topics = paper.topics.order_by("name").values_list("pk", "name")
        return _links("admin:subscribers_topic_change", topics) or "none"

    @admin.display(description="Appeared")
    def appeared(self, paper: Paper) -> str:
        """Return where and when it appeared."""
        return self.featured(paper) or "nowhere yet"

    @admin.display(description="In the editions of")
    def editions(self, paper: Paper) -> SafeString | str:
        """Return the editions it is a candidate of, each a link."""
        rows = paper.candidacies.order_by("-edition__day").values_list("edition_id", "edition__day")
        return _links("admin:digest_edition_change", rows) or "none"


def _links(name: str, rows: Any) -> SafeString:  # noqa: ANN401 - pairs of key and label
    """Return a line of links to the admin pages `name` of (key, label)."""
    pages = ((reverse(name, args=[key]), label) for key, label in rows)
    return format_html_join(", ", '<a class="underline" href="{}">{}</a>', pages)
