"""A proof is the mail that leaves, but for names that are nobody's."""

import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from digest import curation, dissecting, enrolling, personas, proofing, samples
from digest.delivery.run import Worker, run
from digest.models import Delivery, Edition, Paper
from digest.proofing import NO_DELIVERY, NOBODY, Mix, NoProofError
from subscribers.models import Interest, Subscriber, Suppression
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader, a_topic
from tests.digest.reading import html_of, page_of, words_of
from tests.journeys.rows import changed, rows
from tests.sinks.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db
WEDNESDAY = date(2026, 3, 4)
DAY = timedelta(days=1)
ROBOTS = Mix(words=("soft grippers",))


def message_of(edition: Edition, mix: Mix = ROBOTS) -> EmailMultiAlternatives:
    return proofing.for_mix(Edition.objects.get(pk=edition.pk), mix, at=NOON).message


def octets(message: EmailMultiAlternatives) -> bytes:
    return message.message().as_bytes().replace(b"\n", b"\r\n").strip()


def told_apart(mail: bytes, reader: str, delivery: str) -> bytes:
    """Return `mail` without what must differ: the names of reader and delivery, and what they make."""
    without = mail.replace(reader.encode(), b"(reader)").replace(delivery.encode(), b"(delivery)")
    without = re.sub(rb"=_[0-9a-f]{32}", b"(boundary)", without)
    # A token is version.key.purpose.subject...MAC; the MAC follows from the rest.
    return re.sub(rb"(\(reader\)[.A-Za-z0-9()]*)\.[0-9a-f]{32}", rb"\1.(mac)", without)


@pytest.fixture
def edition() -> Edition:
    samples.load(WEDNESDAY, NOON)
    papers = list(Paper.objects.all())
    edition = a_frozen_edition(WEDNESDAY, *papers, state=Edition.State.FROZEN)
    curation.pin(edition, papers[7])
    curation.annotate(edition, papers[7], "Worth your coffee.")
    curation.annotate_edition(edition, "Good morning from https://example.org/desk")
    edition.refresh_from_db()
    return edition


def test_a_readers_proof_is_byte_for_byte_what_the_delivery_sends(
    edition: Edition, smtp_sink: SmtpSink
) -> None:
    reader = a_reader("somebody@example.org", a_topic("sight", categories=["cs.CV"]), size=12)
    Interest.objects.create(subscriber=reader, kind=Interest.Kind.WORDS, text="gaussian splatting")
    Interest.objects.create(subscriber=reader, kind=Interest.Kind.EXCLUDE, text="survey")
    proof = proofing.for_reader(edition, reader, at=NOON)

    with time_machine.travel(NOON, tick=False):
        curation.approve(edition, at=NOON)
        enrolling.enroll(Edition.objects.get(pk=edition.pk), at=NOON)
        worker = Worker(lambda: NOON)
        run(worker, any_hour=True)
        worker.close()
    (sent,) = smtp_sink.received
    delivery = Delivery.objects.get()
    expected = told_apart(sent.raw.strip(), reader.public_id, delivery.public_id)
    assert told_apart(octets(proof.message), NOBODY, NO_DELIVERY) == expected
    assert b"(mac)" in expected
    assert len(octets(proof.message)) == len(sent.raw.strip())
    assert proof.shown == len(delivery.picks) == 12


def test_what_a_reader_got_is_shown_as_they_got_it(edition: Edition) -> None:
    reader = a_reader()
    one, other = Paper.objects.all()[:2]
    Delivery.objects.create(
        edition=edition,
        subscriber=reader,
        address_hash=reader.address_hash,
        local_date=WEDNESDAY,
        not_before=NOON,
        expires_at=NOON + DAY,
        state=Delivery.State.ACCEPTED,
        submitted_at=NOON,
        picks=[[other.pk, "you follow Letters"], [one.pk, "new today"]],
    )
    proof = proofing.for_reader(edition, reader, at=NOON + 3 * DAY)
    assert proof.shown == 2
    assert "You follow Letters" in words_of(proof.message)
    assert proof.message.extra_headers["Date"].startswith("Wed, 04 Mar 2026 12:00")
    assert "This is their digest of 4 March at 12:00 UTC (accepted)" in proof.notes[0]


def test_a_mix_is_ranked_like_a_new_reader_who_asks_for_the_same(edition: Edition) -> None:
    topic = a_topic("sight")
    topic.papers.set(Paper.objects.all()[:6])
    reader = a_reader("", topic, size=8)
    Interest.objects.create(subscriber=reader, kind=Interest.Kind.AUTHOR, text="H. Everdene")
    mix = Mix(topics={topic.pk: 1.0}, authors=("H. Everdene",), size=8)
    theirs = page_of(proofing.for_reader(edition, reader, at=NOON).message)
    same = page_of(message_of(edition, mix))
    assert theirs.xpath("//*[contains(@class, 'pt')]//text()") == same.xpath(
        "//*[contains(@class, 'pt')]//text()"
    )


def test_an_invented_reader_lives_at_a_reserved_domain(edition: Edition) -> None:
    for persona in personas.PERSONAS:
        message = message_of(edition, proofing.of_persona(persona))
        assert message.to == [f"{persona.slug}@readers.example"]


def test_every_persona_follows_topics_that_a_new_installation_has() -> None:
    for persona in personas.PERSONAS:
        assert len(proofing.of_persona(persona).topics) == len(persona.topics), persona.name


