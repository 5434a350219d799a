from datetime import date, timedelta
from email import message_from_bytes, policy

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from digest.models import Candidate, Paper
from digest.ranking import Pick
from digest.rendering import EditionRenderer, NothingToSendError
from digest.rendering.shell import Shell, html_shell, text_shell
from subscribers import links
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader, a_topic
from tests.digest.reading import DAY, DELIVERY, elements, html_of, rendered, words_of

pytestmark = pytest.mark.django_db


def test_a_paper_is_shown_with_all_that_is_known_of_it(settings: Settings) -> None:
    paper = a_paper(
        "Splats that move",
        a_topic("vision"),
        a_topic("motion"),
        a_topic("retired", active=False),
        authors=["Ada One", "Ben Two", "Cy Three", "Di Four"],
        upvotes=142,
        comments=1,
        stars=1234,
        summary="Splats move now.",
        code_url="https://example.org/code",
        project_url="https://example.org/project",
        thumbnail="thumbnails/abc.jpg",
        thumbnail_width=320,
        thumbnail_height=160,
    )
    edition = a_frozen_edition(DAY, paper)
    Candidate.objects.update(note="Read section 4 first.", comments=1, stars=1234)
    message = rendered(edition, paper)
    words = words_of(message)
    for shown in (
        "You follow Vision",
        "Splats that move",
        "A. One, B. Two +2 · 2 March · 142 votes · 1 comment · 1.2k stars",
        "Splats move now. (AI summary)",
        "Read section 4 first.",
        "Motion Vision Abstract PDF Code Project",
    ):
        assert shown in words
    assert "Retired" not in words
    (picture,) = elements(message, "img")
    assert picture.get("src") == f"{settings.SITE_URL}/thumbnails/abc.jpg"
    assert (picture.get("width"), picture.get("height")) == ("152", "76")
    assert picture.get("alt")
    links_shown = {a.text_content(): a.get("href") for a in elements(message, ".pl a")}
    assert links_shown == {
        "Abstract": f"https://arxiv.org/abs/{paper.arxiv_id}",
        "PDF": f"https://arxiv.org/pdf/{paper.arxiv_id}",
        "Code": "https://example.org/code",
        "Project": "https://example.org/project",
    }


def test_a_paper_that_can_be_opened_nowhere_else_leads_to_its_page_here(
    settings: Settings,
) -> None:
    paper = a_paper("At home", arxiv_id=None, thumbnail="thumbnails/abc.jpg")
    Paper.objects.update(thumbnail_width=320, thumbnail_height=160)
    a_frozen_edition(DAY - timedelta(days=1), paper)
    settings.SITE_URL = "https://moved.example"
    message = rendered(a_frozen_edition(DAY), paper)
    place = f"https://moved.example/papers/{paper.identity}/"
    assert {a.get("href") for a in elements(message, ".pt a")} == {place}
    assert {a.get("href") for a in elements(message, ".th a")} == {place}
    assert {a.text_content(): a.get("href") for a in elements(message, ".pl a")} == {"Abstract": place}
    assert place in str(message.body)


def test_no_fact_is_parted_and_a_machines_summary_says_so_in_both_parts() -> None:
    names = ["Ada Longername", "Ben Verylongname", "Cy Three", "Di Four"]
    papers = [a_paper("P", authors=names, summary="word " * place + "end.") for place in range(8, 18)]
    edition = a_frozen_edition(DAY, *papers)
    Candidate.objects.update(upvotes=142, comments=27, stars=1234)
    message = rendered(edition, *papers)
    said = str(message.body).splitlines()
    assert not [line for line in said if line.endswith(("·", " 142", " 27", " 1.2k", "(AI", " 2"))]
    assert sum("end. (AI summary)" in line for line in said) == len(papers)
    assert "\xa0" not in message.body
    facts = [
        str(block.text_content()) for block in elements(message, ".pm") if "votes" in block.text_content()
    ]
    assert len(facts) == len(papers)
    assert all("142\xa0votes ·\xa027\xa0comments ·\xa01.2k\xa0stars" in line for line in facts)


