"""The curator's subject line: every reader's mail has it, clean, and the inbox shows the papers beside it."""

from datetime import date

import pytest
from django.conf import settings

from digest import curation
from digest.admin.edition import words
from digest.management.commands import preview
from digest.models import Edition, Paper
from digest.ranking import Pick
from digest.rendering import EditionRenderer
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader, a_topic
from tests.digest.desk.curators import Curator

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 4)


@pytest.fixture
def papers() -> list[Paper]:
    topic = a_topic("vision")
    return [a_paper(f"Title {name}", topic, upvotes=9) for name in ("one", "two", "three", "four", "five")]


def mail(edition: Edition, papers: list[Paper]) -> tuple[str, str]:
    """Return the subject and the beginning of the HTML's text."""
    picks = [Pick(paper.pk, "trending") for paper in papers]
    edition.refresh_from_db()
    message = EditionRenderer(edition, []).message("public", a_reader(), picks, NOON)
    return str(message.subject), str(message.alternatives[0][0])


def test_every_reader_gets_the_curators_subject(papers: list[Paper]) -> None:
    edition = a_frozen_edition(DAY, *papers, state=Edition.State.FROZEN)
    made, html = mail(edition, papers)
    assert made == f"{settings.LIST_NAME}, 4 March: Title one + 4 more"
    assert "Title two\n· Title three\n· Title four" in html
    curation.name_edition(edition, "Robots that fold, and $5 of compute")
    for some in (papers, papers[2:]):
        own, html = mail(edition, some)
        assert own == "Robots that fold, and $5 of compute"
    assert "Title three\n· Title four\n· Title five" in html


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("Two\r\nBcc: everyone@example.org", "Two Bcc: everyone@example.org"),
        ("Tab\tand\u2028line\u200b\u202e\x07 bell", "Tab and line bell"),
        ("<b>{{ 7*7 }}</b> & more", "<b>{{ 7*7 }}</b> & more"),
    ],
)
def test_a_subject_is_one_clean_line(papers: list[Paper], typed: str, line: str) -> None:
    edition = a_frozen_edition(DAY, *papers, state=Edition.State.FROZEN)
    curation.name_edition(edition, typed)
    assert mail(edition, papers)[0] == line


def test_nothing_but_invisible_signs_is_no_subject(papers: list[Paper]) -> None:
    edition = a_frozen_edition(DAY, *papers, state=Edition.State.FROZEN, subject="\u200b\u202e")
    assert "Title one + 4 more" in mail(edition, papers)[0]


def test_the_preview_command_shows_it(papers: list[Paper]) -> None:
    a_frozen_edition(DAY, *papers, subject="A line of ours")
    reader = a_reader("", papers[0].topics.get())
    assert preview.compose(reader.address, DAY, at=NOON).subject == "A line of ours"


@pytest.mark.parametrize("subject", ["", "A line of ours"])
def test_the_inbox_on_the_desk_shows_what_the_mail_will_say(papers: list[Paper], subject: str) -> None:
    edition = a_frozen_edition(DAY, *papers, state=Edition.State.FROZEN, subject=subject)
    made, html = mail(edition, papers)
    looks = words.looks(edition, subject, "", [paper.title for paper in papers])
    inbox = looks["inbox"]
    assert isinstance(inbox, words.Inbox)
    assert inbox.subject == made
    assert inbox.preheader.replace(" · ", "\n· ") in html
    assert inbox.own is bool(subject)


def test_the_looks_of_a_word_are_those_of_the_mail_and_store_nothing(papers: list[Paper]) -> None:
    edition = a_frozen_edition(DAY, *papers, state=Edition.State.FROZEN)
    maria = Curator.of("maria", edition)
    word = "See <script>alert(1)</script> https://example.org/a\n\nThanks {{ 7*7 }}"
    answer = maria.post("edition_looks", word=word, subject="Hello <i>")
    page = answer.content.decode()
    assert '<a href="https://example.org/a"' in page
    assert "&lt;script&gt;" in page
    assert "{{ 7*7 }}" in page
    assert "Hello &lt;i&gt;" in page
    edition.refresh_from_db()
    assert (edition.note, edition.subject) == ("", "")


@pytest.mark.parametrize(("field", "most"), [("word", "2,000"), ("subject", "120")])
def test_too_long_a_text_gets_a_sentence_and_stays_in_its_field(
    papers: list[Paper], field: str, most: str
) -> None:
    edition = a_frozen_edition(DAY, *papers, state=Edition.State.FROZEN)
    maria = Curator.of("maria", edition)
    answer = maria.post("edition_words", **{field: "x" * 100_000})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f"100,000 characters; {most} is the most" in page
    assert "x" * 100_000 in page


@pytest.mark.parametrize("state", [Edition.State.OPEN, Edition.State.PAUSED, Edition.State.FROZEN])
def test_the_words_can_be_written_before_the_papers_are_fixed_and_while_it_waits(state: str) -> None:
    edition = Edition.objects.create(day=DAY, state=state, opened_at=NOON)
    maria = Curator.of("maria", edition)
    assert maria.post("edition_words", word="Hello").status_code == 302
    assert maria.post("edition_words", subject="Hello").status_code == 302
    Edition.objects.update(state=Edition.State.SENDING)
    assert maria.post("edition_words", word="Later", revision=99).status_code == 422
