"""The page Afterwards: kept figures, their limits, their files, and what it says when there are none."""

import csv
import io
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from digest import progress, rights, tallying
from digest.admin.edition.report import TABLES
from digest.models import Candidate, Delivery, Edition, EditionFigures, Paper
from digest.reporting import percent, report
from subscribers.models import AuditEvent
from tests.cast import NOON, a_frozen_edition, a_paper
from tests.digest.desk.afterwards import an_edition_that_left

pytestmark = pytest.mark.django_db


@pytest.fixture
def curator(client: Client) -> Client:
    rights.write_groups()  # the flush after a transactional test takes them
    user = User.objects.create_user("cora", password="a-long-enough-word", is_staff=True)
    user.groups.add(Group.objects.get(name="curator"))
    client.force_login(user)
    return client


@pytest.fixture
def edition() -> Edition:
    left = an_edition_that_left()
    tallying.walk(left, at=NOON)
    return left


def seen(client: Client, edition: Edition) -> str:
    answer = client.get(reverse("admin:edition_report", args=[edition.pk]))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def file_of(client: Client, edition: Edition, name: str) -> list[dict[str, str]]:
    answer = client.post(reverse("admin:edition_report_csv", args=[edition.pk, name]))
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


def test_a_curator_sees_what_became_of_an_edition(curator: Client, edition: Edition) -> None:
    page = seen(curator, edition)
    for words in ("Hard bounces", "2.5 %", "Spam complaints", "Unsubscribed by it", "Splats that remember"):
        assert words in page
    assert "The readers of 10 of 40 digests agreed" in page
    assert "in 1 digest only they followed links" in page
    assert "@example.org" not in page


def test_figures_are_read_not_counted(
    curator: Client, edition: Edition, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(14) as asked:
        seen(curator, edition)
    large = ('"digest_delivery"', '"digest_click"', '"digest_providerevent"')
    assert not [
        query["sql"] for query in asked.captured_queries if any(name in query["sql"] for name in large)
    ]


@pytest.mark.parametrize(
    ("complaints", "bounces", "words"),
    [
        (0, 0, "Within limits"),
        (2, 0, "Near the limit"),
        (4, 0, "Above the limit"),
        (0, 60, "Above the limit"),
        (0, 20, "Near the limit"),
    ],
)
def test_rates_are_held_against_their_limits(
    curator: Client, edition: Edition, complaints: int, bounces: int, words: str
) -> None:
    EditionFigures.objects.update(
        states={"accepted": 1000}, facts={"complained": complaints, "bounced": bounces, "delivered": 900}
    )
    page = seen(curator, edition)
    assert words in page
    assert ("Above the limit" in page) == (words == "Above the limit")


def test_of_few_digests_no_share_is_judged(curator: Client, edition: Edition) -> None:
    page = seen(curator, edition)
    assert "Too few digests to judge" in page
    assert "the limit" not in page.replace("limits", "")


def test_pins_are_told_by_what_they_added(edition: Edition) -> None:
    pins = report(edition).pins
    assert pins is not None
    (line,) = pins.lines
    assert (line.reached, line.by_itself, line.added) == (40, 10, 30)
    assert (pins.rate, pins.rest_rate) == ("50 %", "0 %")
    Edition.objects.update(revision=9)
    edition.refresh_from_db()
    changed = report(edition).pins
    assert changed is not None
    assert changed.stale


@pytest.mark.parametrize("name", TABLES)
def test_each_table_goes_out_as_a_file_that_is_written_down(
    curator: Client, edition: Edition, name: str
) -> None:
    rows = file_of(curator, edition, name)
    assert rows
    event = AuditEvent.objects.get()
    assert (event.kind, event.by_name, event.about) == ("exported", "cora", f"edition 2026-03-04 {name}")
    answer = curator.get(reverse("admin:edition_report_csv", args=[edition.pk, name]))
    assert answer.status_code == 405


def test_the_file_of_papers_has_every_paper_and_its_figures(curator: Client, edition: Edition) -> None:
    rows = file_of(curator, edition, "papers")
    assert len(rows) == Paper.objects.count() == 8
    assert rows[0]["title"].startswith("Splats")
    assert (rows[0]["digests"], rows[0]["digests in which a person followed it"]) == ("40", "5")


def test_who_may_not_view_editions_gets_neither_page_nor_file(client: Client, edition: Edition) -> None:
    client.force_login(User.objects.create_user("nobody", password="a-long-enough-word", is_staff=True))
    assert client.get(reverse("admin:edition_report", args=[edition.pk])).status_code == 403
    assert client.post(reverse("admin:edition_report_csv", args=[edition.pk, "papers"])).status_code == 403
    client.logout()
    assert client.get(reverse("admin:edition_report", args=[edition.pk])).status_code == 302


def test_before_anything_left_the_page_says_so(curator: Client) -> None:
    edition = a_frozen_edition(NOON.date(), a_paper())
    assert "Nothing has left yet" in seen(curator, edition)
    progress.keep(edition, at=NOON)
    assert "Nothing has left yet" in seen(curator, edition)


def test_before_the_first_walk_the_page_says_so(curator: Client) -> None:
    assert "Papers and hours are being reckoned" in seen(curator, an_edition_that_left())


@pytest.mark.parametrize(
    ("provider", "secrets", "words"),
    [
        ("", [], "Your mails leave by SMTP"),
        ("postmark", [], "Set WEBHOOK_SECRET, and have postmark post its events"),
        ("postmark", ["hook:0123456789abcdef"], "No provider events have arrived for this edition"),
    ],
)
def test_where_nothing_is_heard_the_page_says_what_to_do(
    curator: Client, edition: Edition, settings: Settings, provider: str, secrets: list[str], words: str
) -> None:
    settings.ANYMAIL_PROVIDER, settings.ANYMAIL = provider, {"WEBHOOK_SECRET": secrets}
    assert words not in seen(curator, edition)
    fields = ("delivered_at", "bounced_at", "soft_bounced_at", "complained_at")
    Delivery.objects.update(**dict.fromkeys(fields))
    EditionFigures.objects.all().delete()
    progress.keep(edition, at=NOON)
    assert words in seen(curator, edition)


def test_a_papers_title_is_text(curator: Client, edition: Edition) -> None:
    hostile = "</canvas><script>alert(1)</script> {{ 7|add:7 }} '\" onload=x"
    Paper.objects.filter(title__startswith="Splats").update(title=hostile)
    page = seen(curator, edition)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "{{ 7|add:7 }}" in page


def test_an_edition_without_agreed_readers_says_so(curator: Client) -> None:
    edition = an_edition_that_left(readers=3)
    Delivery.objects.update(clicks_counted=False)
    tallying.walk(edition, at=NOON)
    assert "No reader of this edition agreed" in seen(curator, edition)


def test_an_edition_of_hundreds_of_papers_shows_the_most_sent(curator: Client, edition: Edition) -> None:
    Candidate.objects.bulk_create(
        Candidate(edition=edition, paper=a_paper(), featured_on=edition.day) for _ in range(150)
    )
    tallying.walk(edition, at=NOON)
    page = seen(curator, edition)
    assert "And 58 more papers, in the file." in page
    assert len(file_of(curator, edition, "papers")) == 158


@pytest.mark.parametrize(
    ("count", "of", "words"),
    [(0, 0, ""), (0, 9, "0 %"), (1, 3, "33 %"), (1, 40, "2.5 %"), (3, 10_000, "0.03 %"), (9, 9, "100 %")],
)
def test_shares_are_as_exact_as_their_limits_ask(count: int, of: int, words: str) -> None:
    assert percent(count, of) == words
