"""The page an edition is let go from, stopped and watched on: deeds, refusals in sentences, figures."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from digest import curation, editions, enrolling, halting, progress
from digest.delivery import balance
from digest.models import Decision, Delivery, Edition, EditionFigures
from subscribers.models import AuditEvent
from tests.cast import a_frozen_edition, a_paper, a_reader
from tests.digest.access.people import ROLES, browser_of, somebody
from tests.digest.desk.letters import WEDNESDAY, a_moving_edition, deliveries

pytestmark = pytest.mark.django_db
State = Delivery.State
SIX = datetime(2026, 3, 4, 6, tzinfo=UTC)
DEEDS = {
    "approve": "digest.approve_edition",
    "pause": "digest.stop_edition",
    "resume": "digest.stop_edition",
    "cancel": "digest.stop_edition",
    "resend": "digest.resend_unknown",
}


@pytest.fixture(autouse=True)
def _half_past_six() -> Any:
    with time_machine.travel(SIX + timedelta(minutes=30), tick=False):
        yield


@pytest.fixture
def curator() -> Client:
    return browser_of("curator")


@pytest.fixture
def frozen() -> Edition:
    return a_frozen_edition(WEDNESDAY, a_paper(), a_paper(), state=Edition.State.FROZEN)


def at(edition: Edition, deed: str = "") -> str:
    return reverse(f"admin:edition_sending_{deed}" if deed else "admin:edition_sending", args=[edition.pk])


def seen(client: Client, edition: Edition, deed: str = "") -> str:
    answer = client.get(at(edition, deed), follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def press(client: Client, edition: Edition, deed: str, **fields: Any) -> str:
    """Do a deed by its button and return the page that it leads to."""
    answer = client.post(at(edition, deed), fields, follow=True)
    assert answer.status_code == 200
    assert answer.redirect_chain == [(at(edition), 302)]
    return answer.content.decode()


def state_of(edition: Edition) -> str:
    return Edition.objects.get(pk=edition.pk).state


class TestApproving:
    def test_states_who_gets_it_and_when_and_what_is_missing(self, curator: Client, frozen: Edition) -> None:
        for zone in ("Asia/Tokyo", "America/New_York", "Europe/Berlin"):
            a_reader(time_zone=zone)
        a_reader(frequency="weekly", weekday=4)
        frozen.missing_sources = ["arxiv"]
        frozen.save()
        page = seen(curator, frozen, "approve")
        assert "3 readers" in page
        assert "About" not in page.split("snd-question")[1].split("</form>")[0]
        assert "Wednesday 4 March, 07:00 in Europe/Berlin (06:00 UTC)" in page
        assert "Thursday 5 March, 07:00 in Asia/Tokyo (22:00 UTC on Wednesday 4 March)" in page
        assert "arXiv failed" in page
        assert "none pinned" in page
        assert "none written" in page
        assert state_of(frozen) == Edition.State.FROZEN, "asking changes nothing"

    def test_says_so_where_nobody_would_get_it(self, curator: Client, frozen: Edition) -> None:
        assert "Nobody is due to get it" in seen(curator, frozen, "approve")

    def test_says_whose_hour_is_over(self, frozen: Edition) -> None:
        a_reader(time_zone="UTC")
        a_reader(time_zone="UTC", send_minute=9 * 60)
        with time_machine.travel(SIX + timedelta(hours=14), tick=False):
            page = seen(browser_of("curator"), frozen, "approve")
        assert "1 reader" in page
        assert "1, whose hour was more than twelve hours ago" in page
        assert "1, whose hour has come already" in page

    def test_approves_with_a_decision_and_a_line_in_the_log(self, curator: Client, frozen: Edition) -> None:
        a_reader()
        assert "Approved." in press(curator, frozen, "approve", revision=frozen.revision)
        assert state_of(frozen) == Edition.State.APPROVED
        decision = Decision.objects.get()
        assert (decision.kind, decision.by_name) == ("approved", "curator-1")
        event = AuditEvent.objects.latest("pk")
        assert (event.kind, event.about, event.detail) == ("deed", "edition of 2026-03-04", "approved")

    def test_says_when_the_first_leave_while_nobody_is_due(self, curator: Client, frozen: Edition) -> None:
        a_reader(time_zone="Asia/Tokyo")
        page = press(curator, frozen, "approve", revision=frozen.revision)
        assert "it waits for the first readers’ hour" in page
        assert "The first digests leave on Thursday 5 March, 07:00 in Asia/Tokyo" in page
        assert "being enrolled" not in page

    def test_says_that_readers_are_enrolled_where_some_are_due(
        self, curator: Client, frozen: Edition
    ) -> None:
        a_reader(time_zone="Europe/Berlin")
        page = press(curator, frozen, "approve", revision=frozen.revision)
        assert "Approved: readers are being enrolled" in page

    def test_twice_from_two_browsers_is_once_and_says_who(self, curator: Client, frozen: Edition) -> None:
        other = Client()
        other.force_login(somebody("curator", "ben"))
        seen(curator, frozen, "approve"), seen(other, frozen, "approve")
        press(other, frozen, "approve", revision=frozen.revision)
        page = press(curator, frozen, "approve", revision=frozen.revision)
        assert (
            "It is approved already: ben approved the edition at 06:30 UTC. Nothing was done twice." in page
        )
        assert Decision.objects.count() == 1
        assert AuditEvent.objects.filter(kind="deed").count() == 1

    def test_of_an_approval_of_another_day_the_day_is_told(self, curator: Client, frozen: Edition) -> None:
        press(curator, frozen, "approve", revision=frozen.revision)
        assert "curator-1 approved the edition at 06:30 UTC." in seen(curator, frozen)
        with time_machine.travel(SIX + timedelta(days=2), tick=False):
            later = seen(browser_of("operator"), frozen)
        assert "curator-1 approved the edition at 06:30 UTC on 4 March." in later

    def test_what_has_changed_since_the_page_was_shown_is_looked_at_again(
        self, curator: Client, frozen: Edition
    ) -> None:
        paper = frozen.candidates.first()
        assert paper is not None
        curation.hide(frozen, paper.paper, by=curation.By(None, "ben"))
        page = press(curator, frozen, "approve", revision=frozen.revision)
        assert "ben hid" in page
        assert "after your page was made" in page
        assert state_of(frozen) == Edition.State.FROZEN

    @pytest.mark.parametrize("revision", ["", "-1", "many", "9" * 30, "٣"])
    def test_a_form_without_its_revision_approves_nothing(
        self, curator: Client, frozen: Edition, revision: str
    ) -> None:
        paper = frozen.candidates.first()
        assert paper is not None
        curation.hide(frozen, paper.paper)
        press(curator, frozen, "approve", revision=revision)
        assert state_of(frozen) == Edition.State.FROZEN

    @pytest.mark.parametrize(
        ("state", "says"),
        [
            (Edition.State.OPEN, "Its papers are not fixed yet."),
            (Edition.State.EMPTY, "It has no papers"),
            (Edition.State.EXPIRED, "Its time is over"),
            (Edition.State.CANCELLED, "It was cancelled and stays so."),
            (Edition.State.SENDING, "It is approved already"),
            (Edition.State.SENT, "It is approved already"),
            (Edition.State.PAUSED, "It is approved already"),
        ],
    )
    def test_one_that_cannot_go_gets_a_sentence(
        self, curator: Client, frozen: Edition, state: str, says: str
    ) -> None:
        Edition.objects.update(state=state)
        assert says in seen(curator, frozen, "approve")
        assert says in press(curator, frozen, "approve", revision=0)
        assert state_of(frozen) == state
        assert not Decision.objects.exists()

    def test_one_with_every_paper_hidden_is_empty_too(self, curator: Client, frozen: Edition) -> None:
        frozen.candidates.update(hidden=True)
        assert "Show one first." in press(curator, frozen, "approve", revision=0)
        assert state_of(frozen) == Edition.State.FROZEN


class TestStopping:
    def test_pausing_keeps_the_reason_and_resuming_goes_on(self, curator: Client) -> None:
        edition = a_moving_edition()
        page = press(curator, edition, "pause", reason="  A typo in\nthe note <b> ")
        assert escape("A typo in the note <b>") in page
        assert state_of(edition) == Edition.State.PAUSED
        press(curator, edition, "resume")
        assert state_of(edition) == Edition.State.SENDING
        assert [each.kind for each in Decision.objects.order_by("pk")] == ["paused", "resumed"]
        logged = AuditEvent.objects.filter(kind="deed").order_by("pk").values_list("detail", flat=True)
        assert list(logged) == ["paused: A typo in the note <b>", "resumed"]

    def test_a_reason_too_long_is_told_and_kept(self, curator: Client) -> None:
        edition = a_moving_edition()
        answer = curator.post(at(edition, "pause"), {"reason": "long " * 50})
        assert answer.status_code == 400
        page = answer.content.decode()
        assert "It has 249 characters; 200 is the most. Nothing is paused yet." in page
        assert "long long" in page
        assert state_of(edition) == Edition.State.SENDING

    @pytest.mark.parametrize("state", ["sent", "cancelled", "expired", "frozen", "empty"])
    def test_pausing_what_does_not_move_gets_a_sentence(self, curator: Client, state: str) -> None:
        edition = a_moving_edition(state=state)
        page = press(curator, edition, "pause")
        assert f"It is {state} and was not paused. Only what is approved or being sent can be paused." in page
        assert state_of(edition) == state

    def test_pausing_twice_says_who_did_it_first(self, curator: Client) -> None:
        edition = a_moving_edition()
        press(curator, edition, "pause")
        again = press(curator, edition, "pause")
        told = "It is paused already. curator-1 paused the edition at 06:30 UTC. Nothing was done twice."
        assert told in again

    @pytest.mark.parametrize("state", ["sent", "cancelled", "sending", "frozen"])
    def test_resuming_what_is_not_paused_gets_a_sentence(self, curator: Client, state: str) -> None:
        edition = a_moving_edition(state=state)
        assert f"It is {state} and was not resumed." in press(curator, edition, "resume")
        assert state_of(edition) == state

    def test_cancelling_says_how_many_have_gone_and_how_many_will_not(self, curator: Client) -> None:
        edition = a_moving_edition()
        deliveries(edition, 3, State.ACCEPTED)
        deliveries(edition, 5, State.READY)
        progress.keep(edition, at=SIX)
        page = seen(curator, edition, "cancel")
        assert re.search(r"Have gone</dt><dd>3<", page)
        assert re.search(r"Will not go</dt><dd>5<", page)
        assert state_of(edition) == Edition.State.SENDING
        press(curator, edition, "cancel")
        assert state_of(edition) == Edition.State.CANCELLED
        assert "It is cancelled already. curator-1 cancelled the edition" in press(curator, edition, "cancel")
        assert Decision.objects.count() == 1

    def test_while_a_cancelled_edition_ends_the_page_says_so_and_asks_on(self, curator: Client) -> None:
        edition = a_moving_edition()
        deliveries(edition, 5, State.READY)
        press(curator, edition, "cancel")
        progress.keep(edition, at=SIX)
        page = seen(curator, edition)
        assert "Ending: 5 rows are being closed" in page
        assert "adds up" in page
        assert "hx-get" in page

    def test_an_edition_that_stopped_by_itself_says_why(self, curator: Client) -> None:
        edition = a_moving_edition()
        now = SIX + timedelta(minutes=30)
        rows = deliveries(edition, 200, State.ACCEPTED, at=now)
        Delivery.objects.filter(pk__in=rows[:20]).update(bounced_at=now)
        halting.look(edition, at=now)
        assert "Paused by itself: 20 of 200 digests" in seen(curator, edition)


class TestRights:
    @pytest.mark.parametrize("role", ROLES)
    @pytest.mark.parametrize("deed", DEEDS)
    def test_each_deed_needs_its_permission(self, role: str, deed: str, frozen: Edition) -> None:
        may = {
            "curator": {"approve", "pause", "resume", "cancel"},
            "operator": {"pause", "resume", "cancel", "resend"},
            "owner": set(DEEDS),
        }
        answer = browser_of(role).post(at(frozen, deed), {"revision": 0})
        if deed in may.get(role, set()):
            assert answer["Location"] == at(frozen)
        elif role in {"stranger", "reader"}:
            assert "/login/" in answer["Location"]
        else:
            assert answer.status_code == 403
            assert state_of(frozen) == Edition.State.FROZEN

    @pytest.mark.parametrize("deed", DEEDS)
    def test_opening_the_address_of_a_deed_changes_nothing(self, deed: str) -> None:
        edition = a_moving_edition()
        deliveries(edition, 1, State.UNKNOWN)
        before = Edition.objects.values().get()
        owner = browser_of("owner")
        owner.get(at(edition, deed))
        owner.head(at(edition, deed))
        assert Edition.objects.values().get() == before
        assert Delivery.objects.get().state == State.UNKNOWN

    @pytest.mark.parametrize("deed", DEEDS)
    def test_a_form_from_elsewhere_is_refused(self, deed: str, frozen: Edition) -> None:
        careful = Client(enforce_csrf_checks=True)
        careful.force_login(somebody("curator"))
        assert careful.post(at(frozen, deed)).status_code == 403
        assert state_of(frozen) == Edition.State.FROZEN

    def test_only_what_one_may_do_is_offered(self, frozen: Edition) -> None:
        assert "snd-approve" in seen(browser_of("curator"), frozen)
        assert "snd-approve" not in seen(browser_of("operator"), frozen)


class TestWatching:
    def test_the_account_is_shown_by_state_with_reasons_and_adds_up(self, curator: Client) -> None:
        edition = a_moving_edition()
        for many, state in enumerate(State.values, start=2):
            deliveries(edition, many, state)
        progress.keep(edition, at=SIX)
        page = seen(curator, edition)
        for many, state in enumerate(State.values, start=2):
            assert f"state__exact={state}" in page, state
            assert f">{many}</a>" in page
        assert "adds up" in page
        assert "does not add up" not in page

    def test_each_figure_leads_to_as_many_rows(self, curator: Client) -> None:
        edition = a_moving_edition()
        for many, state in enumerate(State.values, start=2):
            deliveries(edition, many, state)
        progress.keep(edition, at=SIX)
        links = re.findall(r'href="([^"]*delivery/[^"]*)"[^>]*>(\d+)</a>', seen(curator, edition))
        assert len(links) >= 13
        for link, many in links:
            assert curator.get(link.replace("&amp;", "&")).context["cl"].result_count == int(many), link

    def test_an_account_that_does_not_add_up_is_told_loudly(self, curator: Client) -> None:
        edition = a_moving_edition()
        deliveries(edition, 3, State.ACCEPTED)
        Edition.objects.update(enrolled=4)
        progress.keep(edition, at=SIX)
        page = seen(curator, edition)
        assert "The account does not add up." in page
        assert "enrolled 4 != accepted 3" in page

    def test_the_page_counts_no_deliveries(self, curator: Client, django_assert_max_num_queries: Any) -> None:
        edition = a_moving_edition()
        deliveries(edition, 3, State.ACCEPTED)
        progress.keep(edition, at=SIX)
        seen(curator, edition)
        with django_assert_max_num_queries(12) as asked:
            curator.get(reverse("admin:edition_sending_figures", args=[edition.pk]), {"state": "sending"})
        assert not [query for query in asked.captured_queries if 'FROM "digest_delivery"' in query["sql"]]
        with django_assert_max_num_queries(20) as asked:
            seen(curator, edition)
        assert not [query for query in asked.captured_queries if 'FROM "digest_delivery"' in query["sql"]]

    def test_it_asks_on_while_the_edition_moves_and_no_more_when_it_is_over(self, curator: Client) -> None:
        edition = a_moving_edition()
        deliveries(edition, 3, State.ACCEPTED)
        progress.keep(edition, at=SIX)
        assert "every 3s" in seen(curator, edition)
        editions.close(edition, at=SIX)
        assert "every 3s" in seen(curator, edition), "its last count is from before it closed"
        progress.keep(edition, at=SIX + timedelta(seconds=1))
        assert "every 3s" not in seen(curator, edition)

    def test_a_page_whose_edition_has_moved_on_is_loaded_anew(self, curator: Client) -> None:
        edition = a_moving_edition()
        address = reverse("admin:edition_sending_figures", args=[edition.pk])
        assert "HX-Refresh" not in curator.get(address, {"state": "sending"})
        curation.pause(edition)
        assert curator.get(address, {"state": "sending"})["HX-Refresh"] == "true"

    @pytest.mark.parametrize(
        ("kept", "says"),
        [
            ({"due": 600, "rate": 2.0}, "600 readers are due now: about 5 min left for these"),
            ({"due": 1, "rate": 2.0}, "1 reader is due now: less than a minute left"),
            ({"due": 30, "rate": 0.0}, "30 readers are due now. Workers begin within a minute."),
            ({"due": 20_000, "rate": 2.0}, "20,000 or more readers are due now: about 3 h left"),
            (
                {"due": 0, "next_at": SIX + timedelta(hours=1), "next_count": 1200},
                "Nobody is due at the moment: readers’ local hours decide, not the rate.",
            ),
            (
                {"due": 0, "next_at": SIX + timedelta(hours=1), "next_count": 1200},
                "Next: 1,200 readers are due at 07:00 UTC.",
            ),
            (
                {"due": 0, "next_at": SIX + timedelta(hours=18), "last_at": SIX + timedelta(hours=19)},
                "The last hour is 01:00 UTC on Thursday 5 March.",
            ),
        ],
    )
    def test_what_decides_how_long_it_takes_is_said(
        self, curator: Client, kept: dict[str, Any], says: str
    ) -> None:
        edition = a_moving_edition(enrolled=5)
        EditionFigures.objects.create(edition=edition, states={"ready": 5}, enrolled=5, at=SIX, **kept)
        assert says in seen(curator, edition)

    def test_a_count_that_is_too_old_says_what_to_look_at(self, curator: Client) -> None:
        edition = a_moving_edition()
        EditionFigures.objects.create(edition=edition, at=SIX + timedelta(minutes=27))
        assert "The last count was 3 minutes ago. See that a worker and beat are running." in seen(
            curator, edition
        )

    def test_what_servers_say_is_text_and_without_addresses(self, curator: Client) -> None:
        edition = a_moving_edition()
        deliveries(edition, 1, State.REJECTED, detail="550 <script>alert(document)</script>")
        progress.keep(edition, at=SIX)
        page = seen(curator, edition)
        assert "<script>alert" not in page
        assert "550 &lt;script" in page

    def test_a_whole_edition_from_approval_to_its_end_adds_up_on_the_page(
        self, curator: Client, frozen: Edition
    ) -> None:
        for _ in range(5):
            a_reader()
        press(curator, frozen, "approve", revision=0)
        assert "The first digests leave on Wednesday 4 March, 07:00" in seen(curator, frozen)
        frozen.refresh_from_db()
        enrolling.enroll(frozen, at=SIX + timedelta(minutes=31))
        frozen.refresh_from_db()
        kept = progress.keep(frozen, at=SIX + timedelta(minutes=31))
        assert balance.kept(kept).exact
        assert "Next: 5 readers are due at 07:00 UTC." in seen(curator, frozen)
