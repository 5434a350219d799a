"""Answers of the sources in their wire shape, with invented papers in them."""

import json
from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape

_ATOM = (
    'xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/"'
)


def featured(
    source_id: str = "2603.00001",
    /,
    *,
    entry: dict[str, Any] | None = None,
    **paper: Any,
) -> dict[str, Any]:
    """Return an entry of Daily Papers; `paper` and `entry` replace fields of the two levels."""
    told = {
        "id": source_id,
        "authors": [{"_id": "0", "name": "Ada Example", "hidden": False}, {"_id": "1", "name": "Ben Sample"}],
        "publishedAt": "2026-03-02T17:00:00.000Z",
        "title": f"Invented paper {source_id}",
        "summary": "We invent a question\nand answer it.",
        "upvotes": 7,
        "discussionId": "0",
        **paper,
    }
    level = {
        "paper": told,
        "publishedAt": "2026-03-02T12:00:00.000Z",
        "title": told["title"],
        "numComments": 2,
    }
    return {**level, **(entry or {})}


def daily_papers(*entries: object) -> bytes:
    """Return the body of `/api/daily_papers`."""
    return json.dumps(entries).encode()


def feed_entry(
    arxiv_id: str = "2603.00001",
    /,
    *,
    kind: str = "new",
    version: int = 1,
    day: str = "2026-03-04",
    title: str = "",
    abstract: str = "We invent a question and answer it.",
    categories: Iterable[str] = ("cs.CL",),
    creators: str = "Ada Example, Ben Sample",
) -> str:
    """Return an entry of arXiv's Atom feed."""
    name = f"{arxiv_id}v{version}"
    about = escape(f"arXiv:{name} Announce Type: {kind} \nAbstract: {abstract}")
    terms = "".join(f'<category term="{escape(term)}"/>' for term in categories)
    return (
        f"<entry><id>oai:arXiv.org:{name}</id><title>{escape(title or f'Invented paper {arxiv_id}')}</title>"
        f'<updated>{day}T05:00:06+00:00</updated><link href="https://arxiv.org/abs/{arxiv_id}"/>'
        f"<summary>{about}</summary>{terms}<published>{day}T00:00:00-05:00</published>"
        f"<arxiv:announce_type>{kind}</arxiv:announce_type><dc:creator>{escape(creators)}</dc:creator></entry>"
    )


def api_entry(
    arxiv_id: str = "2603.00001",
    /,
    *,
    version: int = 1,
    published: str = "2026-03-02T17:00:00Z",
    title: str = "",
    abstract: str = "We invent a question and answer it.",
    categories: Iterable[str] = ("cs.CL",),
    comment: str = "",
    authors: Iterable[str] = ("Ada Example", "Ben Sample"),
) -> str:
    """Return an entry of arXiv's search API."""
    terms = "".join(f'<category term="{escape(term)}"/>' for term in categories)
    primary = f'<arxiv:primary_category term="{escape(next(iter(categories)))}"/>'
    names = "".join(f"<author><name>{escape(name)}</name></author>" for name in authors)
    said = f"<arxiv:comment>{escape(comment)}</arxiv:comment>" if comment else ""
    return (
        f"<entry><id>http://arxiv.org/abs/{arxiv_id}v{version}</id>"
        f"<title>{escape(title or f'Invented paper {arxiv_id}')}</title><updated>{published}</updated>"
        f"<summary>{escape(abstract)}</summary>{terms}<published>{published}</published>{said}{primary}{names}</entry>"
    )


def atom(*entries: str, total: int | None = None, title: str = "cs.CL updates on arXiv.org") -> bytes:
    """Return an Atom feed; with `total` it is an answer of the search API."""
    count = "" if total is None else f"<opensearch:totalResults>{total}</opensearch:totalResults>"
    body = f"<feed {_ATOM}><title>{escape(title)}</title>{count}{''.join(entries)}</feed>"
    return f"<?xml version='1.0' encoding='UTF-8'?>\n{body}\n".encode()
