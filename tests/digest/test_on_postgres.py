"""What only PostgreSQL does: locks that are skipped, and a planner that must not undo a limit."""

import threading
from datetime import date, timedelta

import pytest
from django.db import connection, transaction

from digest.delivery import claiming
from digest.models import Delivery, Edition
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def due_deliveries(count: int, *, analyze_after: int = 0) -> None:
    """Make `count` due deliveries; the planner learns of the table when it has `analyze_after` of them."""
    edition = a_frozen_edition(date(2026, 3, 4), a_paper(), state=Edition.State.SENDING)
    for number in range(1, count + 1):
        reader = a_reader()
        Delivery.objects.create(
            edition=edition,
            subscriber=reader,
            address_hash=reader.address_hash,
            local_date=edition.day,
            not_before=NOON - timedelta(minutes=count - number),
            expires_at=NOON + timedelta(hours=5),
        )
        if number == analyze_after:
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")


@pytest.mark.parametrize("analyze_after", [1, 2, 40])
def test_a_claim_is_never_larger_than_its_limit_whatever_the_plan(analyze_after: int) -> None:
    due_deliveries(40, analyze_after=analyze_after)
    assert len(claiming.claim(owner="one", at=NOON, limit=5)) == 5
    assert Delivery.objects.filter(state=Delivery.State.CLAIMED).count() == 5


def test_a_worker_does_not_wait_for_rows_that_another_one_holds() -> None:
    due_deliveries(6)
    claimed: list[Delivery] = []

    def second_worker() -> None:
        try:
            claimed.extend(claiming.claim(owner="two", at=NOON, limit=10))
        finally:
            connection.close()

    with transaction.atomic():
        held = list(Delivery.objects.select_for_update().order_by("not_before")[:4])
        worker = threading.Thread(target=second_worker)
        worker.start()
        worker.join(timeout=10)
        assert not worker.is_alive()
    assert len(claimed) == 2
    assert not {row.pk for row in held} & {row.pk for row in claimed}
