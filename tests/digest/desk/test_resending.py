"""What has an unknown outcome goes again by hand alone: who, how many, never twice by one press."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from digest import enrolling
from digest.delivery import claiming, resending, settling
from digest.delivery import run as loop
from digest.delivery.balance import balance
from digest.delivery.sending import Prepared
from digest.models import Delivery, Edition, Paper
from subscribers.models import AuditEvent, Subscriber, Suppression
from subscribers.transport import Fate, Outcome
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader
from tests.digest.access.people import browser_of
from tests.digest.desk.letters import WEDNESDAY, a_moving_edition, deliveries
from tests.sinks.smtp_sink import SmtpSink

State = Delivery.State
HOUR = timedelta(hours=1)
db = pytest.mark.django_db
real_db = pytest.mark.django_db(transaction=True)


@pytest.fixture
def edition() -> Edition:
    return a_moving_edition(state=Edition.State.SENT)


def state_of(key: int) -> str:
    return Delivery.objects.get(pk=key).state


@db
class TestWho:
    def test_only_what_has_not_closed_and_has_a_reader_who_wants_it(self, edition: Edition) -> None:
        keys = deliveries(edition, 9, State.UNKNOWN)
        rows = [Delivery.objects.get(pk=key) for key in keys]
        for row, fact in zip(rows, ("delivered", "bounced", "complained", "left"), strict=False):
            setattr(row, f"{fact}_at", NOON)
            row.save()
        Delivery.objects.filter(pk=keys[4]).update(expires_at=NOON)
        Subscriber.objects.filter(deliveries=rows[5]).update(status=Subscriber.Status.UNSUBSCRIBED)
        Suppression.objects.create(address_hash=rows[6].address_hash, reason="bounce", source="test", at=NOON)
        newer = a_frozen_edition(WEDNESDAY + timedelta(days=1), a_paper(), state=Edition.State.SENDING)
        Delivery.objects.create(
            edition=newer,
            subscriber=rows[7].subscriber,
            address_hash="x",
            local_date=newer.day,
            not_before=NOON,
            expires_at=NOON + HOUR,
        )
        outlook = resending.outlook(edition, at=NOON)
        assert outlook.again == (keys[8],)
        assert outlook.held == dict.fromkeys(resending.HELD, 1)
        assert resending.resend(edition, expected=1, at=NOON) == 1
        assert [state_of(key) for key in keys] == [State.UNKNOWN] * 8 + [State.READY]
        edition.refresh_from_db()
        assert (edition.resent, balance(edition).exact) == (1, True)

    def test_an_erased_reader_is_gone(self, edition: Edition) -> None:
        deliveries(edition, 1, State.UNKNOWN)
        Subscriber.objects.all().delete()
        assert resending.outlook(edition, at=NOON).held == {"gone": 1}

    def test_one_edition_at_a_time_and_no_other_state(self, edition: Edition) -> None:
        (mine,) = deliveries(edition, 1, State.UNKNOWN)
        others = [deliveries(edition, 1, state)[0] for state in State.values if state != State.UNKNOWN]
        elsewhere = a_frozen_edition(WEDNESDAY - timedelta(days=1), a_paper(), state=Edition.State.SENT)
        (other,) = deliveries(elsewhere, 1, State.UNKNOWN)
        before = dict(Delivery.objects.filter(pk__in=others).values_list("pk", "state"))
        assert resending.resend(edition, expected=1, at=NOON) == 1
        assert (state_of(mine), state_of(other)) == (State.READY, State.UNKNOWN)
        assert dict(Delivery.objects.filter(pk__in=others).values_list("pk", "state")) == before

    def test_another_number_than_was_agreed_to_sends_nothing(self, edition: Edition) -> None:
        (key,) = deliveries(edition, 1, State.UNKNOWN)
        with pytest.raises(resending.ResendError, match=r"By now it is 1 .* not 2"):
            resending.resend(edition, expected=2, at=NOON)
        assert state_of(key) == State.UNKNOWN

    @pytest.mark.parametrize("state", ["paused", "cancelled", "expired", "frozen"])
    def test_of_an_edition_that_does_not_leave_nothing_goes(self, edition: Edition, state: str) -> None:
        (key,) = deliveries(edition, 1, State.UNKNOWN)
        Edition.objects.update(state=state)
        with pytest.raises(resending.ResendError, match=state):
            resending.resend(edition, expected=1, at=NOON)
        assert state_of(key) == State.UNKNOWN

    def test_more_than_are_looked_at_together_are_left_for_the_next_time(
        self, edition: Edition, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(resending, "MOST", 2)
        deliveries(edition, 3, State.UNKNOWN)
        outlook = resending.outlook(edition, at=NOON)
        assert (len(outlook.again), outlook.more) == (2, True)

    def test_a_reader_whom_a_newer_edition_reaches_meanwhile_is_told_not_broken(
        self, edition: Edition, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (key,) = deliveries(edition, 1, State.UNKNOWN)
        newer = a_frozen_edition(WEDNESDAY + timedelta(days=1), a_paper(), state=Edition.State.SENDING)
        look = resending.outlook

        def overtaken(*args: object, **more: object) -> resending.Outlook:
            found = look(*args, **more)  # type: ignore[arg-type]
            row = Delivery.objects.get(pk=key)
            Delivery.objects.create(
                edition=newer,
                subscriber=row.subscriber,
                address_hash="x",
                local_date=newer.day,
                not_before=NOON,
                expires_at=NOON + HOUR,
            )
            return found

        monkeypatch.setattr(resending, "outlook", overtaken)
        with pytest.raises(resending.ResendError, match="Nothing was sent again"):
            resending.resend(edition, expected=1, at=NOON)
        assert state_of(key) == State.UNKNOWN

    def test_the_owner_who_comes_back_with_the_first_outcome_changes_nothing(self, edition: Edition) -> None:
        (key,) = deliveries(edition, 1, State.UNKNOWN)
        old = Prepared(Delivery.objects.get(pk=key), [], None, NOON)  # type: ignore[arg-type]
        resending.resend(edition, expected=1, at=NOON)
        (held,) = claiming.claim(owner="new", at=NOON, limit=5)
        settling.settle([(old, Outcome(Fate.REJECTED, "late"))], at=NOON)
        assert (held.pk, held.epoch) == (key, old.delivery.epoch + 2), "one for the hand, one for the claim"
        assert state_of(key) == State.CLAIMED


@db
class TestThePage:
    def test_warns_tells_what_was_heard_and_wants_the_number(self, edition: Edition) -> None:
        keys = deliveries(edition, 3, State.UNKNOWN)
        Delivery.objects.filter(pk=keys[0]).update(delivered_at=NOON)
        Delivery.objects.update(expires_at=NOON + timedelta(days=9999))
        operator, way = browser_of("operator"), reverse("admin:edition_sending_resend", args=[edition.pk])
        page = operator.get(way).content.decode()
        assert "Each of these 2 readers may get it a second time." in page
        assert "1 arrived after all: the provider has said so since" in page
        for number in ("", "3", "two", "-2", "9" * 40):
            told = operator.post(way, {"number": number}, follow=True).content.decode()
            assert "Nothing was sent. Have another look, then decide." in told
        assert Delivery.objects.filter(state=State.UNKNOWN).count() == 3
        assert "Let go again" in operator.post(way, {"number": " 2 "}, follow=True).content.decode()
        assert Delivery.objects.filter(state=State.READY).count() == 2
        assert AuditEvent.objects.latest("pk").detail == "2 of unknown outcome let go again"
        page = operator.get(reverse("admin:edition_sending", args=[edition.pk])).content.decode()
        assert "Sent again by hand</dt><dd>2<" in page

    def test_a_second_press_sends_nothing_more(self, edition: Edition) -> None:
        deliveries(edition, 1, State.UNKNOWN, expires_at=NOON + timedelta(days=9999))
        operator, way = browser_of("operator"), reverse("admin:edition_sending_resend", args=[edition.pk])
        operator.post(way, {"number": "1"})
        told = operator.post(way, {"number": "1"}, follow=True).content.decode()
        assert "By now it is 0 digests" in told
        edition.refresh_from_db()
        assert edition.resent == 1

    def test_nothing_to_send_again_gets_a_sentence(self, edition: Edition, client: Client) -> None:
        way = reverse("admin:edition_sending_resend", args=[edition.pk])
        assert "nothing of unknown outcome" in browser_of("operator").get(way, follow=True).content.decode()
        assert client.get(way).status_code == 302


@real_db
def test_what_goes_again_is_the_same_message_and_the_last_look_applies(smtp_sink: SmtpSink) -> None:
    six = NOON - 6 * HOUR
    papers: list[Paper] = [a_paper(f"Seeing number {n}", upvotes=n) for n in range(6)]
    reader, leaver, lucky = a_reader(), a_reader(), a_reader()
    edition = a_frozen_edition(WEDNESDAY, *papers, approved_at=six)
    enrolling.enroll(edition, at=six)
    worker = loop.Worker(lambda: NOON)
    loop.run(worker)
    assert len(smtp_sink.received) == 3
    Delivery.objects.update(state=State.UNKNOWN, settled_at=NOON)
    resending.resend(edition, expected=3, at=NOON)
    Delivery.objects.filter(subscriber=lucky).update(delivered_at=NOON)  # the provider’s word comes late
    Subscriber.objects.filter(pk=leaver.pk).update(status=Subscriber.Status.UNSUBSCRIBED)
    loop.run(worker)
    worker.close()
    first, again = smtp_sink.to(reader.address)
    assert first.raw == again.raw
    assert len(smtp_sink.to(leaver.address)) == len(smtp_sink.to(lucky.address)) == 1
    assert Delivery.objects.get(subscriber=lucky).state == State.ACCEPTED
    assert Delivery.objects.get(subscriber=reader).state == State.ACCEPTED
    assert Delivery.objects.get(subscriber=leaver).state == State.SKIPPED_UNSUBSCRIBED
    assert balance(edition).exact


@db
def test_the_table_itself_refuses_two_waiting_digests_of_one_reader(edition: Edition) -> None:
    (key,) = deliveries(edition, 1, State.UNKNOWN)
    row = Delivery.objects.get(pk=key)
    newer = a_frozen_edition(WEDNESDAY + timedelta(days=1), a_paper())
    again = Delivery(
        edition=newer,
        subscriber=row.subscriber,
        address_hash="x",
        local_date=newer.day,
        not_before=NOON,
        expires_at=NOON,
    )
    again.save()
    with pytest.raises(IntegrityError):
        Delivery.objects.filter(pk=key).update(state=State.READY)
