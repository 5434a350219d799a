"""An installation's first rows, written in a process of its own: `python -m tests.faults.furnish READERS`.

Readers with a digest each, others with a mail that asks them to confirm; all wait for an hour far off.
"""

import sys
from datetime import timedelta

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - Django first
from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from digest import editions  # noqa: E402
from digest.models import Delivery, Edition  # noqa: E402
from subscribers import outbox  # noqa: E402
from subscribers.models import Subscriber, SystemMail, Topic  # noqa: E402
from tests.cast import a_frozen_edition, a_paper, a_reader  # noqa: E402

PAPERS = 12
#: Who has just signed up, and is to be asked to confirm.
WISHES = 8


@transaction.atomic
def write(readers: int) -> None:
    """Write `readers` deliveries of today's edition."""
    now = timezone.now()
    topic = Topic.objects.order_by("pk")[0]
    edition = a_frozen_edition(
        editions.edition_day(now),
        *[a_paper("", topic, upvotes=60) for _ in range(PAPERS)],
        state=Edition.State.SENDING,
        approved_at=now,
        enrolled=readers,
    )
    Delivery.objects.bulk_create(
        Delivery(
            edition=edition,
            subscriber=reader,
            address_hash=reader.address_hash,
            local_date=edition.day,
            not_before=now + timedelta(days=1),
            expires_at=now + timedelta(days=2),
        )
        for reader in [a_reader("", topic) for _ in range(readers)]
    )
    for _ in range(WISHES):
        wisher = a_reader(status=Subscriber.Status.PENDING, created_at=now, confirmed_at=None)
        outbox.post(wisher, SystemMail.Kind.CONFIRM, at=now + timedelta(days=1))


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    write(int(sys.argv[1]))
