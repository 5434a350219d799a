"""What the tests of the door share: links to press, forms to fill, and a look at all rows."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.core import serializers
from django.test import Client
from django.utils import timezone

from subscribers import lifecycle, links, stamps
from subscribers.consent import Trace, binding_of
from subscribers.models import (
    ConsentEvent,
    Interest,
    Preference,
    SignupRequest,
    Subscriber,
    Suppression,
    SystemMail,
    Topic,
)
from tests.cast import NOON, the_wording

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
TRACE = Trace("test")
#: Tables that no reading may touch.
KEPT = (SignupRequest, Subscriber, Preference, Interest, ConsentEvent, Suppression, SystemMail)


def path(url: str) -> str:
    return url.partition("#")[0].removeprefix("https://papers.example.org")


def snapshot() -> str:
    return "".join(serializers.serialize("json", model.objects.order_by("pk")) for model in KEPT)


def pending(address: str = "ada@example.org") -> Subscriber:
    lifecycle.sign_up(address, [], at=NOON, trace=TRACE)
    return Subscriber.objects.get(address=address)


def unsubscribing(reader: Subscriber) -> str:
    return path(links.unsubscribe_url(reader.public_id, "d" * 22))


def choosing(reader: Subscriber) -> str:
    return path(links.preferences_url(reader.public_id, NOON))


def confirming(reader: Subscriber) -> str:
    return path(links.confirm_url(reader.public_id, binding=binding_of(reader), at=NOON))


def stamp(age: timedelta = timedelta(minutes=1)) -> str:
    """Return the stamp of a page that was made `age` ago."""
    return stamps.make(the_wording().pk, at=timezone.now() - age)


def sign_up(client: Client, **data: object) -> "Response":
    """Send the form of a page that was made a minute ago."""
    return client.post("/subscribe/", {"stamp": stamp(), **data})


def kept_private(response: "Response") -> bool:
    return (
        "no-store" in response["Cache-Control"]
        and response["Referrer-Policy"] == "no-referrer"
        and "noindex" in response["X-Robots-Tag"]
        and not response.cookies
    )


def choices(**changes: object) -> dict[str, object]:
    given: dict[str, object] = {
        "words": "",
        "authors": "",
        "excluded": "",
        "frequency": "daily",
        "weekday": "0",
        "local_time": "07:00",
        "time_zone": "UTC",
        "size": "10",
    }
    return {**given, **changes}


def weight(topic: Topic) -> str:
    return f"topic-{topic.pk}"