def test_the_mail_says_whose_it_is_and_how_to_leave_it_twice(settings: Settings) -> None:
    settings.BYLINE, settings.POSTAL_ADDRESS = "Ada & Ben", "1 <Example> Street"
    reader = a_reader("ada@example.org")
    edition = a_frozen_edition(DAY, a_paper())
    message = rendered(edition, *Paper.objects.all(), reader=reader)
    words = words_of(message)
    for shown in (
        "Daily Papers Wednesday 4 March · by Ada & Ben and the research community",
        "You get this because ada@example.org subscribed to Daily Papers on 22 February.",
        "1 <Example> Street",
    ):
        assert shown in words
    leave = links.unsubscribe_url(reader.public_id, DELIVERY)
    html = html_of(message).partition("<body")[2]
    assert html.index(leave) < html.index('class="pt"') < html.rindex(leave)
    for link in (
        leave,
        links.preferences_url(reader.public_id, NOON),
        links.pause_url(reader.public_id, NOON),
        f"{settings.SITE_URL}/editions/2026-03-04/",
    ):
        assert f'"{link}"' in html_of(message)
        assert link in str(message.body)


def test_the_text_part_stands_on_its_own(settings: Settings) -> None:
    papers = [a_paper(f"Title {place} " + "of many words " * 8, abstract="word " * 200) for place in range(3)]
    edition = a_frozen_edition(DAY, *papers, note="A word from us.\n\nAnd one more.")
    text = str(rendered(edition, *papers).body)
    joined = " ".join(text.split())
    assert len(text) > 200
    for place, paper in enumerate(papers, start=1):
        assert f"{place}. {paper.title.strip()}" in joined
        assert f"Abstract https://arxiv.org/abs/{paper.arxiv_id}" in joined
    assert "Why: You follow Vision" in joined
    assert "A word from us. And one more." in joined
    assert settings.POSTAL_ADDRESS in joined
    assert "<" not in text
    assert "%%" not in text
    assert all(len(line) <= 78 for line in text.splitlines() if "http" not in line)


def test_the_subject_names_the_first_paper_and_how_many_more() -> None:
    papers = [a_paper("Splats that move"), *[a_paper() for _ in range(9)]]
    edition = a_frozen_edition(DAY, *papers)
    assert rendered(edition, *papers).subject == "Daily Papers, 4 March: Splats that move + 9 more"
    assert rendered(edition, papers[0]).subject == "Daily Papers, 4 March: Splats that move"


def test_the_year_is_written_when_it_is_not_this_one() -> None:
    paper = a_paper(published_at=NOON - timedelta(days=400))
    edition = a_frozen_edition(date(2025, 12, 30), paper)
    message = rendered(edition, paper)
    assert str(message.subject).startswith("Daily Papers, 30 December 2025: ")
    assert "28 January 2025" in words_of(message)
    assert "Tuesday 30 December 2025" in words_of(message)


def test_a_source_that_did_not_answer_is_named() -> None:
    paper = a_paper()
    both = a_frozen_edition(DAY, paper, missing_sources=["arxiv", "huggingface"])
    said = "Today’s edition went out without arXiv and Hugging Face: the sources did not answer."
    assert said in words_of(rendered(both, paper))
    assert said in " ".join(str(rendered(both, paper).body).split())
    one = a_frozen_edition(DAY + timedelta(days=1), missing_sources=["arxiv"])
    assert "without arXiv: the source did not answer." in words_of(rendered(one, paper))
    assert "without" not in words_of(rendered(a_frozen_edition(DAY + timedelta(days=2)), paper))


def test_addresses_in_the_curators_note_can_be_clicked_and_markup_is_text() -> None:
    paper = a_paper()
    note = 'See https://example.org/a?b=1&c=2. <b>Bold</b> "https://example.org/q" javascript:alert(1)'
    message = rendered(a_frozen_edition(DAY, paper, note=note), paper)
    found = {a.get("href") for a in elements(message, ".no a")}
    assert found == {"https://example.org/a?b=1&c=2", "https://example.org/q"}
    assert "<b>Bold</b>" in words_of(message)


def test_votes_are_those_of_the_newest_edition_up_to_this_one() -> None:
    paper = a_paper(upvotes=5)
    a_frozen_edition(DAY - timedelta(days=1), paper)
    edition = a_frozen_edition(DAY, paper)
    later = a_frozen_edition(DAY + timedelta(days=1), paper)
    Candidate.objects.filter(edition=edition).update(upvotes=50)
    Candidate.objects.filter(edition=later).update(upvotes=500)
    Paper.objects.update(upvotes=600)
    assert "· 50 votes" in words_of(rendered(edition, paper))


def test_a_paper_of_an_earlier_edition_keeps_its_note_and_needs_no_loading_beforehand() -> None:
    paper = a_paper("Carried over")
    earlier = a_frozen_edition(DAY - timedelta(days=1), paper)
    Candidate.objects.filter(edition=earlier).update(note="Worth the wait.")
    edition = a_frozen_edition(DAY, a_paper())
    renderer = EditionRenderer(edition, [])
    message = renderer.message(DELIVERY, a_reader(), [Pick(paper.pk, "new")], NOON)
    assert "Worth the wait." in words_of(message)


