"""The contract between the sources of papers and the house: what a source gives, and how it fails."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol


class SourceError(Exception):
    """A source's answer, or its silence, that fails one run. Its text is a sentence for the receipt.

    `unreachable` says that nothing usable came at all, so that asking on at once would be pointless.
    """

    def __init__(self, sentence: str, *, unreachable: bool = False) -> None:
        super().__init__(sentence)
        self.unreachable = unreachable


class BrokenEntryError(ValueError):
    """One entry of a good answer that cannot be read. Its text is the reason the receipt counts."""


@dataclass(frozen=True, slots=True)
class PaperRecord:
    """A paper as one source tells it, in the house's own words. None and "" mean: the source says nothing.

    `version` is 0 where a source does not tell it. `day` is the day of the appearance; `appears` is False for
    news about a paper that is no appearance of its own (a replacement, a look-up by id).
    """

    source: str
    source_id: str
    arxiv_id: str | None
    version: int
    title: str
    abstract: str
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    published_at: datetime | None
    updated_at: datetime | None
    day: date
    upvotes: int | None = None
    comments: int | None = None
    stars: int | None = None
    code_url: str = ""
    project_url: str = ""
    thumbnail_url: str = ""
    summary: str = ""
    withdrawn: bool = False
    appears: bool = True

    @property
    def identity(self) -> str:
        """What all versions, cross-lists and sources of the work share."""
        return self.arxiv_id or f"{self.source}:{self.source_id}"


@dataclass(frozen=True, slots=True)
class Skipped:
    """An entry that could not be read: its id and categories as far as they can be told, and why."""

    source_id: str
    reason: str
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """What one answer held. `day` is the day it says it is of, where it says so."""

    records: tuple[PaperRecord, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """The days from `first` to `last`, both included."""

    first: date
    last: date

    def days(self) -> list[date]:
        """Every day of it, the earliest first."""
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]


class Source(Protocol):
    """One conversation with a source of papers; closed by its owner."""

    def categories(self) -> tuple[str, ...]:
        """What to ask for, one run each; ("",) where a source has no parts."""

    def pages(self, category: str, day: date, *, at: datetime) -> Iterator[Page]:
        """Yield what the source has for `day`, page by page; raises SourceError."""

    def close(self) -> None:
        """Let go of the connection."""
