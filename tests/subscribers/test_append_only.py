"""The consent log: rows are added, and nobody can change them by the way that all code goes."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction

from subscribers import lifecycle
from subscribers.consent import Trace, record
from subscribers.models import ConsentEvent, ConsentText
from subscribers.models.append_only import AppendOnlyError
from tests.cast import NOON, a_reader, the_wording

pytestmark = pytest.mark.django_db


def an_event() -> ConsentEvent:
    record(a_reader(), ConsentEvent.Kind.REQUESTED, Trace("form"), at=NOON, text=the_wording())
    return ConsentEvent.objects.get()


@pytest.mark.parametrize(
    "deed",
    [
        lambda event: event.save(),
        lambda event: event.save(update_fields=["kind"]),
        lambda event: event.delete(),
        lambda _: ConsentEvent.objects.update(kind="confirmed"),
        lambda _: ConsentEvent.objects.filter(kind="requested").delete(),
        lambda event: ConsentEvent.objects.bulk_update([event], ["kind"]),
        lambda event: ConsentEvent.objects.update_or_create(pk=event.pk, defaults={"kind": "confirmed"}),
        lambda event: ConsentEvent.objects.bulk_create(
            [event], update_conflicts=True, unique_fields=["id"], update_fields=["kind"]
        ),
        lambda event: event.subscriber.consent_events.update(kind="confirmed"),
        lambda event: event.subscriber.consent_events.all().delete(),
    ],
)
def test_an_event_can_neither_be_changed_nor_deleted(deed: Callable[[ConsentEvent], object]) -> None:
    event = an_event()
    event.kind = ConsentEvent.Kind.CONFIRMED
    with pytest.raises(AppendOnlyError):
        deed(event)
    assert ConsentEvent.objects.get().kind == "requested"


def test_a_new_row_does_not_take_the_place_of_one_that_is_there() -> None:
    event = an_event()
    forged = ConsentEvent(
        pk=event.pk,
        subscriber=event.subscriber,
        address_hash=event.address_hash,
        kind=ConsentEvent.Kind.CONFIRMED,
        text=event.text,
        source="form",
        at=NOON,
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        forged.save()
    assert ConsentEvent.objects.get().kind == "requested"


def test_a_wording_can_neither_be_changed_nor_deleted() -> None:
    text = the_wording()
    agreed = text.wording
    text.wording = "I would like to receive other mails, too."
    for deed in (text.save, text.delete, ConsentText.objects.all().delete):
        with pytest.raises(AppendOnlyError):
            deed()
    with pytest.raises(AppendOnlyError):
        ConsentText.objects.update(wording="Something else.")
    assert ConsentText.objects.get(pk=text.pk).wording == agreed


def test_a_new_wording_is_a_new_row() -> None:
    the_wording()
    before = ConsentText.objects.count()
    ConsentText.objects.create(version="2027-01-1", wording="I would like other mails.")
    assert ConsentText.objects.count() == before + 1


def test_erasing_a_reader_takes_them_out_of_the_log_and_leaves_the_rest_of_it() -> None:
    event = an_event()
    assert event.subscriber is not None
    lifecycle.erase(event.subscriber.public_id, at=NOON, trace=Trace("account page"))
    after = ConsentEvent.objects.get(pk=event.pk)
    assert after.subscriber is None
    assert (after.kind, after.address_hash, after.at) == (event.kind, event.address_hash, event.at)
