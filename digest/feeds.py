"""Feeds in three forms: RSS 2.0, Atom (RFC 4287) and JSON Feed 1.1. Pure: plain values in, bytes out.

Texts come as `wording.plain` leaves them, without the characters that XML 1.0 forbids; markup comes escaped.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.feedgenerator import Atom1Feed, Rss201rev2Feed, SyndicationFeed

#: When a feed without entries changed last: it never has.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to read: `key` is its name for ever, `html` what it says, `at` when it came out."""

    key: str
    title: str
    link: str
    html: str
    at: datetime
    authors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """Entries, the newest first, and whose they are; links are absolute."""

    key: str
    title: str
    description: str
    author: str
    link: str
    entries: Sequence[Entry]


class _Rss(Rss201rev2Feed):
    """RSS as Django writes it, but for an empty feed, which it would date now, and so anew each time."""

    def latest_post_date(self) -> datetime:
        return max((item["pubdate"] for item in self.items), default=NEVER)


class _Atom(Atom1Feed):
    """Atom in the same way."""

    def latest_post_date(self) -> datetime:
        return max((item["updateddate"] for item in self.items), default=NEVER)


def _xml(writer: type[SyndicationFeed], feed: Feed, address: str) -> bytes:
    written = writer(
        title=feed.title,
        link=feed.link,
        description=feed.description,
        language=LANGUAGE,
        author_name=feed.author,
        feed_url=address,
        feed_guid=feed.key,
    )
    for entry in feed.entries:
        written.add_item(
            title=entry.title,
            link=entry.link,
            description=entry.html,
            author_name=", ".join(entry.authors) or None,
            unique_id=entry.key,
            unique_id_is_permalink=False,
            pubdate=entry.at,
            updateddate=entry.at,
        )
    return written.writeString("utf-8").encode()


def rss(feed: Feed, address: str) -> bytes:
    """Return `feed` as RSS 2.0; `address` is where it is fetched."""
    return _xml(_Rss, feed, address)


def atom(feed: Feed, address: str) -> bytes:
    """Return `feed` as Atom; `address` is where it is fetched."""
    return _xml(_Atom, feed, address)


def json_feed(feed: Feed, address: str) -> bytes:
    """Return `feed` as JSON Feed 1.1 (jsonfeed.org/version/1.1); `address` is where it is fetched."""
    whole = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.link,
        "feed_url": address,
        "description": feed.description,
        "language": LANGUAGE,
        "authors": [{"name": feed.author}],
        "items": [
            {
                "id": entry.key,
                "url": entry.link,
                "title": entry.title,
                "content_html": entry.html,
                "date_published": _moment(entry.at),
                "date_modified": _moment(entry.at),
                **({"authors": [{"name": name} for name in entry.authors]} if entry.authors else {}),
            }
            for entry in feed.entries
        ],
    }
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def _moment(at: datetime) -> str:
    """Return `at` as RFC 3339 wants it, in UTC and whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


#: {ending of the address: (how it is written, its media type)}.
FORMS: Mapping[str, tuple[Callable[[Feed, str], bytes], str]] = {
    "rss": (rss, "application/rss+xml; charset=utf-8"),
    "atom": (atom, "application/atom+xml; charset=utf-8"),
    "json": (json_feed, "application/feed+json; charset=utf-8"),
}
