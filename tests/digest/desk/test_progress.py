"""What is kept of an edition under way: exact, in time, and never counted by a page."""

from datetime import datetime, timedelta

import pytest

from digest import curation, progress, watching
from digest.delivery import balance, settling
from digest.models import Delivery, Edition, EditionFigures
from tests.cast import NOON
from tests.digest.desk.letters import MINUTE, a_moving_edition, deliveries

pytestmark = pytest.mark.django_db
State = Delivery.State
SECOND = timedelta(seconds=1)


@pytest.fixture
def edition() -> Edition:
    return a_moving_edition()


def test_every_state_is_counted_and_the_account_adds_up(edition: Edition) -> None:
    for many, state in enumerate(State.values, start=1):
        deliveries(edition, many, state)
    kept = progress.keep(edition, at=NOON)
    assert kept.states == {state: many for many, state in enumerate(State.values, start=1)}
    assert kept.enrolled == sum(kept.states.values())
    assert balance.kept(kept) == balance.balance(edition)
    assert balance.kept(kept).exact


def test_rows_that_are_gone_are_told_not_hidden(edition: Edition) -> None:
    deliveries(edition, 3, State.ACCEPTED)
    Delivery.objects.all()[:1].get().delete()
    assert not balance.kept(progress.keep(edition, at=NOON)).exact
    Delivery.objects.all().delete()
    kept = balance.kept(progress.keep(edition, at=NOON))
    assert (kept.enrolled, kept.accepted, kept.exact) == (3, 0, False)


def test_the_rate_is_of_what_was_worked_off_between_two_counts(edition: Edition) -> None:
    waiting = deliveries(edition, 40, State.READY)
    assert progress.keep(edition, at=NOON).rate == 0
    Delivery.objects.filter(pk__in=waiting[:20]).update(state=State.ACCEPTED, settled_at=NOON)
    assert progress.keep(edition, at=NOON + 10 * SECOND).rate == 2
    # What expires or is cancelled says nothing of how fast it goes.
    Delivery.objects.filter(pk__in=waiting[20:]).update(state=State.EXPIRED)
    assert progress.keep(edition, at=NOON + 20 * SECOND).rate == 1
    assert progress.keep(edition, at=NOON + 20 * SECOND).rate == 1, "counted twice in a second"


def test_who_waits_for_a_worker_and_who_for_their_hour(edition: Edition) -> None:
    deliveries(edition, 2, State.READY, not_before=NOON - 7 * MINUTE)
    deliveries(edition, 1, State.DEFERRED, not_before=NOON - 30 * MINUTE, retry_at=NOON + MINUTE)
    deliveries(edition, 3, State.READY, not_before=NOON + 60 * MINUTE)
    deliveries(edition, 1, State.READY, not_before=NOON + 90 * MINUTE)
    kept = progress.keep(edition, at=NOON)
    assert (kept.due, kept.oldest_due_at) == (2, NOON - 7 * MINUTE)
    assert (kept.next_at, kept.next_count) == (NOON + 60 * MINUTE, 3)
    assert kept.last_at == NOON + 90 * MINUTE
    assert progress.keep(edition, at=NOON + MINUTE).due == 3


def test_readers_who_are_enrolled_meanwhile_are_counted_into_their_hour() -> None:
    edition = a_moving_edition(state=Edition.State.APPROVED)
    for _ in range(2):
        deliveries(edition, 3, State.READY, not_before=NOON + 60 * MINUTE)
        kept = progress.keep(edition, at=NOON)
    assert kept.next_count == 6
    # The last pages came after that count, and by now the edition is sending.
    deliveries(edition, 3, State.READY, not_before=NOON + 60 * MINUTE)
    Edition.objects.update(state=Edition.State.SENDING)
    edition.refresh_from_db()
    assert progress.keep(edition, at=NOON + 5 * SECOND).next_count == 9
    # An hour that is known is not counted again.
    Delivery.objects.filter(not_before__gt=NOON)[:1].get().delete()
    assert progress.keep(edition, at=NOON + 10 * SECOND).next_count == 9


