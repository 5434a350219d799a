"""Read a provider's post into events: who posts is checked first, then each event is read by itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from anymail.signals import AnymailTrackingEvent
from anymail.webhooks.base import AnymailBasicAuthMixin
from django.http import HttpRequest
from django.urls import resolve

from digest.events import genuine

#: Where Anymail's readers read one event out of a post of many.
_OF_ONE_EVENT = ("unwrap_event", "esp_to_anymail_event")


class UnreadableError(ValueError):
    """Nothing in a post could be read. Its text names the fault, and nothing of what was posted."""


@dataclass(slots=True)
class Post:
    """What a post held: `events` in their order, and the names of the `faults` of those not read."""

    events: list[AnymailTrackingEvent] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def read(provider: str, request: HttpRequest, *, at: datetime) -> Post:
    """Return the events that `provider` posted in `request`, received at `at`.

    Raises AnymailWebhookValidationFailure for what the provider did not post, or posted long ago;
    `genuine.NotNowError` where that cannot be found out now; UnreadableError where nothing could be read.
    """
    found = resolve(f"/{provider}/tracking/", urlconf="anymail.urls").func
    view: Any = found.view_class()  # type: ignore[attr-defined]  # Anymail's are all class-based
    view.setup(request)
    # First the secret: the body of somebody who does not know it is not even parsed.
    AnymailBasicAuthMixin.validate_request(view, request)
    view.run_validators(request)
    genuine.check(provider, request, at=at)
    post = Post()
    for name in _OF_ONE_EVENT:
        if hasattr(view, name):
            setattr(view, name, _by_itself(getattr(view, name), post))
    with genuine.confirming(request):
        post.events = list(_read(view, request))
    if post.faults and not post.events:
        raise UnreadableError(post.faults[0])
    return post


def _read(view: Any, request: HttpRequest) -> Iterator[AnymailTrackingEvent]:  # noqa: ANN401 - Anymail has no types
    for event in view.parse_events(request):
        if isinstance(event, AnymailTrackingEvent):
            yield event


def _by_itself(read_one: Callable[..., Any], post: Post) -> Callable[..., Any]:
    """Return `read_one` so that an event it cannot read costs itself alone, not the whole post."""

    def read_or_note(*arguments: Any) -> Any:  # noqa: ANN401
        try:
            return read_one(*arguments)
        except Exception as error:  # noqa: BLE001 - data of any shape reaches Anymail's readers
            post.faults.append(type(error).__name__)
            # What unwraps an event returns (class, event, as posted), and without an event it is passed over.
            return (None, None, None) if read_one.__name__ == "unwrap_event" else None

    return read_or_note
