"""A reader moves to another address: asked for behind a fresh link, agreed to by the new address's owner.

The link that was mailed proves the old address, the press in the new mailbox proves the new one. Nothing on
the way tells whether the new address is known here.
"""

import re
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from subscribers import outbox
from subscribers.addresses import address_hash, address_key, normalise
from subscribers.asking import hold, may_ask
from subscribers.at_once import once_more
from subscribers.consent import Trace, record, text_asked_with
from subscribers.lifecycle import active
from subscribers.links import Claims, address_binding
from subscribers.models import AddressChange, ConsentEvent, Subscriber, Suppression, SystemMail

#: Mails that one reader may have sent to addresses that are not theirs, within a day.
MOST_ASKED_A_DAY = 3


#: What `address_binding` returns; the public id of a delivery is shorter.
_BINDING = re.compile(r"[0-9a-f]{32}")


class SameAddressError(ValueError):
    """The address is the reader's already; `str()` is a sentence for them."""

    def __init__(self) -> None:
        super().__init__("That is the address your digest goes to already.")


@once_more
def ask(public_id: str, address: str, *, at: datetime, trace: Trace) -> None:
    """Note that an active reader wants to move to `address`, and ask its owner by mail.

    An address that is suppressed, another reader's, or has been asked often enough gets no mail, and the
    caller cannot tell. A newer wish replaces an older one. Raises AddressError, SameAddressError,
    NotSubscribedError.
    """
    address = normalise(address)
    hashed, key = address_hash(address), address_key(address)
    with transaction.atomic():
        hold(hashed)  # before any row: of several who ask one address at once, each sees what was recorded
        reader = active(public_id)
        if reader.address_key == key:
            raise SameAddressError
        AddressChange.objects.update_or_create(
            subscriber=reader,
            defaults={"address": address, "address_key": key, "address_hash": hashed, "asked_at": at},
        )
        # Bomb nobody: neither one address nor, by one reader's link, many.
        bounded = _asked_lately(reader, at) < MOST_ASKED_A_DAY and may_ask(hashed, at)
        if bounded and _is_free(hashed, key):
            ConsentEvent.objects.create(
                subscriber=reader,
                address_hash=hashed,
                kind=ConsentEvent.Kind.REQUESTED,
                text=text_asked_with(reader),  # moving agrees to nothing new
                source=trace.source,
                network=trace.network,
                user_agent=trace.user_agent,
                at=at,
            )
            outbox.post(reader, SystemMail.Kind.NEW_ADDRESS, at=at, to=address)


@once_more
def agree(public_id: str, binding: str, *, at: datetime, trace: Trace) -> bool:
    """Move the reader to the address that `binding` stands for, once; return whether they are there now.

    The old address gets a notice. False: another address is wanted by now, or the new one has become another
    reader's or been suppressed since.
    """
    try:
        with transaction.atomic():
            reader = Subscriber.objects.select_for_update().filter(public_id=public_id).first()
            if reader is None or reader.status != Subscriber.Status.ACTIVE:
                return False
            if address_binding(reader.address_hash) == binding:
                return True
            wish = wish_of(reader, binding)
            if wish is None or not _is_free(wish.address_hash, wish.address_key):
                return False
            # Imports go by the log of an address: the old one's owner has none of our mail any more.
            record(reader, ConsentEvent.Kind.WITHDRAWN, trace, at=at)
            _move(reader, wish, at)
            # To the new one's log this is an agreement: it answers what was asked.
            record(reader, ConsentEvent.Kind.CONFIRMED, trace, at=at, text=text_asked_with(reader))
            return True
    except IntegrityError:  # somebody else took the address between the look and the writing
        return False


def is_only_asked(public_id: str, extra: str) -> bool:
    """Say whether `extra` of an unsubscribe link is of an address that the reader has not moved to.

    The subscription is none of that address's owner's: all that their link may end is the wish.
    """
    if not _BINDING.fullmatch(extra):
        return False
    reader = Subscriber.objects.filter(public_id=public_id).first()
    return reader is not None and address_binding(reader.address_hash) != extra


def is_void(claims: Claims) -> bool:
    """Say whether a link was made before its reader moved: it may lie in a mailbox that is theirs no more."""
    readers = Subscriber.objects.filter(public_id=claims.subject)
    return readers.filter(address_changed_at__gte=claims.issued_at).exists()


@once_more
def refuse(public_id: str, binding: str) -> None:
    """Forget the wish to move to the address that `binding` stands for: its owner does not want our mail."""
    with transaction.atomic():
        reader = Subscriber.objects.select_for_update().filter(public_id=public_id).first()
        wish = wish_of(reader, binding) if reader is not None else None
        if wish is not None:
            wish.delete()


@once_more
def cancel(public_id: str) -> None:
    """Forget the reader's own wish to move, whatever address it names; its mail's link opens nothing then."""
    with transaction.atomic():
        reader = Subscriber.objects.select_for_update().filter(public_id=public_id).first()
        AddressChange.objects.filter(subscriber=reader).delete()


def wish_of(reader: Subscriber, binding: str) -> AddressChange | None:
    """Return the reader's open wish if `binding` stands for its address."""
    wish = AddressChange.objects.filter(subscriber=reader).first()
    return wish if wish is not None and address_binding(wish.address_hash) == binding else None


def _move(reader: Subscriber, wish: AddressChange, at: datetime) -> None:
    old = reader.address
    reader.address, reader.address_key, reader.address_hash = (
        wish.address,
        wish.address_key,
        wish.address_hash,
    )
    reader.address_changed_at = at
    reader.save(update_fields=["address", "address_key", "address_hash", "address_changed_at"])
    wish.delete()
    outbox.post(reader, SystemMail.Kind.ADDRESS_CHANGED, at=at, to=old)


def _is_free(hashed: str, key: str) -> bool:
    taken = Subscriber.objects.filter(address_key=key).exists()
    return not taken and not Suppression.objects.filter(address_hash=hashed).exists()


def _asked_lately(reader: Subscriber, at: datetime) -> int:
    mails = reader.system_mails.filter(kind=SystemMail.Kind.NEW_ADDRESS)
    return mails.filter(created_at__gt=at - timedelta(days=1)).count()