def test_refusals_are_grouped_whatever_number_the_server_gave_them(edition: Edition) -> None:
    for queue in ("4fZk1234abcd", "9xQp9876efgh"):
        deliveries(edition, 1, State.REJECTED, detail=f"550 5.7.1 refused as spam ({queue})")
    deliveries(edition, 1, State.DEFERRED, detail="421 too many connections", submitted_at=NOON)
    groups = progress.keep(edition, at=NOON).refusals
    assert groups[0] == [State.REJECTED, "550 5.7.1 refused as spam …", 2, NOON.isoformat()]
    assert groups[1][:3] == [State.DEFERRED, "421 too many connections", 1]


def test_facts_are_counted_and_confirmations_every_ten_minutes(edition: Edition) -> None:
    rows = deliveries(edition, 4, State.ACCEPTED, delivered_at=NOON)
    Delivery.objects.filter(pk=rows[0]).update(bounced_at=NOON, soft_bounced_at=NOON)
    Delivery.objects.filter(pk=rows[1]).update(complained_at=NOON, left_at=NOON)
    facts = {"bounced": 1, "soft_bounced": 1, "complained": 1, "left": 1, "delivered": 4}
    assert progress.keep(edition, at=NOON).facts == facts
    Delivery.objects.filter(pk__in=rows[:2]).update(delivered_at=None, bounced_at=None)
    assert progress.keep(edition, at=NOON + MINUTE).facts == {**facts, "bounced": 0}
    assert progress.keep(edition, at=NOON + 10 * MINUTE).facts["delivered"] == 2


def counted(edition: Edition, at: datetime) -> bool:
    watching.watch(at=at)
    return EditionFigures.objects.filter(edition=edition, at=at).exists()


def test_what_moves_is_counted_every_five_seconds_and_a_dear_count_less_often(edition: Edition) -> None:
    assert counted(edition, NOON)
    assert not counted(edition, NOON + 4 * SECOND)
    assert counted(edition, NOON + 5 * SECOND)
    EditionFigures.objects.update(took=1.0)
    assert not counted(edition, NOON + 24 * SECOND)
    assert counted(edition, NOON + 25 * SECOND)


def test_what_is_over_is_counted_at_its_close_and_then_ever_more_rarely(edition: Edition) -> None:
    assert counted(edition, NOON)
    Edition.objects.update(state=Edition.State.SENT, closed_at=NOON + 2 * SECOND)
    assert counted(edition, NOON + 6 * SECOND)
    EditionFigures.objects.update(took=0)
    assert not counted(edition, NOON + 59 * SECOND)
    assert counted(edition, NOON + 66 * SECOND)
    Edition.objects.update(enrolled=1)  # somebody's welcome
    assert counted(edition, NOON + 72 * SECOND)
    Edition.objects.update(enrolled=0)
    assert counted(edition, NOON + timedelta(days=29))
    assert not counted(edition, NOON + timedelta(days=31))


def test_an_edition_that_nobody_approved_is_not_counted(edition: Edition) -> None:
    Edition.objects.update(state=Edition.State.EXPIRED, approved_at=None, closed_at=NOON)
    assert not counted(edition, NOON)


def test_cancelling_ends_what_waits_in_pages_and_the_account_is_exact_throughout(
    edition: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "PAGE", 2)
    deliveries(edition, 7, State.READY)
    deliveries(edition, 1, State.DEFERRED, retry_at=NOON)
    deliveries(edition, 5, State.ACCEPTED)
    curation.cancel(edition, at=NOON)
    assert Delivery.objects.waiting().count() == 8, "the button waits for no row"
    left = []
    while settling.end_cancelled(at=NOON, pages=1):
        account = balance.kept(progress.keep(edition, at=NOON))
        assert account.exact
        left.append(account.open)
    assert left == [6, 4, 2, 0]
    assert balance.balance(edition).cancelled == 8


def test_the_clock_ends_what_was_cancelled(edition: Edition) -> None:
    deliveries(edition, 3, State.READY)
    curation.cancel(edition, at=NOON)
    watching.watch(at=NOON)
    edition.refresh_from_db()
    kept = progress.figures(Edition.objects.select_related("figures").get())
    assert kept is not None
    assert (kept.states, balance.kept(kept).exact) == ({State.CANCELLED: 3}, True)
