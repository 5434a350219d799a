"""Reading a digest the way its reader's program does."""

from datetime import date

from django.core.mail import EmailMultiAlternatives
from lxml import html
from lxml.html import HtmlElement

from digest.models import Edition, Paper
from digest.ranking import Pick
from digest.rendering import EditionRenderer
from subscribers.models import Subscriber
from tests.cast import NOON, a_reader

DAY = date(2026, 3, 4)
DELIVERY = "d" * 22


def rendered(
    edition: Edition, *papers: Paper, reader: Subscriber | None = None, reason: str = "you follow Vision"
) -> EmailMultiAlternatives:
    """Return the digest of `papers`, each picked for `reason`."""
    picks = [Pick(paper.pk, reason) for paper in papers]
    renderer = EditionRenderer(edition, [paper.pk for paper in papers])
    return renderer.message(DELIVERY, reader or a_reader(), picks, NOON)


def html_of(message: EmailMultiAlternatives) -> str:
    """Return the HTML part's source."""
    return str(message.alternatives[0][0])


def page_of(message: EmailMultiAlternatives) -> HtmlElement:
    """Return the HTML part, parsed."""
    return html.document_fromstring(html_of(message))


def words_of(message: EmailMultiAlternatives) -> str:
    """Return what a reader reads in the HTML part, on one line."""
    (body,) = elements(message, "body")
    return " ".join(str(body.text_content()).split())


def elements(message: EmailMultiAlternatives, path: str) -> list[HtmlElement]:
    """Return the elements that `path` names: "a" every link, ".pl a" every link within class pl."""
    steps = []
    for step in path.split():
        tag, _, name = step.partition(".")
        test = f"[contains(concat(' ', @class, ' '), ' {name} ')]" if name else ""
        steps.append(f"//{tag or '*'}{test}")
    found = page_of(message).xpath("".join(steps))
    return [element for element in found if isinstance(element, HtmlElement)]
