"""The claim loop against a real mail server: nobody twice, nobody missed."""

import asyncio
import itertools
import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage as Message
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import OperationalError, connection
from django.test import override_settings
from pytest_django import Settings

from digest import curation, enrolling
from digest.delivery import run as loop
from digest.delivery import settling
from digest.delivery.balance import balance
from digest.delivery.sending import Prepared, submit
from digest.models import Delivery, Edition, Paper
from digest.rendering import EditionRenderer
from subscribers.models import Interest, Preference, Subscriber
from subscribers.transport import Fate, Outcome, Senders
from tests.cast import a_frozen_edition, a_paper, a_reader, a_topic
from tests.sinks.provider import Provider
from tests.sinks.smtp_sink import SmtpSink, free_port

WEDNESDAY = date(2026, 3, 4)
SIX = datetime(2026, 3, 4, 6, tzinfo=UTC)
EIGHT = datetime(2026, 3, 4, 8, tzinfo=UTC)
DAY = timedelta(days=1)
State = Delivery.State

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _small_groups(settings: Settings) -> None:
    settings.IN_FLIGHT, settings.SENDERS = 5, 2


@pytest.fixture
def papers() -> list[Paper]:
    vision, language = a_topic("vision"), a_topic("language")
    return [
        a_paper(
            f"Seeing number {n}" if n % 2 else f"Reading number {n}", vision if n % 2 else language, upvotes=n
        )
        for n in range(30)
    ]


def enrolled(day: date, papers: list[Paper]) -> Edition:
    moment = datetime(day.year, day.month, day.day, 6, tzinfo=UTC)
    edition = a_frozen_edition(day, *papers, approved_at=moment)
    enrolling.enroll(edition, at=moment)
    edition.refresh_from_db()
    return edition


def deliver(at: datetime = EIGHT, **options: object) -> int:
    worker = loop.Worker(lambda: at)
    try:
        return loop.run(worker, **options)  # type: ignore[arg-type]
    finally:
        worker.close()


def titles_in(message: Message) -> set[str]:
    body = message.get_body(("plain",))
    assert body is not None
    return set(re.findall(r"(?:Seeing|Reading) number \d+", body.get_content()))


def test_each_reader_gets_exactly_one_mail_with_their_papers(
    smtp_sink: SmtpSink, papers: list[Paper]
) -> None:
    vision = papers[1].topics.get()
    readers = [a_reader("", vision, size=5) for _ in range(23)]
    edition = enrolled(WEDNESDAY, papers)
    assert deliver() == 23
    got = Counter(recipient for mail in smtp_sink.received for recipient in mail.recipients)
    assert got == Counter({reader.address: 1 for reader in readers})
    for message in smtp_sink.messages:
        assert sum(title.startswith("Seeing") for title in titles_in(message)) >= 3
        assert len(titles_in(message)) == 5
    assert balance(edition).accepted == 23
    assert balance(edition).exact


def test_running_again_sends_nothing(smtp_sink: SmtpSink, papers: list[Paper]) -> None:
    a_reader()
    enrolled(WEDNESDAY, papers)
    deliver()
    assert deliver(any_hour=True) == 0
    assert len(smtp_sink.received) == 1


def test_the_next_edition_repeats_no_paper_and_brings_what_was_left(
    smtp_sink: SmtpSink, papers: list[Paper]
) -> None:
    reader = a_reader(size=5)
    seen: list[set[str]] = []
    for day in range(3):
        enrolled(WEDNESDAY + day * DAY, papers[day * 10 : day * 10 + 10])
        deliver(EIGHT + day * DAY)
        seen.append(titles_in(smtp_sink.to(reader.address)[-1].message))
    assert [len(titles) for titles in seen] == [5, 5, 5]
    assert len(set().union(*seen)) == 15


