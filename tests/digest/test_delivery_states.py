"""The state machine of a delivery, step by step, on its own rows."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core.mail import EmailMessage

from digest import curation
from digest.delivery import claiming, settling
from digest.delivery.balance import balance
from digest.delivery.sending import Prepared, submit
from digest.models import Delivery, Edition
from digest.ranking import Pick
from subscribers.models import Subscriber, Suppression
from subscribers.transport import Fate, Outcome
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader

pytestmark = pytest.mark.django_db

WEDNESDAY = date(2026, 3, 4)
HOUR = timedelta(hours=1)
State = Delivery.State


@pytest.fixture
def edition() -> Edition:
    return a_frozen_edition(WEDNESDAY, a_paper(), state=Edition.State.SENDING)


def a_delivery(edition: Edition, reader: Subscriber | None = None, **fields: Any) -> Delivery:
    reader = reader or a_reader()
    defaults: dict[str, Any] = {
        "address_hash": reader.address_hash,
        "local_date": edition.day,
        "not_before": NOON - HOUR,
        "expires_at": NOON + 11 * HOUR,
    }
    delivery = Delivery.objects.create(edition=edition, subscriber=reader, **{**defaults, **fields})
    Edition.objects.filter(pk=edition.pk).update(enrolled=edition.deliveries.count())
    return delivery


def claim(at: datetime = NOON, **options: Any) -> list[Delivery]:
    return claiming.claim(owner="worker", at=at, limit=options.pop("limit", 10), **options)


def prepared(delivery: Delivery) -> Prepared:
    paper = delivery.edition.candidates.get().paper
    return Prepared(delivery, [Pick(paper.pk, "editor’s pick")], EmailMessage("A subject"), NOON)


def state_of(delivery: Delivery) -> str:
    return Delivery.objects.values_list("state", flat=True).get(pk=delivery.pk)


class TestClaiming:
    def test_takes_what_is_due_the_longest_waiting_first(self, edition: Edition) -> None:
        late = a_delivery(edition, not_before=NOON - HOUR)
        later = a_delivery(edition, not_before=NOON)
        a_delivery(edition, not_before=NOON + HOUR)
        early = a_delivery(edition, not_before=NOON - 2 * HOUR)
        assert claim() == [early, late, later]

    def test_now_ignores_the_local_hour_but_not_a_retry_delay(self, edition: Edition) -> None:
        evening = a_delivery(edition, not_before=NOON + 6 * HOUR)
        a_delivery(edition, state=State.DEFERRED, retry_at=NOON + HOUR)
        assert claim(any_hour=True) == [evening]

    def test_a_claimed_row_is_nobody_elses_until_its_lease_is_over(self, edition: Edition) -> None:
        delivery = a_delivery(edition)
        assert [row.epoch for row in claim()] == [1]
        assert claim() == []
        (again,) = claim(NOON + HOUR)
        assert (again.pk, again.epoch) == (delivery.pk, 2)

    @pytest.mark.parametrize("state", [State.SUBMITTING, State.UNKNOWN, State.ACCEPTED, State.EXPIRED])
    def test_what_was_on_the_wire_is_never_claimed_again(self, edition: Edition, state: str) -> None:
        a_delivery(edition, state=state, lease_until=NOON - 5 * HOUR)
        assert claim() == []

    @pytest.mark.parametrize("state", [Edition.State.PAUSED, Edition.State.FROZEN, Edition.State.CANCELLED])
    def test_an_edition_that_may_not_leave_keeps_its_rows(self, edition: Edition, state: str) -> None:
        a_delivery(edition)
        Edition.objects.update(state=state)
        assert claim() == []

    def test_a_batch_is_no_larger_than_asked(self, edition: Edition) -> None:
        for _ in range(5):
            a_delivery(edition)
        assert len(claim(limit=2)) == 2

    def test_release_gives_back_only_what_is_still_held(self, edition: Edition) -> None:
        a_delivery(edition), a_delivery(edition)
        first, second = claim()
        Delivery.objects.filter(pk=second.pk).update(epoch=9)
        claiming.release([first, second])
        assert (state_of(first), state_of(second)) == (State.READY, State.CLAIMED)

    def test_renewing_keeps_a_claim_that_is_still_held(self, edition: Edition) -> None:
        a_delivery(edition)
        held = claim()
        claiming.renew(held, owner="worker", at=NOON + timedelta(minutes=4))
        assert claim(NOON + timedelta(minutes=6)) == []

    def test_renewing_does_not_take_back_a_claim_that_lapsed(self, edition: Edition) -> None:
        a_delivery(edition)
        held = claim()
        claiming.renew(held, owner="worker", at=NOON + HOUR)
        claiming.renew(held, owner="somebody else", at=NOON)
        assert len(claim(NOON + HOUR)) == 1


class TestTheLastLook:
    def test_commits_submitting_with_the_picks_and_the_attempt(self, edition: Edition) -> None:
        a_delivery(edition)
        (held,) = claim()
        assert [item.delivery.pk for item in submit([prepared(held)], at=NOON)] == [held.pk]
        row = Delivery.objects.get()
        assert (row.state, row.attempts, row.subject) == (State.SUBMITTING, 1, "A subject")
        assert row.picks == [[edition.candidates.get().paper_id, "editor’s pick"]]
        assert row.lease_until
        assert row.lease_until > NOON

    @pytest.mark.parametrize(
        ("change", "state"),
        [
            ({"status": Subscriber.Status.UNSUBSCRIBED}, State.SKIPPED_UNSUBSCRIBED),
            ({"status": Subscriber.Status.SUPPRESSED}, State.SKIPPED_UNSUBSCRIBED),
            ({"paused_until": WEDNESDAY + timedelta(days=1)}, State.SKIPPED_PAUSED),
        ],
    )
    def test_sees_what_the_reader_did_since_the_claim(
        self, edition: Edition, change: dict[str, Any], state: str
    ) -> None:
        delivery = a_delivery(edition)
        (held,) = claim()
        Subscriber.objects.update(**change)
        assert submit([prepared(held)], at=NOON) == []
        assert state_of(delivery) == state

    def test_sees_an_erased_reader(self, edition: Edition) -> None:
        delivery = a_delivery(edition)
        (held,) = claim()
        Subscriber.objects.all().delete()
        assert submit([prepared(held)], at=NOON) == []
        assert state_of(delivery) == State.SKIPPED_UNSUBSCRIBED

    def test_sees_the_suppression_list(self, edition: Edition) -> None:
        delivery = a_delivery(edition)
        (held,) = claim()
        Suppression.objects.create(address_hash=held.address_hash, reason="bounce", source="test", at=NOON)
        assert submit([prepared(held)], at=NOON) == []
        assert state_of(delivery) == State.SKIPPED_SUPPRESSED

    def test_sees_that_the_hour_is_over(self, edition: Edition) -> None:
        delivery = a_delivery(edition, expires_at=NOON)
        (held,) = claim(NOON - HOUR / 60)
        assert submit([prepared(held)], at=NOON) == []
        assert state_of(delivery) == State.EXPIRED

    def test_a_cancelled_edition_sends_nothing_more(self, edition: Edition) -> None:
        delivery = a_delivery(edition)
        (held,) = claim()
        curation.cancel(edition, at=NOON)
        assert submit([prepared(held)], at=NOON) == []
        assert state_of(delivery) == State.CANCELLED

    def test_a_paused_edition_gives_its_rows_back(self, edition: Edition) -> None:
        delivery = a_delivery(edition)
        (held,) = claim()
        curation.pause(edition)
        assert submit([prepared(held)], at=NOON) == []
        assert state_of(delivery) == State.READY
        curation.resume(edition, at=NOON)
        assert claim() == [delivery]

    def test_an_owner_whose_lease_is_over_may_not_send(self, edition: Edition) -> None:
        a_delivery(edition)
        (held,) = claim()
        assert submit([prepared(held)], at=NOON + HOUR) == []

    def test_an_owner_whose_row_was_taken_over_may_not_send(self, edition: Edition) -> None:
        a_delivery(edition)
        (old,) = claim()
        (new,) = claim(NOON + HOUR)
        assert submit([prepared(old)], at=NOON + HOUR) == []
        assert len(submit([prepared(new)], at=NOON + HOUR)) == 1


class TestSettling:
    @pytest.fixture
    def sent(self, edition: Edition) -> Prepared:
        a_delivery(edition)
        (item,) = submit([prepared(held) for held in claim()], at=NOON)
        return item

    @pytest.mark.parametrize(
        ("fate", "state"),
        [
            (Fate.ACCEPTED, State.ACCEPTED),
            (Fate.REJECTED, State.REJECTED),
            (Fate.UNKNOWN, State.UNKNOWN),
            (Fate.DEFERRED, State.DEFERRED),
            (Fate.NOT_SENT, State.DEFERRED),
        ],
    )
    def test_each_fate_has_its_state(self, sent: Prepared, fate: Fate, state: str) -> None:
        settling.settle([(sent, Outcome(fate, "said so", provider_id="p-1"))], at=NOON)
        row = Delivery.objects.get()
        assert (row.state, row.detail, row.lease_until) == (state, "said so", None)

    def test_an_outcome_of_an_old_epoch_writes_nothing(self, sent: Prepared) -> None:
        Delivery.objects.update(epoch=7)
        settling.settle([(sent, Outcome(Fate.ACCEPTED))], at=NOON)
        assert state_of(sent.delivery) == State.SUBMITTING

    @pytest.mark.parametrize("fate", [Fate.ACCEPTED, Fate.REJECTED])
    def test_an_owner_that_comes_back_after_the_sweep_knows_better_than_unknown(
        self, sent: Prepared, fate: Fate
    ) -> None:
        settling.sweep(at=NOON + HOUR)
        settling.settle([(sent, Outcome(fate))], at=NOON + HOUR)
        assert state_of(sent.delivery) == fate.value

    def test_what_was_swept_is_not_tried_again_even_if_its_owner_says_not_sent(self, sent: Prepared) -> None:
        settling.sweep(at=NOON + HOUR)
        settling.settle([(sent, Outcome(Fate.NOT_SENT))], at=NOON + HOUR)
        assert state_of(sent.delivery) == State.UNKNOWN

    def test_a_dead_address_is_suppressed_and_a_refused_content_is_not(self, sent: Prepared) -> None:
        settling.settle([(sent, Outcome(Fate.REJECTED, "554 content", address_is_bad=False))], at=NOON)
        assert not Suppression.objects.exists()
        Delivery.objects.update(state=State.SUBMITTING)
        settling.settle([(sent, Outcome(Fate.REJECTED, "550 5.1.1", address_is_bad=True))], at=NOON)
        assert Suppression.objects.get().address_hash == sent.delivery.address_hash
        assert Subscriber.objects.get().status == Subscriber.Status.SUPPRESSED

    def test_the_servers_retry_after_is_obeyed(self, sent: Prepared) -> None:
        settling.settle([(sent, Outcome(Fate.DEFERRED, retry_after=900.0))], at=NOON)
        row = Delivery.objects.get()
        assert row.retry_at
        assert row.retry_at >= NOON + timedelta(seconds=900)
        assert claim(NOON + timedelta(seconds=899)) == []
        assert len(claim(NOON + HOUR)) == 1

    def test_delays_grow_with_the_attempts(self) -> None:
        delays = [settling.retry_delay(attempts, None) for attempts in range(1, 9)]
        assert delays[0] >= timedelta(seconds=5)
        assert delays[:5] == sorted(delays[:5])
        assert delays[7] <= timedelta(hours=1)

    def test_a_newer_row_that_comes_at_the_same_moment_costs_no_other_outcome(
        self, edition: Edition, sent: Prepared
    ) -> None:
        a_delivery(edition)
        (other,) = submit([prepared(held) for held in claim()], at=NOON)
        newer = a_frozen_edition(WEDNESDAY + timedelta(days=1), a_paper(), state=Edition.State.SENDING)
        a_delivery(newer, sent.delivery.subscriber)
        settling.settle([(sent, Outcome(Fate.NOT_SENT)), (other, Outcome(Fate.ACCEPTED))], at=NOON)
        assert (state_of(sent.delivery), state_of(other.delivery)) == (State.EXPIRED, State.ACCEPTED)

    def test_a_deferred_row_gives_way_to_a_newer_edition(self, sent: Prepared) -> None:
        newer = a_frozen_edition(WEDNESDAY + timedelta(days=1), a_paper(), state=Edition.State.SENDING)
        a_delivery(newer, sent.delivery.subscriber)
        settling.settle([(sent, Outcome(Fate.DEFERRED))], at=NOON)
        assert state_of(sent.delivery) == State.EXPIRED


class TestTheSweep:
    def test_a_dead_workers_submitting_row_becomes_unknown_and_is_not_sent_again(
        self, edition: Edition
    ) -> None:
        delivery = a_delivery(edition)
        submit([prepared(held) for held in claim()], at=NOON)
        settling.sweep(at=NOON + timedelta(seconds=1))
        assert state_of(delivery) == State.SUBMITTING
        settling.sweep(at=NOON + HOUR)
        assert state_of(delivery) == State.UNKNOWN
        assert claim(NOON + HOUR) == []

    def test_what_waits_beyond_its_hour_expires(self, edition: Edition) -> None:
        waiting = [a_delivery(edition, state=state) for state in Delivery.WAITING]
        done = a_delivery(edition, state=State.ACCEPTED)
        settling.sweep(at=NOON + 11 * HOUR)
        assert {state_of(delivery) for delivery in waiting} == {State.EXPIRED}
        assert state_of(done) == State.ACCEPTED


class TestTheBalance:
    def test_every_state_is_counted_once(self, edition: Edition) -> None:
        for state in Delivery.State:
            a_delivery(edition, state=state)
        account = balance(edition)
        assert account.exact
        assert (account.enrolled, account.skipped, account.open) == (13, 4, 4)

    def test_a_row_that_vanished_shows(self, edition: Edition) -> None:
        a_delivery(edition)
        Delivery.objects.all().delete()
        assert not balance(edition).exact
        assert "!=" in str(balance(edition))

    def test_an_erased_readers_words_go_and_the_count_stays(self, edition: Edition) -> None:
        words = [[7, "matches “a rare disease”"]]
        a_delivery(edition, state=State.ACCEPTED, picks=words, subject="Daily Papers: a rare disease")
        Subscriber.objects.all().delete()
        row = Delivery.objects.get()
        assert (row.picks, row.subject) == ([[7, ""]], "")

    def test_an_erased_reader_stays_in_the_account(self, edition: Edition) -> None:
        a_delivery(edition, state=State.ACCEPTED)
        Subscriber.objects.all().delete()
        assert balance(edition).accepted == 1
        assert balance(edition).exact
