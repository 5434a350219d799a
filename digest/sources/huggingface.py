"""Hugging Face Daily Papers: what the community put forward on a UTC day, with votes."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urljoin

import httpx
from django.conf import settings

from digest.sources import text
from digest.sources.base import BrokenEntryError, Page, PaperRecord, Skipped, SourceError
from digest.sources.fetching import Answer, Fetcher

NAME = "huggingface"
PAGE_SIZE = 100
MOST_PAGES = 50
_ARXIV_ID = re.compile(r"([0-9]{4}\.[0-9]{4,5}|[a-z-]+(?:\.[A-Z]{2})?/[0-9]{7})(?:v([0-9]{1,3}))?")
_MOST = 2**31 - 1
# A featured day further from the asked one than this is a fault of the data.
_NEAR = timedelta(days=31)


class HuggingFace:
    """A conversation with Hugging Face's API. Limits: 500 requests in five minutes from one address."""

    def __init__(self, fetcher: Fetcher | None = None) -> None:
        self._fetcher = fetcher or Fetcher(settings.HUGGINGFACE_URL)

    def categories(self) -> tuple[str, ...]:
        """One run for everything."""
        return ("",)

    def pages(self, category: str, day: date, *, at: datetime) -> Iterator[Page]:  # noqa: ARG002 - the contract's
        """Yield the pages of `day`, a UTC date; follows Link rel=next on the same host."""
        query = urlencode({"date": day.isoformat(), "p": 0, "limit": PAGE_SIZE})
        url: str | None = f"{self._fetcher.base}/api/daily_papers?{query}"
        for _page in range(MOST_PAGES):
            answer = self._fetcher.get(url or "")
            _refuse_error(answer)
            yield parse(answer.body, day)
            url = self._next(answer)
            if url is None:
                return
        raise SourceError(f"Hugging Face has more than {MOST_PAGES} pages for one day.")

    def _next(self, answer: Answer) -> str | None:
        links = httpx.Response(200, headers={"Link": answer.headers.get("link", "")}).links
        if "next" not in links:
            return None
        return urljoin(answer.url, links["next"].get("url", ""))  # the fetcher stays on its host

    def close(self) -> None:
        """Close the connection."""
        self._fetcher.close()


def _refuse_error(answer: Answer) -> None:
    if answer.status != 200:
        said = text.clean(answer.body[:500].decode("utf-8", "replace"), 120)
        raise SourceError(f"Hugging Face answered {answer.status}: {said or 'no reason given'}")


def parse(body: bytes, asked: date) -> Page:
    """Return the papers in `body`, the JSON array of `/api/daily_papers` for the date `asked`.

    Entries that cannot be read are in `skipped`. Raises SourceError where the whole is no such array.
    """
    entries, damaged = _entries(body)
    records: list[PaperRecord] = []
    skipped: list[Skipped] = []
    for entry in entries:
        try:
            records.append(_record(entry, asked, damaged=damaged))
        except BrokenEntryError as error:
            skipped.append(Skipped(_name(entry), str(error)))
    return Page(tuple(records), tuple(skipped))


def _entries(body: bytes) -> tuple[list[Any], bool]:
    """Return the entries, and whether some bytes were not UTF-8; those are U+FFFD then."""
    try:
        decoded, damaged = body.decode("utf-8-sig"), False
    except UnicodeDecodeError:
        decoded, damaged = body.decode("utf-8-sig", "replace"), True
    try:
        entries = json.loads(decoded)
    except (ValueError, RecursionError) as error:
        kind = "a web page or XML" if body.lstrip()[:1] == b"<" else "broken JSON"
        raise SourceError(f"Hugging Face answered with {kind} instead of a list of papers.") from error
    if not isinstance(entries, list):
        raise SourceError("Hugging Face answered with JSON that is no list of papers.")
    return entries, damaged


def _record(entry: object, asked: date, *, damaged: bool) -> PaperRecord:
    paper = entry.get("paper") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(paper, dict):
        raise BrokenEntryError("paper is missing")
    source_id = _source_id(paper.get("id"))
    arxiv = _ARXIV_ID.fullmatch(source_id)
    return PaperRecord(
        source=NAME,
        source_id=arxiv[1] if arxiv else source_id,
        arxiv_id=arxiv[1] if arxiv else None,
        version=int(arxiv[2] or 0) if arxiv else 0,
        title=text.required(paper.get("title"), "title", text.TITLE_LENGTH, damaged=damaged),
        abstract=text.required(paper.get("summary"), "abstract", text.ABSTRACT_LENGTH, damaged=damaged),
        authors=_authors(paper.get("authors"), damaged=damaged),
        categories=(),
        # The entry's own publishedAt is Eastern time marked as UTC: a different day.
        published_at=_published(paper.get("publishedAt")),
        updated_at=None,
        day=_featured(paper.get("submittedOnDailyAt"), asked),
        upvotes=_count(paper.get("upvotes")),
        comments=_count(entry.get("numComments")),
        stars=_count(paper.get("githubStars")),
        code_url=text.web_address(paper.get("githubRepo")),
        project_url=text.web_address(paper.get("projectPage")),
        thumbnail_url=text.web_address(entry.get("thumbnail")),
        summary=text.optional(paper.get("ai_summary"), text.SUMMARY_LENGTH),
        withdrawn=bool(paper.get("withdrawnAt")),
    )


def _source_id(value: object) -> str:
    if not isinstance(value, str):
        raise BrokenEntryError("id is missing" if value is None else "id is not text")
    if not re.fullmatch(r"[\x21-\x7e]{1,60}", value):
        raise BrokenEntryError("id is not a name")
    return value


def _authors(value: object, *, damaged: bool) -> tuple[str, ...]:
    """Return the names in order. Authors who had themselves hidden on the site stay hidden here."""
    if not isinstance(value, list):
        raise BrokenEntryError("authors are missing" if value is None else "authors are not a list")
    if not all(isinstance(author, dict) for author in value):
        raise BrokenEntryError("author is not an object")
    shown = (author for author in value if author.get("hidden") is not True)
    return tuple(text.author_name(author.get("name"), damaged=damaged) for author in shown)[
        : text.MOST_AUTHORS
    ]


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _published(value: object) -> datetime | None:
    moment = _moment(value)
    if moment is None and value is not None:
        raise BrokenEntryError("publishedAt is not a time")
    return moment


def _featured(value: object, asked: date) -> date:
    moment = _moment(value)
    return moment.date() if moment and abs(moment.date() - asked) <= _NEAR else asked


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST:
        return None
    return value


def _name(entry: object) -> str:
    paper = entry.get("paper") if isinstance(entry, dict) else None
    name = paper.get("id") if isinstance(paper, dict) else None
    return text.clean(name, 60) if isinstance(name, str) else "?"
