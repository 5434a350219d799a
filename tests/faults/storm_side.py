"""What a storm of messages works on besides digests: `python -m tests.faults.storm_side READERS`.

Readers' digests and wishes as `furnish` writes them; readers who left, as a provider tells; an import.
"""

import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - Django first
from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from digest.models import ProviderEvent  # noqa: E402
from subscribers.importing import jobs  # noqa: E402
from subscribers.models import ImportJob, SystemMail  # noqa: E402
from tests.cast import a_reader  # noqa: E402
from tests.faults import furnish  # noqa: E402

LEAVING, IMPORTED = 60, 1_500


@transaction.atomic
def write() -> None:
    """Write events that let LEAVING readers go, and an import of IMPORTED readers."""
    now = timezone.now()
    for number in range(LEAVING):
        reader = a_reader(f"leaving{number}@example.org")
        mail = SystemMail.objects.create(
            subscriber=reader,
            kind=SystemMail.Kind.ACCOUNT,
            state=SystemMail.State.SENT,
            attempts=1,
            created_at=now,
            not_before=now,
        )
        ProviderEvent.objects.create(
            provider="postmark",
            key=str(number),
            kind=ProviderEvent.Kind.UNSUBSCRIBED,
            system_mail=mail,
            recipient_hash=reader.address_hash,
            at=now,
            received_at=now,
        )
    rows = "".join(f"imported{number}@example.net\n" for number in range(IMPORTED))
    jobs.open_job(
        [b"email\n", rows.encode()],
        name="readers.csv",
        consent_source="Signed up on example.org in 2025, confirmed by mail.",
        state=ImportJob.State.IMPORTING,
        at=now,
    )


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    furnish.write(int(sys.argv[1]))
    write()
