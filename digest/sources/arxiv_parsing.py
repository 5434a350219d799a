"""arXiv's two dialects of Atom, feed and API, from bytes to records; pure."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from lxml import etree

from digest.sources import text
from digest.sources.announcements import EASTERN, announced_on
from digest.sources.base import BrokenEntryError, Page, PaperRecord, Skipped, SourceError
from digest.sources.taxonomy import canonical_all

NAME = "arxiv"
_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_CREATOR = "{http://purl.org/dc/elements/1.1/}creator"
_TOTAL = "{http://a9.com/-/spec/opensearch/1.1/}totalResults"
_ENTRY_ID = re.compile(
    r"(?:oai:arXiv\.org:|https?://arxiv\.org/abs/)"
    r"([0-9]{4}\.[0-9]{4,5}|[a-z-]+(?:\.[A-Z]{2})?/[0-9]{7})(?:v([0-9]{1,3}))?"
)
_ABOUT = re.compile(r"arXiv:\S+\s+Announce Type:\s*(\S+)\s+Abstract:\s*", re.IGNORECASE)
_WITHDRAWN = re.compile(
    r"\bthis (?:paper|article|manuscript|submission|work|preprint) (?:has been|was|is) "
    r"(?:temporarily )?withdrawn"
    r"|^(?:paper )?withdrawn\b",
    re.IGNORECASE,
)
_SUFFIX = re.compile(r"(?:Jr|Sr|II|III|IV)\.?")
# XML has no place for these characters, raw or by number; one of them must not cost a whole day's feed.
_BAD_BYTES = bytes.maketrans(bytes({*range(32)} - {9, 10, 13}), b" " * 29)
_BAD_NUMBERS = re.compile(rb"&#(?:0*(?:[0-8]|1[124-9]|2[0-9]|3[01])|[xX]0*(?:[0-8bBcCeEfF]|1[0-9a-fA-F]));")


@dataclass(frozen=True, slots=True)
class Found:
    """One slice of an API answer, and how many entries the whole has."""

    page: Page
    total: int


def parse_feed(body: bytes, asked: date) -> Page:
    """Return the papers of `body`, an Atom feed of one category; each bears the feed's own Eastern date.

    New papers and cross-lists appear; replacements bring a new text and no appearance.
    """
    root, damaged = _tree(body)
    page = _page(root, lambda entry: _feed_record(entry, asked, damaged=damaged))
    days = Counter(record.day for record in page.records).most_common(1)
    return replace(page, day=days[0][0] if days else None)


def parse_api(body: bytes, *, appears: bool) -> Found:
    """Return the papers of `body`, an answer of the search API; their day follows from the 14:00 cut-off."""
    root, damaged = _tree(body)
    total = _text(root, _TOTAL)
    page = _page(root, lambda entry: _api_record(entry, appears=appears, damaged=damaged))
    return Found(page, int(total[:9]) if total.isascii() and total.isdigit() else len(page.records))


def complaint(body: bytes) -> str:
    """Return what arXiv says in the body of an error, or the empty string."""
    try:
        root, _damaged = _tree(body)
    except SourceError:
        return (
            text.clean(body[:400].decode("utf-8", "replace"), 120)
            if not body.lstrip().startswith(b"<")
            else ""
        )
    said = root.findtext(f"{_ATOM}entry/{_ATOM}summary") or root.findtext(f"{_ATOM}subtitle") or ""
    return text.clean(said, 160)


def _tree(body: bytes) -> tuple[etree._Element, bool]:
    """Return the feed's root, and whether some bytes were not UTF-8 (then they are U+FFFD).

    Entities, DTD, network and huge trees are refused: nothing a feed says can read a file or fill the memory.
    """
    start = body[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise SourceError("arXiv answered with a web page instead of a feed.")
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise SourceError("arXiv's answer declares a document type, which a feed never does; it was refused.")
    body = _BAD_NUMBERS.sub(b" ", body.translate(_BAD_BYTES))
    try:
        body.decode("utf-8")
        damaged = False
    except UnicodeDecodeError:
        body, damaged = body.decode("utf-8", "replace").encode(), True
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, recover=False
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SourceError(f"arXiv's answer is broken XML: {text.clean(str(error), 120)}.") from error
    if root.getroottree().docinfo.internalDTD is not None or root.tag != f"{_ATOM}feed":
        raise SourceError("arXiv answered with XML that is no Atom feed.")
    return root, damaged


def _page(root: etree._Element, read: Callable[[etree._Element], PaperRecord]) -> Page:
    records: list[PaperRecord] = []
    skipped: list[Skipped] = []
    for entry in root.iterfind(f"{_ATOM}entry"):
        try:
            records.append(read(entry))
        except BrokenEntryError as error:
            name = text.clean(_text(entry, f"{_ATOM}id"), 60) or "?"
            skipped.append(Skipped(name, str(error), _categories(entry)))
    return Page(tuple(records), tuple(skipped))


def _feed_record(entry: etree._Element, asked: date, *, damaged: bool) -> PaperRecord:
    about = _text(entry, f"{_ATOM}summary")
    found = _ABOUT.match(about)
    kind = _text(entry, f"{_ARXIV}announce_type") or (found[1] if found else "")
    if kind not in {"new", "cross", "replace", "replace-cross"}:
        raise BrokenEntryError("announce type is unknown")
    published = _moment(_text(entry, f"{_ATOM}published"), "published")
    names = split_creators(_text(entry, _CREATOR))
    record = _record(entry, about[found.end() :] if found else about, names, damaged=damaged)
    day = published.astimezone(EASTERN).date() if published else asked
    return replace(record, day=day, appears=not kind.startswith("replace"))


def _api_record(entry: etree._Element, *, appears: bool, damaged: bool) -> PaperRecord:
    published = _moment(_text(entry, f"{_ATOM}published"), "published")
    if published is None:
        raise BrokenEntryError("published is missing")
    names = [_text(author, f"{_ATOM}name") for author in entry.iterfind(f"{_ATOM}author")]
    record = _record(entry, _text(entry, f"{_ATOM}summary"), names, damaged=damaged)
    updated = _moment(_text(entry, f"{_ATOM}updated"), "updated")
    return replace(
        record, published_at=published, updated_at=updated, day=announced_on(published), appears=appears
    )


def _record(entry: etree._Element, abstract: str, names: Iterable[str], *, damaged: bool) -> PaperRecord:
    """Return what both dialects tell alike; the day is the caller's to set."""
    arxiv_id, version = _identity(entry)
    cleaned = text.required(abstract, "abstract", text.ABSTRACT_LENGTH, damaged=damaged)
    authors = tuple(text.author_name(text.decode_tex(name), damaged=damaged) for name in names)
    if not authors:
        raise BrokenEntryError("authors are missing")
    comment = text.clean(_text(entry, f"{_ARXIV}comment"), 400)
    return PaperRecord(
        source=NAME,
        source_id=arxiv_id,
        arxiv_id=arxiv_id,
        version=version,
        title=text.required(_text(entry, f"{_ATOM}title"), "title", text.TITLE_LENGTH, damaged=damaged),
        abstract=cleaned,
        authors=authors[: text.MOST_AUTHORS],
        categories=_categories(entry),
        published_at=None,
        updated_at=None,
        day=date.min,
        withdrawn=bool(_WITHDRAWN.search(comment) or _WITHDRAWN.match(cleaned)),
    )


