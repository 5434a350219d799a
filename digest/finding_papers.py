"""Papers found by their arXiv id, wherever it was copied from, or by words of their title."""

import re

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db import connections
from django.db.models import Q, QuerySet

from digest.models import Paper

#: More words than a title has.
MOST_WORDS = 12
_ARXIV_ID = re.compile(r"(?:^|[/:\s])(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?(?:\.pdf)?/?$")
_WORD = re.compile(r"[^\W_]+")


def found(papers: QuerySet[Paper], text: str) -> QuerySet[Paper]:
    """Return those of `papers` that `text` names, or whose title has all of its words, beginnings counting.

    PostgreSQL finds words by the index `paper_title_words`, in English: "models" finds "model". SQLite, which
    serves small installations, has no such index and looks at every title.
    """
    text = text.strip().replace("\x00", "")
    if arxiv_id := _ARXIV_ID.search(text):
        return papers.filter(identity=arxiv_id[1])
    words = _WORD.findall(text)[:MOST_WORDS]
    if not words:
        return papers.filter(identity=text)
    if connections[papers.db].vendor == "postgresql":
        query = SearchQuery(" & ".join(f"{word}:*" for word in words), config="english", search_type="raw")
        return papers.annotate(words=SearchVector("title", config="english")).filter(
            Q(words=query) | Q(identity=text)
        )
    every = Q()
    for word in words:
        every &= Q(title__icontains=word)
    return papers.filter(every | Q(identity=text))
