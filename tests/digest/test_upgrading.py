"""A worker of the version before may be at work while migrations run: what it writes is taken."""

from datetime import date
from typing import Any

import pytest
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model

from digest.models import Delivery, Edition
from tests.cast import NOON, a_frozen_edition, a_reader

DAY = date(2026, 3, 4)
#: The state of the tables before the desk was built.
BEFORE = [("digest", "0001_initial"), ("subscribers", "0007_address_changed_at")]


@pytest.fixture(scope="module")
def old() -> Any:
    """Return the models as they were; only their columns are written."""
    return MigrationLoader(None).project_state(BEFORE).apps


def as_before(old: Any, table: type[Model], **fields: object) -> list[Any]:
    return [old.get_model("digest", table.__name__)(**fields)]


@pytest.mark.django_db
def test_readers_whom_an_old_worker_enrolls_meanwhile_are_enrolled(old: Any) -> None:
    edition, reader = a_frozen_edition(DAY), a_reader()
    rows = as_before(
        old,
        Delivery,
        edition_id=edition.pk,
        subscriber_id=reader.pk,
        public_id="of-the-old-worker",
        local_date=DAY,
        not_before=NOON,
        expires_at=NOON,
    )
    # As enrolling writes: SQLite leaves out whatever row it cannot take, and says nothing.
    type(rows[0])._default_manager.bulk_create(rows, ignore_conflicts=True)
    assert Delivery.objects.get().clicks_counted is False


@pytest.mark.django_db
def test_an_edition_that_an_old_worker_opens_meanwhile_is_opened(old: Any) -> None:
    for row in as_before(old, Edition, day=DAY, opened_at=NOON):
        row.save()
    edition = Edition.objects.get()
    assert (edition.subject, edition.pause_reason, edition.resent) == ("", "", 0)


def test_a_new_row_holds_plain_values_before_it_is_stored() -> None:
    edition = Edition(day=DAY, opened_at=NOON)
    assert (edition.subject, edition.pause_reason, edition.resent) == ("", "", 0)
