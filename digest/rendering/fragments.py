"""One paper's part of the mail, as HTML and as text, made once an edition and cut where the reason goes."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from digest.models import Candidate, Paper
from digest.rendering import wording

#: Characters of the summary or abstract, from a roomy mail to one that must be cut hard.
LEVELS = (340, 240, 150, 80, 0)
TITLE, NOTE, TOPIC, MOST_TOPICS = 240, 280, 60, 4
_THUMBNAIL_WIDTH = 152
_INDENT = "    "
# Drawn at random, so that no paper can contain it.
_REASON = f"reason-{secrets.token_hex(16)}"


@dataclass(frozen=True, slots=True)
class Fragment:
    """One paper before and after its reason; `weight` is the size of its HTML in bytes without the reason."""

    title: str
    html: tuple[str, str]
    text: tuple[str, str]
    weight: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A paper with its newest candidacy, which holds the votes of that moment and the curator's note."""

    paper: Paper
    candidate: Candidate | None
    topics: Sequence[str] = field(default_factory=tuple)


def build(entry: Entry, level: int, year_now: int) -> Fragment:
    """Return the fragment of `entry` at `level` of LEVELS; dates leave out `year_now`."""
    paper = entry.paper
    title = wording.plain(paper.title, TITLE) or "Untitled"
    longest = LEVELS[level]
    body = wording.plain(paper.summary or paper.abstract, longest) if longest else ""
    note = wording.plain(entry.candidate.note, NOTE) if entry.candidate else ""
    names = wording.authors(paper.authors)
    facts = " · ".join(_facts(entry, year_now))
    links = _links(paper)
    html = render_to_string(
        "email/paper.html",
        {
            "slot": _REASON,
            "title": _lines(title),
            "title_url": links[0][1] if links else "",
            "authors": _lines(names),
            "facts": facts,
            "body": _lines(body),
            "machine": bool(paper.summary),
            "note": _lines(note),
            "topics": [wording.plain(topic, TOPIC) for topic in entry.topics[:MOST_TOPICS]],
            "links": links,
            **_thumbnail(paper),
        },
    )
    text = render_to_string(
        "email/paper.txt",
        {
            "slot": _REASON,
            "title": wording.wrapped(title, _INDENT, first=""),
            "byline": wording.wrapped(" · ".join(filter(None, (names, facts))), _INDENT),
            "body": wording.wrapped(body, _INDENT),
            "note": wording.wrapped(f"Editor's note: {note}", _INDENT) if note else "",
            "links": [(f"{label:<9}", address) for label, address in links],
        },
    )
    before, _, after = html.partition(_REASON)
    text_before, _, text_after = text.partition(_REASON)
    return Fragment(
        title=title,
        html=(before, after),
        text=(text_before.rstrip(" "), text_after),
        weight=len(html.encode()),
    )


def _facts(entry: Entry, year_now: int) -> list[str]:
    """Return the date and the figures, those of the freeze where the paper is a candidate."""
    signals = entry.candidate or entry.paper
    published = entry.paper.published_at
    facts = [
        wording.day(published, year_now) if published else "",
        wording.counted(signals.upvotes, "vote"),
        wording.counted(signals.comments, "comment"),
        wording.counted(signals.stars or 0, "star"),
    ]
    return [fact for fact in facts if fact]


def _links(paper: Paper) -> list[tuple[str, str]]:
    """Return (label, address) of what can be opened, the abstract first."""
    project = wording.link(paper.project_url)
    links = [
        ("Abstract", paper.abstract_url if paper.arxiv_id else ""),
        ("PDF", paper.pdf_url),
        ("Code", paper.code_url),
        ("Project", project),
    ]
    return [(label, address) for label, address in links if wording.link(address)]


def _thumbnail(paper: Paper) -> dict[str, object]:
    """Return where the picture lies on our own host and its size in the mail, or an empty address."""
    name = PurePosixPath(paper.thumbnail).name
    if not name or not paper.thumbnail_width or not paper.thumbnail_height:
        return {"thumbnail": ""}
    width = min(_THUMBNAIL_WIDTH, paper.thumbnail_width)
    return {
        "thumbnail": f"{settings.SITE_URL}/thumbnails/{name}",
        "width": width,
        "height": max(1, min(2 * width, round(width * paper.thumbnail_height / paper.thumbnail_width))),
    }


def _lines(text: str) -> SafeString:
    """Return `text` escaped, in lines short enough for a mail whatever the escaping adds."""
    lines = wording.wrapped(text).splitlines()
    return format_html_join("\n", "{}", ((line,) for line in lines))
