from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from digest import curation
from digest.models import Candidate, Edition
from digest.views.listing import PER_PAGE
from tests.cast import NOON, a_frozen_edition, a_paper, a_topic

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 4)
PAGE = "/editions/2026-03-04/"


def seen(client: Client, path: str = PAGE) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_papers_of_a_day_come_pins_first_then_by_attention_that_fades(client: Client) -> None:
    names = ["Quiet", "Old fame", "Talked about", "Fresh", "Second pin", "Pinned"]
    papers = {name: a_paper(name) for name in names}
    edition = a_frozen_edition(DAY, *papers.values())
    signals: dict[str, dict[str, Any]] = {
        "Old fame": {"upvotes": 100, "featured_on": DAY - timedelta(days=12)},
        "Pinned": {"pin": 1},
        "Second pin": {"pin": 2, "upvotes": 1000},
        "Fresh": {"upvotes": 40},
        "Talked about": {"upvotes": 1, "comments": 15},
    }
    for name, values in signals.items():
        Candidate.objects.filter(edition=edition, paper=papers[name]).update(**values)
    page = seen(client)
    places = [page.index(f">{name}</a>") for name in names]
    assert places == sorted(places, reverse=True)
    assert page.count("Editor’s pick") == 2
    assert page.rindex("Editor’s pick") < page.index(">Second pin</a>") < page.index(">Talked about</a>")


def test_each_paper_has_a_place_and_leads_to_its_own_page_here(client: Client) -> None:
    elsewhere = a_paper("Elsewhere")
    home = a_paper("At home", arxiv_id=None, identity="samples:a b/7")
    a_frozen_edition(DAY, elsewhere, home)
    page = seen(client)
    for paper in elsewhere, home:
        assert f'id="paper-{paper.pk}"' in page
    assert f'href="/papers/{elsewhere.arxiv_id}/">Elsewhere</a>' in page
    assert 'href="/papers/samples:a%20b/7/">At home</a>' in page


def test_hidden_and_withdrawn_papers_are_not_shown(client: Client) -> None:
    papers = [a_paper("Shown"), a_paper("Hidden"), a_paper("Withdrawn", withdrawn_at=NOON)]
    edition = a_frozen_edition(DAY, *papers)
    Candidate.objects.filter(edition=edition, paper=papers[1]).update(hidden=True)
    page = seen(client)
    assert "Shown" in page
    assert "Hidden" not in page
    assert "Withdrawn" not in page
    assert "1 paper," in page


def test_a_page_holds_thirty_papers_and_leads_to_the_next(client: Client) -> None:
    a_frozen_edition(DAY, *[a_paper() for _ in range(PER_PAGE + 5)])
    first, second = seen(client), seen(client, f"{PAGE}?page=2")
    assert first.count("<article") == PER_PAGE
    assert second.count("<article") == 5
    assert 'rel="next" href="?page=2"' in first
    assert seen(client, f"{PAGE}?page=nonsense").count("<article") == PER_PAGE


def test_the_number_of_queries_does_not_grow_with_the_papers(
    client: Client, django_assert_max_num_queries: object
) -> None:
    a_frozen_edition(DAY, *[a_paper("", a_topic(f"topic-{place}")) for place in range(25)])
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        seen(client)


def test_what_papers_and_curators_say_is_escaped(client: Client) -> None:
    bad = "<script>alert(1)</script>{{ 7*7 }}"
    paper = a_paper(
        bad, a_topic("t", name=bad[:60]), abstract=bad, authors=[f"{bad} x"], code_url="javascript:alert(1)"
    )
    a_frozen_edition(DAY, paper, note=bad, missing_sources=[bad])
    Candidate.objects.update(note=bad)
    page = seen(client)
    assert "<script" not in page
    assert "javascript:" not in page
    assert "{{ 7*7 }}" in page
    assert ">49<" not in page