def test_picks_that_are_gone_are_left_out_and_a_mail_of_none_is_refused() -> None:
    kept, gone = a_paper("Kept"), a_paper("Gone")
    edition = a_frozen_edition(DAY, kept, gone)
    picks = [Pick(gone.pk, "new"), Pick(kept.pk, "new")]
    gone.delete()
    message = EditionRenderer(edition, [kept.pk]).message(DELIVERY, a_reader(), picks, NOON)
    assert str(message.subject).endswith(": Kept")
    with pytest.raises(NothingToSendError):
        EditionRenderer(edition, []).message(DELIVERY, a_reader(), picks[:1], NOON)


def test_a_retry_is_the_same_bytes_from_another_renderer() -> None:
    papers = [a_paper() for _ in range(3)]
    edition = a_frozen_edition(DAY, *papers)
    reader = a_reader()
    first, second = (rendered(edition, *papers, reader=reader).message().as_bytes() for _ in range(2))
    assert first == second


def test_no_query_is_made_per_mail() -> None:
    papers = [a_paper("", a_topic(f"topic-{place}")) for place in range(5)]
    edition = a_frozen_edition(DAY, *papers)
    readers = [a_reader() for _ in range(5)]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        renderer = EditionRenderer(edition, [paper.pk for paper in papers])
        for reader in readers:
            renderer.message(DELIVERY, reader, [Pick(paper.pk, "new") for paper in papers], NOON)
    assert len(queries) == 3


def test_one_readers_mail_holds_nothing_of_anothers() -> None:
    papers = [a_paper("For Ada"), a_paper("For Ben")]
    edition = a_frozen_edition(DAY, *papers)
    ada, ben = a_reader("ada@example.org"), a_reader("ben@example.org")
    renderer = EditionRenderer(edition, [])
    first = renderer.message("a" * 22, ada, [Pick(papers[0].pk, 'matches "ada\'s own words"')], NOON)
    second = renderer.message("b" * 22, ben, [Pick(papers[1].pk, "new today")], NOON)
    assert 'Matches "ada\'s own words"' in words_of(first)
    whole = html_of(second) + str(second.body)
    for private in ("ada@example.org", "ada's own words", "For Ada", ada.public_id, "a" * 22):
        assert private not in whole


def test_nothing_is_loaded_from_elsewhere_and_nothing_runs(settings: Settings) -> None:
    paper = a_paper(
        thumbnail="thumbnails/x.jpg",
        thumbnail_url="https://evil.example/pixel.gif",
        thumbnail_width=10,
        thumbnail_height=10,
    )
    message = rendered(a_frozen_edition(DAY, paper), paper)
    assert "evil.example" not in html_of(message)
    (picture,) = elements(message, "img")
    assert picture.get("src") == f"{settings.SITE_URL}/thumbnails/x.jpg"
    for tag in ("script", "link", "iframe", "object", "form", "base"):
        assert not elements(message, tag)
    assert "url(" not in html_of(message)
    assert "@import" not in html_of(message)


def test_the_mail_is_made_for_light_and_dark_and_small_screens() -> None:
    paper = a_paper()
    message = rendered(a_frozen_edition(DAY, paper), paper)
    for needed in ("prefers-color-scheme: dark", "[data-ogsc]", 'name="color-scheme"', "max-width: 479px"):
        assert needed in html_of(message)


def test_the_bytes_on_the_wire_parse_strictly_and_carry_the_same_html() -> None:
    paper = a_paper("Grüße aus dem Labor 🎉")
    message = rendered(a_frozen_edition(DAY, paper), paper)
    strict = policy.SMTP.clone(raise_on_defect=True)
    parsed = message_from_bytes(message.message().as_bytes(), policy=strict)
    part = parsed.get_body(("html",))
    assert part is not None
    assert part.get_content() == html_of(message)
    assert parsed["Subject"] == message.subject


def test_every_slot_of_the_shells_is_filled() -> None:
    paper = a_paper()
    message = rendered(a_frozen_edition(DAY, paper), paper)
    assert "%%" not in html_of(message)
    assert "%%" not in str(message.body)
    assert html_shell("email/digest.mjml").slots >= text_shell("email/digest.txt").slots


def test_a_value_is_never_read_as_a_slot() -> None:
    shell = Shell(("a ", "one", " b ", "two", " c"))
    assert shell.filled({"one": "%%two%%"}).text({"two": "2"}) == "a %%two%% b 2 c"
    assert shell.filled({"one": "1"}).slots == {"two"}
    with pytest.raises(KeyError):
        shell.text({"one": "1"})
