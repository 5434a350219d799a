"""The desk's first page in every state that a day can bring, for everybody who may come."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from lxml import html
from pytest_django import Settings

from digest import curation, figures, queues
from digest.models import Delivery, Edition, IngestRun, Paper
from subscribers.models import Subscriber, SystemMail, Topic
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader, a_topic, appeared
from tests.digest.access.people import browser_of
from tests.digest.desk.working_day import (
    DAY,
    HOUR,
    ROLES,
    TODAY,
    a_delivery,
    a_working_day,
    answered,
    counted,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_noon", "_sources")]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def _noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def _sources(settings: Settings) -> None:
    settings.SOURCES = ["huggingface", "arxiv"]
    settings.ARXIV_CATEGORIES = ("cs.LG", "cs.AI")


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("owner", password="a-long-enough-word"))
    return client


def text(browser: Client) -> str:
    """Return what the main part of the first page says."""
    answer = browser.get(reverse("admin:index"))
    assert answer.status_code == 200
    parts = html.fromstring(answer.content.decode()).xpath("//main//text()")
    assert isinstance(parts, list)
    return " ".join(" ".join(str(part) for part in parts).split())


def links(browser: Client, page: str) -> set[str]:
    """Return where `page` of the desk leads within the house, its menu included."""
    answer = browser.get(page)
    found = re.findall(r'href="(/[^"#]*)', answer.content.decode())
    return {unescape(link) for link in found if not link.startswith("/static/")}


def test_a_new_installation_is_told_what_to_do_next(owner: Client) -> None:
    said = text(owner)
    assert "No papers yet" in said
    assert "manage.py ingest" in said
    assert "No readers yet" in said
    assert "Import readers" in said
    assert "Today’s edition is not open yet" in said
    assert "Not counted yet" in said
    assert "None yet. The first one freezes with the first papers." in said
    assert "Nothing has been sent in 30 days." in said


def test_with_papers_and_readers_the_beginning_is_over(owner: Client) -> None:
    a_paper()
    a_reader()
    said = text(owner)
    assert "No papers yet" not in said
    assert "No readers yet" not in said


def test_an_open_edition_says_when_it_freezes_and_how_much_it_has(owner: Client, settings: Settings) -> None:
    settings.EDITION_HOUR, settings.EDITION_ZONE = 16, "Europe/Berlin"
    Edition.objects.create(day=TODAY, opened_at=NOON)
    appeared(a_paper(), TODAY)
    appeared(a_paper(), TODAY - DAY)
    said = text(owner)
    assert "2 so far; freezes at 16:00 Europe/Berlin, in 3 h" in said
    assert "edition_preview" not in said


def test_a_frozen_edition_waits_for_its_curator_with_links_to_the_work(
    owner: Client, settings: Settings
) -> None:
    settings.EDITION_REQUIRES_APPROVAL = True
    edition = a_frozen_edition(TODAY, a_paper(), state=Edition.State.FROZEN)
    said = text(owner)
    assert "1 paper, frozen at 06:00 UTC" in said
    assert "it waits for a curator, until 5 Mar, 18:00 UTC at most" in said
    ways = links(owner, reverse("admin:index"))
    for name in ("digest_edition_change", "edition_preview", "edition_sending"):
        assert reverse(f"admin:{name}", args=[edition.pk]) in ways


def test_an_edition_under_way_says_how_far_it_is(owner: Client) -> None:
    a_working_day()
    said = text(owner)
    assert "Approved (done) at 06:00 UTC" in said
    assert "3 of 6 (50 %)" in said


def test_a_paused_edition_says_why(owner: Client) -> None:
    edition = a_working_day()
    curation.pause(edition, reason="Half of them bounced.")
    assert "Paused. Half of them bounced." in text(owner)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (Edition.State.EMPTY, "so nobody gets a mail"),
        (Edition.State.CANCELLED, "Cancelled."),
        (Edition.State.EXPIRED, "Nobody approved it in time."),
    ],
)
def test_an_edition_that_goes_no_further_says_what_became_of_it(
    owner: Client, state: str, sentence: str
) -> None:
    a_frozen_edition(TODAY, state=state)
    said = text(owner)
    assert sentence in said
    assert "Send it (not today)" in said


def test_an_edition_without_a_source_owns_up_to_it(owner: Client) -> None:
    a_frozen_edition(TODAY, a_paper(), missing_sources=["arxiv"])
    assert "went out without arXiv" in text(owner)


def test_editions_of_other_days_that_wait_are_not_forgotten(owner: Client) -> None:
    late = a_frozen_edition(TODAY - DAY, a_paper(), state=Edition.State.FROZEN)
    a_frozen_edition(TODAY, a_paper(), state=Edition.State.SENDING)
    assert "Also under way Tuesday 3 March" in text(owner)
    assert reverse("admin:digest_edition_change", args=[late.pk]) in links(owner, reverse("admin:index"))


def test_once_todays_is_over_the_one_to_be_shaped_leads(owner: Client) -> None:
    a_frozen_edition(TODAY, a_paper(), state=Edition.State.SENT, closed_at=NOON)
    assert "Wednesday 4 March Sent" in text(owner)
    a_frozen_edition(TODAY + DAY, a_paper(), state=Edition.State.FROZEN)
    said = text(owner)
    assert "Thursday 5 March Frozen" in said
    assert "Approve it the clock does, once its day has come" in said
    assert "Also under way Wednesday 4 March Sent" in said


def test_readers_are_told_with_a_row_for_each_day(owner: Client) -> None:
    a_working_day(readers=6)
    said = text(owner)
    assert "Active readers 6 +5 in 5 days" in said
    assert "New in 7 days 6 0 in the 7 days before" in said
    assert "The figures of 6 days as a table" in said
    assert "27 Feb 2026" in said


def test_an_account_that_does_not_add_up_is_told_loudly(owner: Client) -> None:
    edition = a_frozen_edition(TODAY - DAY, a_paper(), state=Edition.State.SENT)
    counted(edition, enrolled=100, accepted=97, rejected=1)
    said = text(owner)
    assert "The account of 3 March does not add up: enrolled 100 != accepted 97 + rejected 1" in said
    edition.figures.delete()
    counted(edition, accepted=99, rejected=1)
    assert "does not add up" not in text(owner)


def test_an_edition_is_shown_as_counted_and_its_skipped_with_their_reasons(owner: Client) -> None:
    edition = a_frozen_edition(TODAY - DAY, a_paper(), state=Edition.State.SENT)
    counted(edition, accepted=1500, skipped_paused=2, skipped_empty=1)
    said = text(owner)
    assert "1,503 1,500 0 0 3 2 paused, 1 nothing for them 0 0 0 adds up" in said
    rejected = reverse("admin:digest_delivery_changelist")
    assert f"{rejected}?edition__id__exact={edition.pk}&state__exact=accepted" in links(
        owner, reverse("admin:index")
    )


def test_deliveries_are_never_counted_by_looking(owner: Client) -> None:
    edition = a_frozen_edition(TODAY, a_paper(), state=Edition.State.SENDING, enrolled=1)
    a_delivery(edition, a_reader(), state=Delivery.State.ACCEPTED)
    assert "not counted yet" in text(owner)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        text(owner)
    counting = [
        query["sql"] for query in asked if "COUNT(" in query["sql"] and "digest_delivery" in query["sql"]
    ]
    assert counting == []


@pytest.mark.parametrize(
    ("accepted", "bounced", "complained", "tones"),
    [
        (10_000, 100, 5, ["good", "good"]),
        (10_000, 200, 10, ["warn", "warn"]),
        (10_000, 500, 30, ["bad", "bad"]),
        (100, 50, 50, ["plain", "plain"]),
    ],
)
def test_rates_are_held_against_their_limits(
    owner: Client, accepted: int, bounced: int, complained: int, tones: list[str]
) -> None:
    edition = a_frozen_edition(TODAY - 10 * DAY, a_paper(), state=Edition.State.SENT)
    counted(edition, facts={"bounced": bounced, "complained": complained}, accepted=accepted)
    answer = owner.get(reverse("admin:index"))
    complaints, bounces = answer.context["parts"]["rates"]["rows"]
    assert [complaints["shares"][1].tone, bounces["shares"][1].tone] == tones
    assert complaints["shares"][0].of == 0, "ten days ago is not within seven"


def test_silence_of_the_provider_is_not_taken_for_good_news(owner: Client) -> None:
    edition = a_frozen_edition(TODAY, a_paper(), state=Edition.State.SENT)
    counted(edition, accepted=500)
    assert "Nothing was heard back of 500 digests" in text(owner)


def test_receipts_say_what_came_of_each_source(owner: Client) -> None:
    answered("huggingface", state=IngestRun.State.QUIET, announced=0, new=0, unchanged=0)
    answered("arxiv", "cs.LG")
    answered("arxiv", "cs.AI", state=IngestRun.State.FAILED, error="It did not answer.")
    answered("arxiv", "cs.AI", day=TODAY - DAY, skipped=2, reasons={"no title": 2})
    said = text(owner)
    assert "Hugging Face quiet day: it had nothing not asked yet" in said
    assert "arXiv cs.LG announced 212, stored 212 not asked yet" in said
    assert "arXiv cs.AI failed: It did not answer. announced 212, stored 212, skipped 2 (2 no title)" in said
    assert "Failed today: arXiv cs.AI" in said


def test_the_newest_receipt_is_the_one_that_counts(owner: Client) -> None:
    answered("arxiv", "cs.LG", state=IngestRun.State.FAILED, started_at=NOON - 3 * HOUR, error="Away.")
    answered("arxiv", "cs.LG")
    said = text(owner)
    assert "Away." not in said
    assert "Failed today" not in said


def test_a_weekend_is_no_failure_of_arxiv() -> None:
    with time_machine.travel(NOON + 3 * DAY, tick=False):  # a Saturday
        assert "arXiv cs.LG nothing is announced on this day" in text(browser_of("curator"))


def test_receipts_lead_to_the_rows_behind_them(owner: Client) -> None:
    answered("arxiv", "cs.LG")
    where = next(link for link in links(owner, reverse("admin:index")) if "category__exact=cs.LG" in link)
    assert "212" in owner.get(where).content.decode()


def test_topics_are_told_by_readers_and_papers_and_the_dry_ones_named(owner: Client) -> None:
    Topic.objects.all().delete()
    vision, agents = a_topic("vision"), a_topic("agents")
    a_reader("", vision)
    a_reader("", vision, agents)
    a_paper("", vision)
    figures.keep(at=NOON)
    said = text(owner)
    assert "Vision 2 1 Agents 1 0" in said
    assert "without a paper in 30 days: Agents" in said


def test_the_oldest_due_digest_and_mail_tell_how_long_they_have_waited(owner: Client) -> None:
    edition = a_frozen_edition(TODAY, a_paper(), state=Edition.State.SENDING)
    reader = a_reader()
    a_delivery(edition, reader, not_before=NOON - 42 * MINUTE)
    a_delivery(edition, a_reader(), not_before=NOON + HOUR)
    SystemMail.objects.create(
        subscriber=reader, kind="confirm", created_at=NOON, not_before=NOON - 7 * MINUTE
    )
    said = text(owner)
    assert "Digests the oldest one due has waited 42 min" in said
    assert "Mails of the house the oldest one due has waited 7 min" in said


def test_what_a_paused_edition_holds_back_is_waiting_for_no_worker() -> None:
    held = a_frozen_edition(TODAY - DAY, a_paper(), state=Edition.State.PAUSED)
    sent = a_frozen_edition(TODAY, a_paper(), state=Edition.State.SENDING)
    a_delivery(held, a_reader(), not_before=NOON - 5 * HOUR)
    assert queues.oldest_digest(NOON) is None
    a_delivery(sent, a_reader(), not_before=NOON - 9 * MINUTE)
    assert queues.oldest_digest(NOON) == NOON - 9 * MINUTE


def test_a_digest_waits_since_its_edition_was_let_go_and_a_put_off_one_since_its_next_try() -> None:
    late = a_frozen_edition(
        TODAY,
        a_paper(),
        state=Edition.State.SENDING,
        approved_at=NOON - 30 * MINUTE,
        resumed_at=NOON - 2 * MINUTE,
    )
    a_delivery(late, a_reader(), not_before=NOON - 5 * HOUR)
    assert queues.oldest_digest(NOON) == NOON - 2 * MINUTE
    Delivery.objects.update(state=Delivery.State.DEFERRED, retry_at=NOON + MINUTE)
    assert queues.oldest_digest(NOON) is None
    Delivery.objects.update(retry_at=NOON - MINUTE)
    assert queues.oldest_digest(NOON) == NOON - MINUTE


def test_a_clock_that_stands_still_is_told(owner: Client) -> None:
    figures.keep(at=NOON - 3 * HOUR)
    assert "The hourly count is 3 h old" in text(owner)
    figures.keep(at=NOON - HOUR)
    assert "The hourly count is" not in text(owner)


def test_the_number_of_questions_does_not_grow_with_the_rows(owner: Client) -> None:
    a_working_day(editions=2, readers=2, topics=2)
    with CaptureQueriesContext(connection) as few:
        text(owner)
    Paper.objects.all().delete()
    for model in (Edition, IngestRun, Topic, Subscriber):
        model.objects.all().delete()
    a_working_day(editions=6, readers=20, topics=12)
    with CaptureQueriesContext(connection) as many:
        text(owner)
    assert len(few) == len(many)
    assert len(many) <= 35


@pytest.mark.parametrize("role", ROLES)
def test_no_link_of_the_first_page_leads_to_a_closed_door(role: str) -> None:
    a_working_day()
    client = browser_of(role)
    found = links(client, reverse("admin:index"))
    assert len(found) > 15
    answers = {link: client.get(link, follow=True).status_code for link in found}
    assert {link: code for link, code in answers.items() if code != 200} == {}


def test_a_curator_sees_counts_and_no_way_to_readers() -> None:
    a_working_day()
    client = browser_of("curator")
    assert "Active readers 6" in text(client)
    ways = links(client, reverse("admin:index"))
    closed = ("/subscribers/subscriber/", "/suppression/", "/consentevent/", "/systemmail/", "/auth/")
    assert [link for link in ways if any(part in link for part in closed)] == []


@pytest.mark.parametrize("role", ROLES)
def test_nobody_finds_an_address_on_the_first_page(role: str) -> None:
    a_working_day()
    assert "@example.org" not in text(browser_of(role))


def test_who_is_in_no_group_is_told_whom_to_ask(client: Client) -> None:
    client.force_login(User.objects.create_user("new", password="a-long-enough-word", is_staff=True))
    said = text(client)
    assert "Ask an owner to put you into one of the groups" in said
    assert "Readers" not in said


def test_the_table_behind_the_chart_goes_out_as_a_file(owner: Client) -> None:
    a_working_day()
    page = owner.get(reverse("admin:index")).content.decode()
    form = re.search(r'<form method="post" action="([^"]+)"', page)
    assert form is not None
    answer = owner.post(unescape(form[1]))
    lines = b"".join(answer).decode().splitlines()
    assert len(lines) == 7, "a line for each day and one of headings"
    assert date(2026, 3, 4).isoformat() in lines[1]


@pytest.mark.parametrize(
    ("role", "absent", "there"),
    [
        ("curator", {"Readers", "Suppression list", "Mails", "People", "Audit log"}, {"Editions", "Topics"}),
        ("operator", {"People", "Groups", "Audit log"}, {"Readers", "Imports", "Deliveries"}),
        ("owner", set(), {"Readers", "People", "Audit log", "Receipts", "Leaving reasons"}),
    ],
)
def test_the_menu_holds_what_a_role_may_open(role: str, absent: set[str], there: set[str]) -> None:
    page = html.fromstring(browser_of(role).get(reverse("admin:index")).content.decode())
    found = page.xpath("//div[@id='nav-sidebar-apps']//li/a/span[last()]/text()")
    assert isinstance(found, list)
    titles = {str(title).strip() for title in found}
    assert there <= titles
    assert not absent & titles