def test_a_page_says_what_the_mail_says_of_the_day(client: Client) -> None:
    a_frozen_edition(DAY, a_paper(), note="See https://example.org/x", missing_sources=["arxiv"])
    page = seen(client)
    assert 'href="https://example.org/x"' in page
    assert "went out without arXiv" in page
    shown = "Wednesday 4 March" + ("" if timezone.now().year == DAY.year else f" {DAY.year}")
    assert f"<h1>{shown}</h1>" in page


@pytest.mark.parametrize(
    "day", ["2026-03-05", "2026-02-30", "nonsense", "20260304", "2026-W10-3", "٢٠٢٦-03-04"]
)
def test_a_day_without_an_edition_is_not_found_and_the_page_leads_on(client: Client, day: str) -> None:
    a_frozen_edition(DAY, a_paper())
    answer = client.get(f"/editions/{day}/")
    assert answer.status_code == 404
    assert 'href="/editions/"' in answer.content.decode()


@pytest.mark.parametrize("state", [Edition.State.OPEN, Edition.State.FROZEN])
def test_an_edition_on_the_curators_desk_is_not_public(client: Client, state: str) -> None:
    a_frozen_edition(DAY, a_paper(), state=state)
    assert client.get(PAGE).status_code == 404
    assert "4 March" not in seen(client, "/editions/")
    for over in Edition.State.EXPIRED, Edition.State.CANCELLED:
        Edition.objects.update(state=over)
        assert client.get(PAGE).status_code == 404
    Edition.objects.update(approved_at=NOON)  # it had begun to leave
    assert client.get(PAGE).status_code == 200


def test_a_quiet_day_says_so(client: Client) -> None:
    a_frozen_edition(DAY, state=Edition.State.EMPTY)
    assert "A quiet day" in seen(client)


def test_the_archive_lists_days_newest_first_and_days_lead_to_each_other(client: Client) -> None:
    assert "Nothing yet" in seen(client, "/editions/")
    for days in range(3):
        a_frozen_edition(DAY - timedelta(days=days), a_paper())
    archive = seen(client, "/editions/")
    places = [archive.index(f"/editions/2026-03-0{day}/") for day in (4, 3, 2)]
    assert places == sorted(places)
    middle = seen(client, "/editions/2026-03-03/")
    assert "/editions/2026-03-02/" in middle
    assert "/editions/2026-03-04/" in middle


def test_pages_set_no_cookie_and_may_be_kept_for_a_while(client: Client) -> None:
    a_frozen_edition(DAY, a_paper())
    for path in ("/editions/", PAGE):
        answer = client.get(path)
        assert not answer.cookies
        assert set(answer["Cache-Control"].split(", ")) == {"public", "max-age=60"}
        assert client.post(path).status_code == 405


def test_an_empty_editions_note_that_nobody_approved_is_not_shown(client: Client) -> None:
    edition = a_frozen_edition(DAY, state=Edition.State.EMPTY, note="A draft for the curators")
    assert "A draft" not in seen(client)
    assert "No new papers reached us" in seen(client)
    Edition.objects.filter(pk=edition.pk).update(state=Edition.State.SENT, approved_at=NOON)
    assert "A draft" in seen(client)


def test_an_edition_called_off_keeps_its_page_and_loses_its_note(client: Client) -> None:
    edition = a_frozen_edition(DAY, a_paper("Kept"), note="A word to all", approved_at=NOON)
    assert "A word to all" in seen(client)
    curation.cancel(edition, at=NOON)
    page = seen(client)
    assert "Kept" in page
    assert "A word to all" not in page


def test_an_edition_whose_papers_are_all_hidden_says_so_truly(client: Client) -> None:
    a_frozen_edition(DAY, a_paper("Hidden"))
    Candidate.objects.update(hidden=True)
    for path in PAGE, "/":
        page = seen(client, path)
        assert "The papers of this edition are no longer shown." in page
        assert "nobody got a mail" not in page
        assert "What you leave out" not in page
    feed = seen(client, "/feeds/editions.atom")
    assert "no longer shown" in feed
    assert "&lt;ol&gt;" not in feed