def _identity(entry: etree._Element) -> tuple[str, int]:
    found = _ENTRY_ID.fullmatch(_text(entry, f"{_ATOM}id").strip())
    if not found:
        raise BrokenEntryError("id is no arXiv id")
    return found[1], int(found[2] or 1)


def _categories(entry: etree._Element) -> tuple[str, ...]:
    """Return the canonical categories, the primary one first: the API marks it, feeds put it there."""
    primary = entry.find(f"{_ARXIV}primary_category")
    marked = [primary.get("term", "")] if primary is not None else []
    return canonical_all([*marked, *(tag.get("term", "") for tag in entry.iterfind(f"{_ATOM}category"))])


def split_creators(creators: str) -> list[str]:
    """Return the names in a feed's one `dc:creator`, without affiliations.

    Names are joined with ", ", and so are the affiliations in the parentheses behind a name.
    """
    parts = (
        re.split(r",\s+(?![^()]*\))", creators) if creators.count("(") == creators.count(")") else [creators]
    )
    names: list[str] = []
    for part in parts:
        name = re.sub(r"\s*\((?:[^()]|\([^()]*\))*\)\s*$", "", part.strip())
        if names and _SUFFIX.fullmatch(name):
            names[-1] += f" {name}"
        elif name:
            names.append(name)
    return names


def _text(parent: etree._Element, name: str) -> str:
    return (parent.findtext(name) or "").strip()


def _moment(value: str, name: str) -> datetime | None:
    """Return the UTC moment, None where nothing is said; raises BrokenEntryError on anything else."""
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BrokenEntryError(f"{name} is not a time") from error
