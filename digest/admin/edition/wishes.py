"""What of an edition's papers a curator wants to see: searched, filtered, so many pages of it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple
from urllib.parse import urlencode

from django.http import QueryDict

from digest.admin.edition.pages import number
from digest.models import Edition, Paper, PaperTopic
from digest.sources.arxiv_ids import arxiv_id
from digest.words import fold

#: Pages that a page made anew shows again; more are one press away.
MOST_PAGES = 20
LONGEST_SEARCH = 200
ONLY = {"pinned": "Pinned", "hidden": "Hidden", "noted": "With a note", "picture": "With a picture"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What of an edition's papers is asked for, as its address says; nonsense counts as nothing."""

    q: str = ""
    topic: int = 0
    source: str = ""
    only: str = ""
    pages: int = 1

    @classmethod
    def of(cls, query: QueryDict) -> "Wish":
        """Read the wish out of an address or a form."""
        return cls(
            q=" ".join(query.get("q", "").replace("\x00", "").split())[:LONGEST_SEARCH],
            topic=number(query.get("topic", "")),
            source=query.get("source", "")[:20],
            only=only if (only := query.get("only", "")) in ONLY else "",
            pages=min(max(number(query.get("pages", "")), 1), MOST_PAGES),
        )

    @property
    def narrows(self) -> bool:
        """Whether papers are left out."""
        return bool(self.q or self.topic or self.source or self.only)

    @property
    def query(self) -> str:
        """The wish as the query of an address, with its question mark; empty for everything."""
        parts = {"q": self.q, "topic": self.topic, "source": self.source, "only": self.only}
        said = {name: value for name, value in parts.items() if value}
        if self.pages > 1:
            said["pages"] = self.pages
        return f"?{urlencode(said)}" if said else ""

    @property
    def more(self) -> "Wish":
        """The same with one page more."""
        return replace(self, pages=self.pages + 1)


class Light(NamedTuple):
    """A candidate's order and marks, for all of an edition at once: models would take longer."""

    pk: int
    paper_id: int
    pin: int | None
    hidden: bool
    note: str
    sources: list[str]
    featured_on: date
    upvotes: int
    comments: int
    stars: int | None


def wanted(edition: Edition, ranked: Iterable[Light], wish: Wish) -> list[Light]:
    within = [
        ids
        for ids in (
            _matching(edition, wish.q) if wish.q else None,
            _of_topic(edition, wish.topic) if wish.topic else None,
            _with_picture(edition) if wish.only == "picture" else None,
        )
        if ids is not None
    ]
    return [
        one
        for one in ranked
        if _marked(one, wish.only)
        and (not wish.source or wish.source in one.sources)
        and all(one.paper_id in ids for ids in within)
    ]


def _marked(one: Light, only: str) -> bool:
    marks = {"pinned": one.pin is not None, "hidden": one.hidden, "noted": bool(one.note)}
    return marks.get(only, True)


def _matching(edition: Edition, q: str) -> set[int]:
    """Return the papers with every word of `q` in title or authors, whatever the accents; or the arXiv id."""
    papers = Paper.objects.filter(candidacies__edition=edition)
    name = arxiv_id(q)
    if name is not None:
        return set(papers.filter(arxiv_id=name).values_list("pk", flat=True))
    words = fold(q).split()
    found = papers.values_list("pk", "title", "authors", "identity")
    return {
        key
        for key, title, names, identity in found
        if all(
            word in text for text in [fold(" ".join([title, *map(str, names), identity]))] for word in words
        )
    }


def _of_topic(edition: Edition, topic: int) -> set[int]:
    rows = PaperTopic.objects.filter(topic_id=topic, paper__candidacies__edition=edition)
    return set(rows.values_list("paper_id", flat=True))


def _with_picture(edition: Edition) -> set[int]:
    papers = Paper.objects.filter(candidacies__edition=edition).exclude(thumbnail="")
    return set(papers.values_list("pk", flat=True))
