"""An edition stops by itself before providers stop it, says why, and goes on when a person says so."""

from datetime import timedelta

import pytest

from digest import curation, halting, watching
from digest.delivery.settling import settle_by_evidence
from digest.models import Decision, Delivery, Edition
from subscribers.models import Suppression
from tests.cast import NOON
from tests.digest.desk.letters import MINUTE, a_moving_edition, deliveries

pytestmark = pytest.mark.django_db
State = Delivery.State
HOUR = timedelta(hours=1)


@pytest.fixture
def edition() -> Edition:
    return a_moving_edition()


def state_of(edition: Edition) -> str:
    return Edition.objects.get(pk=edition.pk).state


def bounced(rows: list[int]) -> None:
    Delivery.objects.filter(pk__in=rows).update(bounced_at=NOON)


def test_more_than_one_in_twenty_bounced_stops_it_and_says_so(edition: Edition) -> None:
    rows = deliveries(edition, 200, State.ACCEPTED)
    bounced(rows[:10])
    assert halting.look(edition, at=NOON) == ""
    bounced(rows[10:11])
    why = halting.look(edition, at=NOON)
    assert why.startswith(
        "Paused by itself: 11 of 200 digests that left in the last hour bounced for good, 5.5%"
    )
    edition.refresh_from_db()
    assert (edition.state, edition.pause_reason) == (Edition.State.PAUSED, why)
    assert Decision.objects.get().kind == Decision.Kind.PAUSED
    assert Decision.objects.get().by_name == ""


def test_a_few_bounces_of_a_few_digests_stop_nothing(edition: Edition) -> None:
    bounced(deliveries(edition, 199, State.ACCEPTED))
    assert halting.look(edition, at=NOON) == ""


def test_mailboxes_that_refuse_on_the_wire_count_and_other_refusals_do_not(edition: Edition) -> None:
    deliveries(edition, 189, State.ACCEPTED)
    refused = deliveries(edition, 11, State.REJECTED)
    assert halting.look(edition, at=NOON) == "", "our own message was refused; the mailboxes are there"
    for delivery in Delivery.objects.filter(pk__in=refused):
        Suppression.objects.create(
            address_hash=delivery.address_hash, reason=Suppression.Reason.BOUNCE, source="test", at=NOON
        )
    assert "11 of 200" in halting.look(edition, at=NOON)


def test_three_in_a_thousand_complaints_stop_it(edition: Edition) -> None:
    rows = deliveries(edition, 1_000, State.ACCEPTED)
    Delivery.objects.filter(pk__in=rows[:3]).update(complained_at=NOON)
    assert halting.look(edition, at=NOON) == "", "0.3 % is the limit, not beyond it"
    Delivery.objects.filter(pk=rows[3]).update(complained_at=NOON)
    assert "4 of 1,000 digests that left in the last hour were reported as spam, 0.4%" in halting.look(
        edition, at=NOON
    )


def test_complaints_of_fewer_than_a_thousand_stop_nothing(edition: Edition) -> None:
    rows = deliveries(edition, 999, State.ACCEPTED)
    Delivery.objects.filter(pk__in=rows[:50]).update(complained_at=NOON)
    assert halting.look(edition, at=NOON) == ""


def test_a_sudden_fault_does_not_hide_behind_a_good_morning(edition: Edition) -> None:
    deliveries(edition, 600, State.ACCEPTED, at=NOON - 3 * HOUR)
    bounced(deliveries(edition, 200, State.ACCEPTED)[:12])
    assert "12 of 200 digests that left in the last hour" in halting.look(edition, at=NOON)


def test_what_bounces_late_is_seen_over_the_day(edition: Edition) -> None:
    bounced(deliveries(edition, 200, State.ACCEPTED, at=NOON - 3 * HOUR)[:12])
    assert "12 of 200 digests that left in the last 24 hours" in halting.look(edition, at=NOON)


def test_once_a_person_let_it_go_on_only_what_leaves_since_counts(edition: Edition) -> None:
    bounced(deliveries(edition, 200, State.ACCEPTED, at=NOON - 10 * MINUTE)[:50])
    assert halting.look(edition, at=NOON)
    edition = curation.resume(edition, at=NOON)
    watching.watch(at=NOON + MINUTE)
    assert state_of(edition) == Edition.State.SENDING
    assert Edition.objects.get().pause_reason == ""
    # Bounces still come in of what left before.
    bounced(list(Delivery.objects.values_list("pk", flat=True)))
    watching.watch(at=NOON + 2 * MINUTE)
    assert state_of(edition) == Edition.State.SENDING
    bounced(deliveries(edition, 200, State.ACCEPTED, at=NOON + 3 * MINUTE)[:11])
    watching.watch(at=NOON + 4 * MINUTE)
    assert state_of(edition) == Edition.State.PAUSED
    assert "since it went on at 12:00 UTC" in Edition.objects.get().pause_reason


def test_what_left_before_a_person_let_it_go_on_stops_it_no_more_however_late_its_outcome_is_known(
    edition: Edition,
) -> None:
    rows = deliveries(edition, 200, State.UNKNOWN, at=NOON - MINUTE)
    curation.pause(edition)
    curation.resume(edition, at=NOON)
    bounced(rows)
    for delivery in Delivery.objects.all():
        settle_by_evidence(delivery, State.REJECTED, at=NOON + MINUTE)
    assert Delivery.objects.filter(state=State.REJECTED).count() == 200
    watching.watch(at=NOON + 2 * MINUTE)
    assert state_of(edition) == Edition.State.SENDING


def test_a_look_that_was_overtaken_by_a_person_changes_nothing(edition: Edition) -> None:
    bounced(deliveries(edition, 200, State.ACCEPTED, at=NOON - MINUTE)[:50])
    looked_at = Edition.objects.get()
    curation.pause(edition)
    curation.resume(edition, at=NOON)
    assert halting.look(looked_at, at=NOON) == ""
    assert state_of(edition) == Edition.State.SENDING


def test_the_clock_looks_and_another_editions_bounces_are_its_own(edition: Edition) -> None:
    Edition.objects.update(day=edition.day - timedelta(days=1))
    edition.refresh_from_db()
    bounced(deliveries(edition, 200, State.ACCEPTED)[:50])
    other = a_moving_edition()
    deliveries(other, 200, State.ACCEPTED)
    watching.watch(at=NOON)
    assert (state_of(edition), state_of(other)) == (Edition.State.PAUSED, Edition.State.SENDING)


@pytest.mark.parametrize("state", [Edition.State.SENT, Edition.State.PAUSED, Edition.State.CANCELLED])
def test_what_no_longer_leaves_is_not_stopped(edition: Edition, state: str) -> None:
    bounced(deliveries(edition, 200, State.ACCEPTED)[:50])
    Edition.objects.update(state=state)
    edition.refresh_from_db()
    assert halting.look(edition, at=NOON) == ""
    assert state_of(edition) == state