def test_papers_of_days_without_a_digest_come_with_the_next_one(
    smtp_sink: SmtpSink, papers: list[Paper]
) -> None:
    weekly = a_reader(frequency="weekly", weekday=2, size=25)
    enrolled(WEDNESDAY, papers[:5])
    deliver()
    enrolled(WEDNESDAY + 1 * DAY, papers[5:10])
    enrolled(WEDNESDAY + 7 * DAY, papers[10:15])
    deliver(EIGHT + 7 * DAY)
    first, second = (titles_in(mail.message) for mail in smtp_sink.to(weekly.address))
    assert first == {paper.title for paper in papers[:5]}
    assert second == {paper.title for paper in papers[5:15]}


def test_what_an_unknown_delivery_held_comes_back_once_it_is_closed(
    smtp_sink: SmtpSink, papers: list[Paper]
) -> None:
    reader = a_reader(size=5)
    enrolled(WEDNESDAY, papers[:5])
    deliver()
    Delivery.objects.update(state=State.UNKNOWN)
    enrolled(WEDNESDAY + DAY, papers[5:8])
    deliver(EIGHT + DAY)
    assert titles_in(smtp_sink.to(reader.address)[-1].message) & {paper.title for paper in papers[:5]}


def test_papers_that_did_not_fit_into_the_mail_were_not_seen(smtp_sink: SmtpSink) -> None:
    long = [a_paper(f"Seeing number {n} " + "&" * 450, abstract="&" * 9_000, upvotes=9) for n in range(25)]
    for paper in long:
        paper.authors = ["&" * 90] * 3
        paper.topics.set(
            [a_topic(f"{paper.pk}-{k}-" + "x" * 40, name=f"{paper.pk} {k} " + "&" * 40) for k in range(9)]
        )
        paper.save()
    reader = a_reader(size=25)
    enrolled(WEDNESDAY, long)
    deliver()
    first = titles_in(smtp_sink.to(reader.address)[0].message)
    assert 0 < len(first) < 25
    enrolled(WEDNESDAY + DAY, long)  # featured again elsewhere
    deliver(EIGHT + DAY)
    second = titles_in(smtp_sink.to(reader.address)[1].message)
    assert second
    assert not first & second


def test_a_new_reader_starts_with_this_edition_only(smtp_sink: SmtpSink, papers: list[Paper]) -> None:
    enrolled(WEDNESDAY - DAY, papers[:20])
    reader = a_reader(size=25)
    enrolled(WEDNESDAY, papers[20:])
    deliver()
    assert titles_in(smtp_sink.to(reader.address)[0].message) == {paper.title for paper in papers[20:]}


def test_a_reader_for_whom_nothing_is_left_gets_no_empty_mail(
    smtp_sink: SmtpSink, papers: list[Paper]
) -> None:
    reader = a_reader()
    Interest.objects.create(subscriber=reader, kind="exclude", text="number")
    edition = enrolled(WEDNESDAY, papers)
    deliver()
    assert smtp_sink.received == []
    assert Delivery.objects.get().state == State.SKIPPED_EMPTY
    assert balance(edition).exact


def test_one_poison_reader_of_a_hundred_does_not_stop_the_others(
    smtp_sink: SmtpSink, papers: list[Paper]
) -> None:
    readers = [a_reader() for _ in range(100)]
    poison = readers[50]
    Subscriber.objects.filter(pk=poison.pk).update(address="poison\r\nBcc: all@example.org")
    edition = enrolled(WEDNESDAY, papers)
    deliver()
    assert len(smtp_sink.received) == 99
    assert Delivery.objects.get(subscriber=poison).state == State.REJECTED
    assert "Bcc" not in Delivery.objects.get(subscriber=poison).detail
    assert balance(edition).exact


def test_nobody_gets_it_before_their_hour(smtp_sink: SmtpSink, papers: list[Paper]) -> None:
    a_reader(send_minute=7 * 60)
    later = a_reader(send_minute=20 * 60)
    enrolled(WEDNESDAY, papers)
    assert deliver() == 1
    assert smtp_sink.to(later.address) == []
    assert deliver(any_hour=True) == 1
    assert len(smtp_sink.to(later.address)) == 1


