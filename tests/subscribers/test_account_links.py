"""The fresh link: to the reader's own address alone, and not too often."""

from datetime import timedelta

import pytest

from subscribers import account_links, lifecycle, outbox
from subscribers.account_links import MOST_LINKS_A_DAY, mail_link
from subscribers.models import Subscriber, Suppression, SystemMail
from tests.cast import NOON, a_reader
from tests.sinks.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
Status = Subscriber.Status


def links() -> int:
    return SystemMail.objects.filter(kind=SystemMail.Kind.ACCOUNT).count()


def test_at_most_one_link_in_ten_minutes() -> None:
    reader = a_reader("ada@example.org")
    for minutes in (0, 1, 9):
        mail_link(reader.public_id, at=NOON + minutes * MINUTE)
        assert links() == 1
    mail_link(reader.public_id, at=NOON + account_links.BETWEEN_LINKS)
    assert links() == 2


def test_at_most_five_links_a_day_for_each_reader() -> None:
    reader, other = a_reader("ada@example.org"), a_reader("ben@example.org")
    for count in range(20):
        mail_link(reader.public_id, at=NOON + count * 15 * MINUTE)
    assert links() == MOST_LINKS_A_DAY
    mail_link(other.public_id, at=NOON)
    mail_link(reader.public_id, at=NOON + timedelta(days=1))
    assert links() == MOST_LINKS_A_DAY + 2


def test_nobody_gets_nothing() -> None:
    mail_link("nobody", at=NOON)
    assert links() == 0


@pytest.mark.parametrize("status", [Status.PENDING, Status.ACTIVE, Status.UNSUBSCRIBED])
def test_who_has_left_or_never_confirmed_gets_the_link_too(
    smtp_sink: SmtpSink, status: Subscriber.Status
) -> None:
    mail_link(a_reader("ada@example.org", status=status).public_id, at=NOON)
    assert outbox.deliver_due(at=NOON) == 1
    assert len(smtp_sink.to("ada@example.org")) == 1


def test_a_suppressed_address_is_not_written_to_for_a_link_either(smtp_sink: SmtpSink) -> None:
    reader = a_reader("ada@example.org", status=Status.UNSUBSCRIBED)
    lifecycle.suppress(reader.address_hash, Suppression.Reason.COMPLAINT, "test", at=NOON)
    mail_link(reader.public_id, at=NOON)
    outbox.deliver_due(at=NOON)
    assert smtp_sink.received == []
