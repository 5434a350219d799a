"""Links to one's account, to a new address and back from having left, and the mails they come by."""

from datetime import datetime

from subscribers import links, outbox
from subscribers.models import Subscriber
from tests.cast import NOON
from tests.sinks.smtp_sink import SmtpSink
from tests.subscribers.door.visits import path


def account_of(reader: Subscriber, at: datetime = NOON) -> str:
    return path(links.account_url(reader.public_id, at))


def moving(reader: Subscriber, hashed: str, at: datetime = NOON) -> str:
    """Return where the owner of the address with hash `hashed` agrees to have the reader's digest."""
    binding = links.address_binding(hashed)
    return path(links.new_address_url(reader.public_id, binding=binding, at=at))


def undoing(reader: Subscriber, at: datetime = NOON) -> str:
    return path(links.undo_url(reader.public_id, at))


def link_in_mail(sink: SmtpSink, address: str, place: str, at: datetime = NOON) -> str:
    """Send what the outbox holds and return the link to `place` in the newest mail for `address`."""
    outbox.deliver_due(at=at)
    text = sink.to(address)[-1].message.get_body(("plain",))
    assert text is not None
    return path(next(word for word in text.get_content().split() if f"/{place}/" in word))