def test_a_weekly_persona_sees_the_week(edition: Edition) -> None:
    a_frozen_edition(WEDNESDAY - 3 * DAY, a_paper("Soft grippers of Sunday"), state=Edition.State.SENT)
    assert "Soft grippers of Sunday" not in words_of(message_of(edition))
    assert "Soft grippers of Sunday" in words_of(message_of(edition, replace(ROBOTS, days=7)))


def test_what_curators_decide_shows_at_once(edition: Edition) -> None:
    pinned = Paper.objects.get(candidacies__pin=1)
    assert pinned.title in words_of(message_of(edition))
    assert "Worth your coffee." in words_of(message_of(edition))
    curation.annotate(edition, pinned, "Worth a second cup.")
    assert "Worth a second cup." in words_of(message_of(edition))
    curation.annotate_edition(edition, "Good evening.")
    assert "Good evening." in words_of(message_of(edition))
    curation.hide(edition, pinned)
    assert pinned.title not in words_of(message_of(edition))


def test_the_subject_that_curators_wrote_shows(edition: Edition) -> None:
    curation.name_edition(edition, "A quiet Wednesday")
    assert "A quiet Wednesday" in str(message_of(edition).subject)


def test_hiding_a_paper_of_an_earlier_day_shows_in_the_weekly_mail(edition: Edition) -> None:
    early = a_paper("Soft grippers of Sunday")
    sunday = a_frozen_edition(WEDNESDAY - 3 * DAY, early, state=Edition.State.SENT)
    weekly = replace(ROBOTS, days=7)
    assert early.title in words_of(message_of(edition, weekly))
    curation.hide(sunday, early)
    assert early.title not in words_of(message_of(edition, weekly))


def test_an_open_edition_has_no_mail_and_says_when() -> None:
    edition = Edition.objects.create(day=WEDNESDAY, opened_at=NOON)
    with pytest.raises(NoProofError, match=r"Nothing is frozen yet.*Wednesday at 06:00 UTC"):
        message_of(edition)


@pytest.mark.parametrize(
    ("mix", "why"),
    [
        (Mix(excluded=("Ada Example",)), "they exclude all"),
        (Mix(words=("lighthouses",)), "nothing is about what they follow"),
    ],
)
def test_a_mix_that_brings_nothing_is_told_why(mix: Mix, why: str) -> None:
    edition = a_frozen_edition(WEDNESDAY, a_paper(), a_paper())
    with pytest.raises(NoProofError, match=f"They would get no mail, because {why}"):
        message_of(edition, mix)


def test_an_edition_with_all_hidden_is_told_so() -> None:
    edition = a_frozen_edition(WEDNESDAY, a_paper())
    edition.candidates.update(hidden=True)
    with pytest.raises(NoProofError, match="all are hidden or withdrawn"):
        message_of(edition)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"frequency": "weekly", "weekday": 4}, "not due on that day (once a week, on Fridays)"),
        ({"paused_until": WEDNESDAY + 3 * DAY}, "not due on that day (paused until 2026-03-07)"),
        ({"status": Subscriber.Status.UNSUBSCRIBED}, "They are unsubscribed"),
    ],
)
def test_where_a_reader_stands_is_said(edition: Edition, fields: dict[str, Any], said: str) -> None:
    assert said in " ".join(proofing.for_reader(edition, a_reader(**fields), at=NOON).notes)


def test_a_suppressed_reader_is_said_to_be(edition: Edition) -> None:
    reader = a_reader()
    Suppression.objects.create(
        address_hash=reader.address_hash, reason=Suppression.Reason.REQUEST, source="admin", at=NOON
    )
    assert "suppression list" in " ".join(proofing.for_reader(edition, reader, at=NOON).notes)


def test_the_links_of_a_proof_open_nothing_that_is_anybodys(edition: Edition, client: Client) -> None:
    reader = a_reader()
    mail = proofing.for_reader(edition, reader, at=NOON).message
    assert reader.public_id not in html_of(mail) + str(mail.body) + str(mail.message())
    links = {str(link) for link in page_of(mail).xpath("//@href")}
    doors = [link for link in links if re.search(r"/(u|preferences)/", link)]
    assert len(doors) == 3
    before = rows()
    with time_machine.travel(NOON + timedelta(minutes=1)):
        for door in doors:
            assert client.get(urlsplit(door).path).status_code in {200, 404, 410}
            client.post(urlsplit(door).path)
            client.post(urlsplit(door).path + "?do=weekly")
    assert changed(before) == {}


def test_the_parts_of_a_mail_are_what_programs_see(edition: Edition) -> None:
    message = message_of(edition)
    parts = dissecting.dissect(message)
    assert parts.html == html_of(message)
    assert parts.text == str(message.body)
    assert parts.subject == str(message.subject)
    assert parts.sender == "Daily Papers"
    second = str(page_of(message).xpath("string((//*[@class='pt'])[2])"))
    assert " ".join(second.split())[:20] in parts.preheader
    assert "\u200c" not in parts.preheader
    assert dict(parts.headers)["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert parts.size.decoded == len(html_of(message).encode())
    assert parts.size.decoded < parts.size.encoded < parts.size.whole == len(octets(message)) + 2


def test_a_mail_near_the_limit_is_said_to_be() -> None:
    assert not dissecting.Size(80_000, 0, 0).is_tight
    assert dissecting.Size(88_000, 0, 0).is_tight
    assert dissecting.Size(51_000, 0, 0).share == 50
    assert dissecting.Size(0, 0, 0).limit == 88
