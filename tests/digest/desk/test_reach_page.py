"""What changes for whom, as the page tells it."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from digest import curation, reaching
from digest.models import Edition, EditionReach
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader, a_topic
from tests.digest.access.people import browser_of

pytestmark = pytest.mark.django_db
WEDNESDAY = date(2026, 3, 4)


@pytest.fixture
def edition() -> Edition:
    sight = a_topic("sight")
    for _ in range(3):
        a_reader("", sight)
    a_reader("", a_topic("sound"))
    papers = a_paper("Seen by three", sight), a_paper("Seen by nobody"), a_paper("Pinned for all")
    edition = a_frozen_edition(WEDNESDAY, *papers, state=Edition.State.FROZEN)
    curation.pin(edition, papers[2])
    edition.refresh_from_db()
    return edition


@pytest.fixture
def client() -> Client:
    return browser_of("curator")


def page(client: Client, edition: Edition, **headers: str) -> str:
    answer = client.get(reverse("admin:edition_preview_reach", args=[edition.pk]), headers=headers)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_before_the_first_time_it_says_that_it_is_being_reckoned(client: Client, edition: Edition) -> None:
    first = page(client, edition)
    assert "Being reckoned for the first time" in first
    assert 'hx-trigger="every 3s"' in first


def test_the_figures_of_pins_and_of_nobody(client: Client, edition: Edition) -> None:
    reaching.reckon(edition, at=NOON)
    shown = page(client, edition)
    assert "<strong>4</strong> readers are due to get this edition" in shown
    assert "Each of them was looked at." in shown
    assert "for revision 1." in shown
    assert (
        '<td>1</td><td>Pinned for all</td><td class="pb-figure">4 (100 %)</td>'
        '<td class="pb-figure">0</td><td class="pb-figure">+4</td>' in shown
    )
    assert "1 of 3 papers reaches nobody" in shown
    assert "<li>Seen by nobody</li>" in shown
    assert "Nobody: everybody who is due gets at least one paper." in shown


def test_who_gets_nothing_is_said_with_the_reason(client: Client, edition: Edition) -> None:
    curation.unpin(edition, edition.candidates.get(pin=1).paper)
    edition.refresh_from_db()
    reaching.reckon(edition, at=NOON)
    assert "<li>1 because nothing is about what they follow" in page(client, edition)


def test_after_a_decision_the_old_figures_say_that_new_ones_come(client: Client, edition: Edition) -> None:
    reaching.reckon(edition, at=NOON)
    curation.annotate_edition(edition, "A word.")
    shown = page(client, edition)
    assert "New ones are on their way" in shown
    assert "for revision 1 (now 2)" in shown


def test_htmx_gets_the_figures_alone(client: Client, edition: Edition) -> None:
    reaching.reckon(edition, at=NOON)
    alone = page(client, edition, HX_Request="true")
    assert alone.startswith('<section class="pv-reach"')
    assert 'hx-trigger="every 20s"' in alone


def test_figures_of_a_sample_say_so(client: Client, edition: Edition) -> None:
    EditionReach.objects.create(
        edition=edition,
        revision=1,
        readers=1_003_214,
        sample=5_000,
        papers={str(edition.candidates.get(pin=1).paper_id): 4_321},
        nothing={"seen": 12},
        at=NOON,
    )
    shown = page(client, edition)
    assert "About <strong>1,000,000</strong> readers" in shown
    assert "Reckoned from a sample of 5,000 of them" in shown
    assert "870,000 (86 %)" in shown
    assert "<li>2,400 because nothing is new to them" in shown
    assert "reach nobody of the sample" in shown


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (Edition.State.OPEN, "Nothing is frozen yet"),
        (Edition.State.CANCELLED, "Nobody gets this edition (cancelled)"),
    ],
)
def test_what_is_not_reckoned_says_why_and_asks_no_more(
    client: Client, edition: Edition, state: str, sentence: str
) -> None:
    Edition.objects.update(state=state)
    shown = page(client, edition)
    assert sentence in shown
    assert "hx-get" not in page(client, edition, HX_Request="true")


def test_an_old_reckoning_of_an_edition_that_is_over_says_so(client: Client, edition: Edition) -> None:
    reaching.reckon(edition, at=NOON)
    Edition.objects.update(state=Edition.State.SENT, revision=9, closed_at=NOON + timedelta(days=1))
    assert "this edition is over and not reckoned any more" in page(client, edition)
