import re
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from digest.models import Candidate, Edition
from digest.views.listing import PER_PAGE
from tests.cast import NOON, a_frozen_edition, a_paper, a_topic
from tests.digest.looking import HOSTILE, curators, harmless, seen

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 4)
PAGE = "/topics/vision/"


@pytest.fixture(autouse=True)
def _on_the_day(settings: Settings) -> Iterator[None]:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    with time_machine.travel(NOON):
        yield


def test_a_topic_shows_its_papers_of_thirty_days_newest_first_then_by_attention(client: Client) -> None:
    vision = a_topic("vision", name="Seeing", description="Seeing machines.")
    a_frozen_edition(DAY - timedelta(days=30), a_paper("Too old", vision))
    a_frozen_edition(DAY - timedelta(days=29), a_paper("Oldest", vision, upvotes=500))
    a_frozen_edition(
        DAY, a_paper("Quiet", vision, upvotes=1), a_paper("Loud", vision, upvotes=9), a_paper("Other thing")
    )
    page = seen(client, PAGE)
    assert "<h1>Seeing</h1>" in page
    assert "Seeing machines." in page
    assert "3 papers of the last 30 days" in page
    places = [page.index(f">{name}</a>") for name in ("Loud", "Quiet", "Oldest")]
    assert places == sorted(places)
    assert "Too old" not in page
    assert "Other thing" not in page
    days = [page.index(f">{day}</h2>") for day in ("Wednesday 4 March", "Tuesday 3 February")]
    assert days[0] < places[0] < days[1] < places[2]


def test_the_most_voted_come_first_if_one_wants_them_to(client: Client) -> None:
    vision = a_topic("vision")
    a_frozen_edition(DAY - timedelta(days=9), a_paper("Loved", vision, upvotes=500))
    a_frozen_edition(DAY, *[a_paper(f"New {n}", vision, upvotes=n) for n in range(PER_PAGE)])
    page = seen(client, f"{PAGE}?by=votes")
    assert page.index(">Loved</a>") < page.index(f">New {PER_PAGE - 1}</a>") < page.index(">New 5</a>")
    assert 'href="?page=2&amp;by=votes"' in page or 'href="?page=2&by=votes"' in page
    assert seen(client, f"{PAGE}?by=votes&page=2").count("<article") == 1


def test_a_paper_of_two_editions_stands_once_and_hidden_or_unpublished_ones_not_at_all(
    client: Client,
) -> None:
    vision = a_topic("vision")
    twice = a_paper("Twice", vision)
    hidden = a_paper("Hidden", vision)
    gone = a_paper("Withdrawn", vision, withdrawn_at=NOON)
    a_frozen_edition(DAY - timedelta(days=1), twice, hidden, gone)
    a_frozen_edition(DAY, twice)
    a_frozen_edition(DAY + timedelta(days=1), a_paper("On the desk", vision), state=Edition.State.FROZEN)
    Candidate.objects.filter(paper=hidden).update(hidden=True)
    page = seen(client, PAGE)
    assert page.count(">Twice</a>") == 1
    for absent in "Hidden", "Withdrawn", "On the desk":
        assert absent not in page


def test_a_topic_leads_to_a_form_that_has_it_chosen(client: Client) -> None:
    a_topic("vision")
    page = seen(client, PAGE)
    assert 'href="/subscribe/?topic=vision">Subscribe to this topic</a>' in page
    assert "Nothing in the last 30 days" in page
    assert re.search(r'value="vision"[^>]* checked', seen(client, "/subscribe/?topic=vision"))


@pytest.mark.parametrize("slug", ["nowhere", "asleep"])
def test_a_topic_that_is_not_on_offer_is_the_houses_404(client: Client, slug: str) -> None:
    a_topic("asleep", active=False)
    assert "There is no such page" in seen(client, f"/topics/{slug}/", 404)


def test_the_index_tells_each_topic_and_how_much_of_it_is_new(client: Client) -> None:
    vision = a_topic("vision", name="Vision", description="Seeing machines.")
    a_topic("asleep", name="Asleep", active=False)
    hidden = a_paper("", vision)
    a_frozen_edition(DAY, a_paper("", vision), a_paper("", vision), hidden)
    Candidate.objects.filter(paper=hidden).update(hidden=True)
    page = seen(client, "/topics/")
    assert 'href="/topics/vision/"' in page
    assert "Seeing machines." in page
    assert page.count("in the newest edition") == 1
    assert "2 in the newest edition" in page
    assert "Asleep" not in page


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(client: Client, text: str) -> None:
    topic = a_topic("vision", name=curators(text, 60), description=curators(text, 200))
    a_frozen_edition(DAY, a_paper(text, topic, abstract=text, authors=[text]))
    for path in "/topics/", PAGE, f"{PAGE}?by=votes", f"{PAGE}?by={text[:20]}":
        assert harmless(seen(client, path))


def test_the_number_of_queries_does_not_grow_with_the_papers(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    vision = a_topic("vision")
    for days in range(12):
        a_frozen_edition(DAY - timedelta(days=days), *[a_paper("", vision) for _ in range(3)])
    for path, most in (PAGE, 5), ("/topics/", 3):
        with django_assert_max_num_queries(most):
            seen(client, path)


def test_pages_set_no_cookie_and_may_be_kept_for_a_minute(client: Client) -> None:
    a_topic("vision")
    for path in "/topics/", PAGE:
        answer = client.get(path)
        assert not answer.cookies
        assert "max-age=60" in answer["Cache-Control"]
        assert client.post(path).status_code == 405
