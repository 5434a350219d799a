"""One paper's part of the mail, as HTML and as text, made once an edition and cut where the reason goes."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from digest.models import Candidate, Edition, Paper
from digest.rendering import wording
from digest.rendering.markup import lines

#: Characters of the summary or abstract, from a roomy mail to one that must be cut hard.
LEVELS = (340, 240, 150, 80, 0)
TITLE, BRIEF, NOTE, TOPIC, MOST_TOPICS = 240, 48, 280, 60, 4
_THUMBNAIL_WIDTH = 152
_INDENT = "    "
#: What a way to a paper is called in a counted link.
_CODES = {"Abstract": "a", "PDF": "p", "Code": "c", "Project": "j"}
# Drawn at random, so that no paper can contain it.
_REASON = f"reason-{secrets.token_hex(16)}"


@dataclass(frozen=True, slots=True)
class Fragment:
    """One paper before and after its reason; `weight` is the size of its HTML in bytes without the reason.

    `brief` is the title, short and escaped, for the line an inbox shows.
    """

    title: str
    brief: str
    html: tuple[str, str]
    text: tuple[str, str]
    weight: int
    key: int
    #: The paper's (label, address), and what each link of the HTML is, in their order there.
    ways: Sequence[tuple[str, str]]
    codes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A paper with its newest candidacy, which holds the votes of that moment and the curator's note."""

    paper: Paper
    candidate: Candidate | None
    topics: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Described:
    """A paper in the words a reader sees, plain text throughout; `links` are (label, sound address).

    A paper that can be opened nowhere else leads to its page here. `pinned`: in its newest edition.
    """

    key: int
    title: str
    authors: str
    facts: str
    body: str
    machine: bool
    pinned: bool
    note: str
    topics: list[str]
    links: list[tuple[str, str]]
    thumbnail: str
    width: int
    height: int

    @property
    def url(self) -> str:
        """Where the title leads, or the empty string."""
        return self.links[0][1] if self.links else ""

    @property
    def byline(self) -> str:
        """Authors and facts on one line."""
        return wording.SEPARATOR.join(filter(None, (self.authors, self.facts)))


def described(entry: Entry, longest: int, year_now: int) -> Described:
    """Return `entry` with at most `longest` characters of summary or abstract; dates leave out `year_now`."""
    paper = entry.paper
    width = min(_THUMBNAIL_WIDTH, paper.thumbnail_width)
    has_picture = bool(paper.thumbnail and paper.thumbnail_width and paper.thumbnail_height)
    name = PurePosixPath(paper.thumbnail).name
    return Described(
        key=paper.pk,
        title=wording.plain(paper.title, TITLE) or "Untitled",
        authors=wording.authors(paper.authors),
        facts=wording.facts(_facts(entry, year_now)),
        body=wording.plain(paper.summary or paper.abstract, longest) if longest else "",
        machine=bool(paper.summary),
        pinned=entry.candidate is not None and entry.candidate.pin is not None,
        note=wording.plain(entry.candidate.note, NOTE) if entry.candidate else "",
        topics=[wording.plain(topic, TOPIC) for topic in entry.topics[:MOST_TOPICS]],
        links=links(paper) or _home(entry),
        thumbnail=f"{settings.SITE_URL}/thumbnails/{name}" if has_picture else "",
        width=width,
        # Narrow and very tall pictures would push the next paper off the screen.
        height=max(1, min(2 * width, round(width * paper.thumbnail_height / paper.thumbnail_width)))
        if has_picture
        else 0,
    )


def load(edition: Edition, paper_ids: Collection[int]) -> dict[int, Entry]:
    """Return {paper id: entry} of those stored, each with its newest candidacy up to `edition`."""
    newest = {
        candidate.paper_id: candidate
        for candidate in Candidate.objects.filter(paper__in=paper_ids, edition__day__lte=edition.day)
        .select_related("edition")
        .order_by("edition__day")
    }
    papers = Paper.objects.filter(pk__in=paper_ids).prefetch_related("topics").in_bulk()
    return {
        key: Entry(paper, newest.get(key), sorted(topic.name for topic in paper.topics.all() if topic.active))
        for key, paper in papers.items()
    }


def build(entry: Entry, level: int, year_now: int) -> Fragment:
    """Return the fragment of `entry` at `level` of LEVELS; dates leave out `year_now`."""
    paper = described(entry, LEVELS[level], year_now)
    html = render_to_string(
        "email/paper.html",
        {
            "slot": _REASON,
            "paper": paper,
            "title": lines(paper.title),
            "authors": lines(paper.authors),
            "body": lines(paper.body),
            "note": lines(paper.note),
        },
    )
    text = render_to_string(
        "email/paper.txt",
        {
            "slot": _REASON,
            "title": _wrapped(paper.title).removeprefix(_INDENT),  # its number comes there
            "byline": _wrapped(paper.byline),
            "body": _wrapped(paper.body + wording.MACHINE if paper.machine and paper.body else paper.body),
            "note": _wrapped(f"Editor’s note: {paper.note}") if paper.note else "",
            "links": ways_in_text(paper.links),
        },
    )
    before, _, after = html.partition(_REASON)
    text_before, _, text_after = text.partition(_REASON)
    return Fragment(
        title=paper.title,
        brief=lines(wording.clip(paper.title, BRIEF)),
        html=(before, after),
        text=(text_before.rstrip(" "), text_after),
        weight=len(html.encode()),
        key=paper.key,
        ways=tuple(paper.links),
        codes=_codes(paper),
    )


def ways_in_text(ways: Sequence[tuple[str, str]]) -> list[str]:
    """Return a line for each way, as it stands in the text part."""
    return [f"{label:<9} {address}" for label, address in ways]


def _codes(paper: Described) -> Sequence[str]:
    """Return a letter for each link of the paper's HTML: the picture, the title, then one for each way."""
    first = ("i", "t") if paper.thumbnail and paper.url else ("t",) if paper.url else ()
    return (*first, *(_CODES[label] for label, _address in paper.links))


def address_of(paper: Paper, code: str) -> str:
    """Return where the link `code` of `paper` leads now, or the empty string."""
    ways = links(paper) or _home(Entry(paper, paper.candidacies.first()))
    if code in {"i", "t"}:
        return ways[0][1] if ways else ""
    return next((address for label, address in ways if _CODES[label] == code), "")


def _wrapped(line: str) -> str:
    """Return `line` for the text part: what must not be parted has found its line, plain blanks are left."""
    return wording.wrapped(line, _INDENT).replace("\xa0", " ")


def _facts(entry: Entry, year_now: int) -> list[str]:
    """Return the date and the figures, those of the freeze where the paper is a candidate; "" for none."""
    signals = entry.candidate or entry.paper
    published = entry.paper.published_at
    return [
        wording.day(published, year_now) if published else "",
        wording.counted(signals.upvotes, "vote"),
        wording.counted(signals.comments, "comment"),
        wording.counted(signals.stars or 0, "star"),
    ]


def links(paper: Paper) -> list[tuple[str, str]]:
    """Return (label, address) of what can be opened, the abstract first."""
    ways = [
        ("Abstract", paper.abstract_url if paper.arxiv_id else ""),
        ("PDF", paper.pdf_url),
        ("Code", paper.code_url),
        ("Project", paper.project_url),
    ]
    return [(label, address) for label, address in ways if wording.link(address)]


def _home(entry: Entry) -> list[tuple[str, str]]:
    """Return the paper's own page here, its address made now: an installation may have moved since."""
    if entry.candidate is None:
        return []
    return [("Abstract", f"{settings.SITE_URL}{reverse('paper', args=[entry.paper.identity])}")]
