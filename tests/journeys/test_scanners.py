"""Programs that open every link of every mail before its reader does."""

from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import time_machine
from celery import Celery
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from digest import advancing
from digest.delivery.run import Worker, run
from digest.models import Edition
from subscribers import account_links, address_changes, lifecycle, links, outbox, synthetic
from subscribers.consent import Trace
from subscribers.models import Subscriber, SystemMail
from tests.journeys.conftest import START
from tests.journeys.house import House, Letter
from tests.journeys.rows import changed, rows
from tests.sinks.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)

SCANNERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/124.0 Safari/537.36",
    "Barracuda Sentinel (EE)",
    "",
)
TRACE = Trace("test")
READERS = 75
EACH_KIND = 5


@pytest.fixture
def house(smtp_sink: SmtpSink, broker: Celery) -> Iterator[House]:  # noqa: ARG001 - the cache
    """The installation without a web server: the test's client asks it in-process."""
    cache.clear()
    with time_machine.travel(START, tick=True) as clock:
        house = House("", smtp_sink, clock.shift)
        house.furnish()
        yield house


def a_hundred_mails(house: House) -> list[Letter]:
    """Send digests to READERS and EACH_KIND of every kind of system mail; return them all."""
    synthetic.ensure(READERS, at=house.now)
    advancing.advance(at=house.now)
    worker = Worker(timezone.now)
    run(worker, any_hour=True, edition=Edition.objects.latest("day"))
    worker.close()
    readers = Subscriber.objects.filter(status=Subscriber.Status.ACTIVE).order_by("pk")
    for number, reader in enumerate(readers[:EACH_KIND]):
        now = house.now
        lifecycle.sign_up(f"new{number}@example.org", [], at=now, trace=TRACE)
        lifecycle.sign_up(reader.address, [], at=now, trace=TRACE)
        account_links.mail_link(reader.public_id, at=now)
        address_changes.ask(reader.public_id, f"moved{number}@example.org", at=now, trace=TRACE)
    for reader in readers[EACH_KIND : 2 * EACH_KIND]:
        there = f"{reader.public_id.lower()}@example.org".lstrip("-_")
        address_changes.ask(reader.public_id, there, at=house.now, trace=TRACE)
        wish = reader.address_change
        binding = links.address_binding(wish.address_hash)
        assert address_changes.agree(reader.public_id, binding, at=house.now, trace=TRACE)
    outbox.deliver_due(at=house.now)
    return [Letter(message) for message in house.sink.messages]


def test_a_scanner_that_opens_every_link_of_a_hundred_mails_changes_no_row(house: House) -> None:
    mails = a_hundred_mails(house)
    sent = Counter(SystemMail.objects.filter(state=SystemMail.State.SENT).values_list("kind", flat=True))
    assert set(sent) == set(SystemMail.Kind.values), "every kind of system mail is among them"
    assert min(sent.values()) >= EACH_KIND
    assert len(mails) == READERS + sum(sent.values()) >= 100

    ours = urlsplit(settings.SITE_URL).netloc
    ways = {
        urlsplit(link)._replace(scheme="", netloc="", fragment="").geturl()
        for mail in mails
        for link in mail.links
        if urlsplit(link).netloc == ours
    }
    ways |= {mail.one_click for mail in mails if "List-Unsubscribe" in mail.message}
    doors = Counter(way.split("/")[1] for way in ways)
    assert {"confirm", "preferences", "u", "account", "address"} <= set(doors), doors

    before = rows()
    client = Client()
    answers: Counter[tuple[str, str, int]] = Counter()
    for number, way in enumerate(sorted(ways)):
        agent = {"User-Agent": SCANNERS[number % len(SCANNERS)]}
        for ask in (client.get, client.head):
            answer = ask(way, headers=agent)
            answers[way.split("/")[1], answer.wsgi_request.method or "", answer.status_code] += 1
    assert changed(before) == {}
    # Who moved to another address has no more use for the links to choices in mails from before.
    closed = {("preferences", method, 410): EACH_KIND for method in ("GET", "HEAD")}
    assert {key: count for key, count in answers.items() if key[2] != 200} == closed
    assert sum(answers.values()) == 2 * len(ways)
    assert not client.cookies


def test_after_all_that_looking_each_link_still_does_its_work(house: House) -> None:
    lifecycle.sign_up("ada@example.org", [], at=house.now, trace=TRACE)
    letter = house.newest("ada@example.org")
    client = Client()
    for link in [*letter.links, letter.one_click]:
        for ask in (client.get, client.head):
            ask(urlsplit(link).path)
    house.later(hours=71)
    assert client.post(letter.way("/confirm/")).status_code == 200
    assert Subscriber.objects.get().status == Subscriber.Status.ACTIVE
    assert client.post(letter.one_click, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert Subscriber.objects.get().status == Subscriber.Status.UNSUBSCRIBED
