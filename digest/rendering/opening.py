"""What stands before the papers: the curator's note, and a word about a source that did not answer."""

import re
from collections.abc import Iterable

from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from digest.models import Edition
from digest.rendering import wording
from digest.rendering.markup import lines

#: Characters of the curator's note that a mail takes.
NOTE = 1_500
NAMES = {"huggingface": "Hugging Face", "arxiv": "arXiv"}
_LINK = re.compile(r"(https?://[^\s<>\"']+[^\s<>\"'.,;:!?)])")


def html(edition: Edition) -> str:
    """Return the rows before the papers; empty where there is nothing to say."""
    return render_to_string(
        "email/opening.html", {"note": note(edition.note), "missing": lines(missing(edition.missing_sources))}
    ).strip()


def note(word: str) -> list[SafeString]:
    """Return the paragraphs of the curator's word as a mail shows them."""
    return [_linked(paragraph) for paragraph in wording.paragraphs(word, NOTE)]


def text(edition: Edition) -> str:
    """Return the same as plain text, each paragraph followed by an empty line."""
    paragraphs = wording.paragraphs(edition.note, NOTE)
    said = [*paragraphs, missing(edition.missing_sources)]
    return "".join(f"{wording.wrapped(paragraph)}\n\n" for paragraph in said if paragraph)


def missing(sources: Iterable[str]) -> str:
    """Return the sentence about sources that failed, or nothing."""
    names = [NAMES.get(name, wording.plain(name, 40)) for name in sources]
    if not names:
        return ""
    verb = "the source did" if len(names) == 1 else "the sources did"
    return f"Today’s edition went out without {' and '.join(names)}: {verb} not answer."


def _linked(paragraph: str) -> SafeString:
    """Return `paragraph` escaped, its web addresses clickable, in lines short enough for a mail."""
    return format_html_join("\n", "{}", ((_line(line),) for line in wording.wrapped(paragraph).splitlines()))


def _line(line: str) -> SafeString:
    pieces = _LINK.split(line)
    return format_html_join(
        "",
        "{}",
        (
            (
                format_html('<a href="{}" style="color:#0f5257">{}</a>', piece, piece)
                if place % 2 and wording.link(piece)
                else piece,
            )
            for place, piece in enumerate(pieces)
        ),
    )