def test_a_mail_server_that_is_away_loses_nobody(papers: list[Paper]) -> None:
    for _ in range(12):
        a_reader()
    edition = enrolled(WEDNESDAY, papers)
    sink = SmtpSink(port=free_port())
    with override_settings(**sink.settings):
        deliver()
        assert balance(edition).open == 12
        # Only the first group was tried; the rest was given back without a claim.
        assert Delivery.objects.filter(state=State.DEFERRED).count() == 5
        assert Delivery.objects.filter(state=State.READY, lease_until=None).count() == 7
        with sink:
            deliver(EIGHT + timedelta(minutes=10))
    assert len(sink.received) == 12
    assert balance(edition).accepted == 12


def test_a_retry_is_the_same_bytes(
    smtp_sink: SmtpSink, papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    a_reader(), a_reader()
    enrolled(WEDNESDAY, papers)
    settle = settling.settle
    monkeypatch.setattr(settling, "settle", lambda sent, at: settle(_as_deferred(sent), at=at))
    deliver()
    assert len(smtp_sink.received) == 2
    monkeypatch.undo()
    deliver(EIGHT + timedelta(hours=1))
    raw = Counter(mail.raw for mail in smtp_sink.received)
    assert sorted(raw.values()) == [2, 2]


def _as_deferred(sent: loop.Settled) -> loop.Settled:
    """Return the outcomes as if the server, which took the mails, had said: later."""
    return [(item, Outcome(Fate.DEFERRED)) for item, _outcome in sent]


def test_a_worker_killed_on_the_wire_leaves_at_most_one_group_unknown(
    smtp_sink: SmtpSink, papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = [a_reader() for _ in range(20)]
    edition = enrolled(WEDNESDAY, papers)
    calls = itertools.count()

    def killed(self: Senders, messages: list[EmailMessage]) -> list[Outcome]:
        if next(calls) == 2:
            raise SystemExit("kill -9")
        return send_all(self, messages)

    send_all = Senders.send_all
    monkeypatch.setattr(Senders, "send_all", killed)
    with pytest.raises(SystemExit):
        deliver()
    monkeypatch.undo()
    much_later = EIGHT + timedelta(hours=1)
    deliver(much_later)
    account = balance(edition)
    # Two groups were on the wire or waiting for the commit of their outcome.
    assert 5 <= account.unknown <= 10
    assert account.accepted + account.unknown == 20
    assert account.exact
    got = Counter(recipient for mail in smtp_sink.received for recipient in mail.recipients)
    assert max(got.values()) == 1
    assert {reader.address for reader in readers} >= set(got)


def test_submitting_is_committed_before_the_first_byte(papers: list[Paper]) -> None:
    class Looking(SmtpSink):
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd
            seen.append(await asyncio.to_thread(self.state_of, envelope.content))
            return await super().handle_DATA(server, session, envelope)

        @staticmethod
        def state_of(content: bytes) -> str:
            found = re.search(rb"Message-ID: <([^@]+)@", content)
            assert found is not None
            try:
                return Delivery.objects.values_list("state", flat=True).get(public_id=found[1].decode())
            finally:
                connection.close()

    seen: list[str] = []
    for _ in range(7):
        a_reader()
    enrolled(WEDNESDAY, papers)
    with Looking() as sink, override_settings(**sink.settings):
        deliver()
    assert seen == [State.SUBMITTING] * 7


def test_outcomes_survive_a_database_fault_at_the_next_commit(
    smtp_sink: SmtpSink, papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(15):
        a_reader()
    edition = enrolled(WEDNESDAY, papers)
    calls = itertools.count()

    def failing(group: Sequence[Prepared], *, at: datetime, again: bool = False) -> list[Prepared]:
        if next(calls) == 1:
            raise OperationalError("deadlock detected")
        return submit(group, at=at, again=again)

    monkeypatch.setattr(loop, "submit", failing)
    deliver()
    assert balance(edition).accepted == 15
    assert len(smtp_sink.received) == 15


def test_an_interruption_keeps_every_outcome_and_gives_back_the_rest(
    smtp_sink: SmtpSink, papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(20):
        a_reader()
    edition = enrolled(WEDNESDAY, papers)
    calls = itertools.count()
    wait = Future.result

    def interrupted_once(future: Future[Outcome], timeout: float | None = None) -> Outcome:
        if next(calls) == 7:
            raise KeyboardInterrupt
        return wait(future, timeout)

    with monkeypatch.context() as patch:
        patch.setattr(Future, "result", interrupted_once)
        with pytest.raises(KeyboardInterrupt):
            deliver()
    account = balance(edition)
    assert (account.unknown, account.accepted) == (0, len(smtp_sink.received))
    assert not Delivery.objects.filter(state__in=[State.CLAIMED, State.SUBMITTING]).exists()
    deliver(EIGHT + timedelta(minutes=5))
    assert balance(edition).accepted == len(smtp_sink.received) == 20


@pytest.mark.parametrize(
    ("mode", "burnt"), [("422", State.REJECTED), ("503", State.UNKNOWN), ("429", State.DEFERRED)]
)
def test_a_provider_that_takes_nothing_is_not_tried_with_everybody(
    provider: Provider, papers: list[Paper], settings: Settings, mode: str, burnt: str
) -> None:
    settings.IN_FLIGHT = 12
    for _ in range(40):
        a_reader()
    enrolled(WEDNESDAY, papers)
    provider.mode = mode
    with override_settings(**provider.settings("postmark")):
        deliver()
        # Who asks to wait is asked no more, not even by those who were to go at the same time.
        tried = len(provider.requests)
        assert tried == 12 if mode == "422" else tried <= 2 * settings.SENDERS
        assert Delivery.objects.filter(state=burnt, attempts=1).count() == tried
        assert Delivery.objects.filter(state=State.DEFERRED, attempts=0).count() == 12 - tried
        assert Delivery.objects.filter(state=State.READY, lease_until=None).count() == 28
        provider.mode = "fine"
        deliver(EIGHT if mode == "422" else EIGHT + timedelta(seconds=60))
    assert Delivery.objects.filter(state=State.ACCEPTED).count() >= 28


def test_a_few_poison_readers_of_one_edition_do_not_hold_up_another(
    smtp_sink: SmtpSink, papers: list[Paper]
) -> None:
    poison = [a_reader() for _ in range(2)]
    enrolled(WEDNESDAY - DAY, papers[:10])
    Subscriber.objects.update(address="poison\r\nBcc: all@example.org")
    healthy = a_frozen_edition(WEDNESDAY, *papers[10:], state=Edition.State.SENDING)
    for _ in range(3):
        reader = a_reader()
        Delivery.objects.create(
            edition=healthy,
            subscriber=reader,
            address_hash=reader.address_hash,
            local_date=WEDNESDAY,
            not_before=EIGHT,
            expires_at=EIGHT + DAY,
        )
    Delivery.objects.filter(subscriber__in=poison).update(expires_at=EIGHT + DAY)
    deliver()
    assert len(smtp_sink.received) == 3
    assert Delivery.objects.filter(state=State.REJECTED).count() == 2


def test_when_no_message_at_all_can_be_made_nobody_is_rejected(
    smtp_sink: SmtpSink, papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(12):
        a_reader()
    edition = enrolled(WEDNESDAY, papers)

    def broken(*_args: object) -> None:
        raise ValueError("the template is gone")

    monkeypatch.setattr(EditionRenderer, "digest", broken)
    with pytest.raises(loop.UnmailableError, match="the template is gone"):
        deliver()
    assert balance(edition).open == 12
    assert smtp_sink.received == []


def test_a_paper_hidden_while_paused_does_not_leave(smtp_sink: SmtpSink, papers: list[Paper]) -> None:
    for _ in range(10):
        a_reader(size=25)
    edition = enrolled(WEDNESDAY, papers[:6])
    worker = loop.Worker(lambda: EIGHT)
    worker.work(limit=5)
    curation.pause(edition)
    curation.hide(edition, papers[0])
    curation.resume(edition, at=EIGHT)
    loop.run(worker)
    worker.close()
    assert [papers[0].title in titles_in(message) for message in smtp_sink.messages] == [True] * 5 + [
        False
    ] * 5


def test_what_was_chosen_before_a_curators_decision_is_chosen_again(
    smtp_sink: SmtpSink, papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    a_reader(size=25)
    edition = enrolled(WEDNESDAY, papers[:6])
    once = iter([True])

    def decided_meanwhile(group: Sequence[Prepared], *, at: datetime) -> list[Prepared]:
        if next(once, False):
            curation.pause(edition)
            curation.hide(edition, papers[0])
            curation.resume(edition, at=EIGHT)
        return submit(group, at=at)

    monkeypatch.setattr(loop, "submit", decided_meanwhile)
    deliver()
    (message,) = smtp_sink.messages
    assert papers[0].title not in titles_in(message)


def test_four_workers_at_once_send_each_mail_once(
    smtp_sink: SmtpSink, papers: list[Paper], settings: Settings
) -> None:
    settings.SENDERS = 1
    for _ in range(60):
        a_reader()
    edition = enrolled(WEDNESDAY, papers)
    faults: list[BaseException] = []

    def work() -> None:
        try:
            deliver()
        except BaseException as fault:  # noqa: BLE001 - told by the assertion below
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    got = Counter(recipient for mail in smtp_sink.received for recipient in mail.recipients)
    assert (len(got), max(got.values())) == (60, 1)
    assert balance(edition).accepted == 60


@pytest.fixture(params=["postmark", "mailgun"])
def provider_name(request: pytest.FixtureRequest, provider: Provider) -> Iterator[str]:
    provider.name = request.param
    with override_settings(**provider.settings(request.param)):
        yield request.param


def test_digests_leave_through_a_providers_api(
    provider: Provider, provider_name: str, papers: list[Paper], settings: Settings
) -> None:
    settings.SENDERS = 8
    for _ in range(200):
        a_reader()
    edition = enrolled(WEDNESDAY, papers)
    deliver()
    assert provider.problems == []
    assert len(provider.accepted) == 200, provider_name
    assert balance(edition).accepted == 200
    known = set(Delivery.objects.values_list("public_id", flat=True))
    assert {mail.metadata["delivery"] for mail in provider.accepted} == known
    assert all(Delivery.objects.values_list("provider_id", flat=True))


def test_preferences_weigh(smtp_sink: SmtpSink, papers: list[Paper]) -> None:
    language = papers[0].topics.get()
    reader = a_reader("", language, size=5)
    Preference.objects.update(weight=2)
    enrolled(WEDNESDAY, papers)
    deliver()
    titles = titles_in(smtp_sink.to(reader.address)[0].message)
    assert sum(title.startswith("Reading") for title in titles) >= 3


def test_readers_of_an_edition_that_changes_faster_than_mails_are_made_rest(
    smtp_sink: SmtpSink, papers: list[Paper]
) -> None:
    a_reader()
    edition = enrolled(WEDNESDAY, papers)
    moments = itertools.count()

    def clock() -> datetime:
        """Let a curator decide something whenever somebody looks at the clock."""
        Edition.objects.filter(pk=edition.pk).update(revision=next(moments))
        return EIGHT

    worker = loop.Worker(clock)
    try:
        assert loop.run(worker, seconds=30) == 2, "twice, and then it lets them rest"
    finally:
        worker.close()
    row = Delivery.objects.get()
    assert (row.state, row.attempts, row.retry_at) == (State.DEFERRED, 0, EIGHT + loop.REST)
    assert smtp_sink.received == []
    assert deliver(EIGHT + loop.REST) == 1
    assert len(smtp_sink.received) == 1


def test_a_worker_remembers_two_desks_and_no_more(papers: list[Paper]) -> None:
    a_reader()
    edition = enrolled(WEDNESDAY, papers)
    worker = loop.Worker(lambda: EIGHT)
    try:
        for edition.revision in range(4):
            worker.desk(edition)
        assert list(worker._desks) == [(edition.pk, 2), (edition.pk, 3)]
    finally:
        worker.close()
