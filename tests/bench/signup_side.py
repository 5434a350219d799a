"""The measuring side of the sign-up bench, in a process of its own; prints {kind: [milliseconds]} as JSON."""

import json
import random
import sys
import time
from datetime import timedelta

import django

django.setup()

from django.conf import settings  # noqa: E402 - Django first
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from digest import valkey  # noqa: E402
from subscribers import stamps  # noqa: E402
from subscribers.addresses import address_hash, address_key  # noqa: E402
from subscribers.consent import current_consent_text  # noqa: E402
from subscribers.models import SignupRequest, Subscriber, Suppression  # noqa: E402

STATUSES = ("pending", "active", "unsubscribed", "suppressed")
KINDS = ("unknown", "unknown again", *STATUSES)
WARM_UP = 50


def main() -> None:
    """Furnish, measure, and see that each request left its row."""
    each = int(sys.argv[1])
    settings.ALLOWED_HOSTS = ["localhost"]
    call_command("migrate", verbosity=0)
    for status in STATUSES:
        furnish(status, each)
    turns = [(kind, number) for kind in KINDS for number in range(each)]
    random.Random(20260304).shuffle(turns)
    took: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with valkey.running(settings.VALKEY_SOCKET, settings.DATA_DIR / "valkey"):
        for number in range(WARM_UP):
            post("warm", number)
        for kind, number in turns:
            took[kind].append(post(kind, number))
    assert SignupRequest.objects.count() == WARM_UP + len(turns)
    print(json.dumps(took))


def furnish(status: str, amount: int) -> None:
    """Write readers of `status`, the suppressed with their entries on the list."""
    now = timezone.now()
    readers = [
        Subscriber(
            address=(given := address(status, number)),
            address_key=address_key(given),
            address_hash=address_hash(given),
            status=status,
            status_at=now,
            created_at=now,
        )
        for number in range(amount)
    ]
    Subscriber.objects.bulk_create(readers)
    if status == "suppressed":
        Suppression.objects.bulk_create(
            Suppression(address_hash=reader.address_hash, reason="bounce", source="bench", at=now)
            for reader in readers
        )


def address(kind: str, number: int) -> str:
    """Return an address; those of all kinds are of one length."""
    return f"{kind.replace(' ', '-'):_<16}{number:06}@example.org"


def post(kind: str, number: int) -> float:
    """Sign up number `number` of `kind`; return the milliseconds until the answer was whole."""
    at = timezone.now() - timedelta(minutes=1)
    fields = {
        "address": address(kind, number),
        "topics": ["computer-vision", "robotics"],
        "words": "proof assistants",
        "time_zone": "Europe/Paris",
        "stamp": stamps.make(current_consent_text().pk, at=at),
    }
    client = Client(REMOTE_ADDR=f"198.18.{number % 256}.7", SERVER_NAME="localhost")
    started = time.perf_counter()
    response = client.post("/subscribe/", fields)
    spent = (time.perf_counter() - started) * 1000
    assert response.status_code == 303, response.content
    return spent


if __name__ == "__main__":
    main()
