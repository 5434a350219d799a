"""A reader's data, all of it, as JSON that people and programs can read (GDPR articles 15 and 20).

Each section says in a sentence what it is. Moments are ISO 8601 in UTC, dates are the reader's own. Which
columns are not told, and why, is listed in tests/digest/test_export.py.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from django.conf import settings
from django.db.models import Q

from digest.models import BounceVerdict, Delivery, Paper, ProviderEvent
from subscribers.models import (
    AddressChange,
    ConsentEvent,
    SignupRequest,
    Subscriber,
    Suppression,
    SystemMail,
)

Section = dict[str, Any]
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: Deliveries in memory at a time, with the titles of their papers.
_CHUNK = 100


def written(reader: Subscriber, *, at: datetime) -> Iterator[bytes]:
    """Yield the data of `reader` as one JSON document in UTF-8, in pieces: deliveries may be thousands."""
    head = {
        "about": f"All that {settings.LIST_NAME} keeps about you. Moments are in UTC.",
        "made_at": _told(at),
        "from": settings.SITE_URL,
        "questions_to": settings.CONTACT_EMAIL,
    }
    yield b'{\n"data": ' + _json(head)
    for name, section in _SECTIONS.items():
        yield b",\n" + _json(name) + b": " + _json(section(reader))
    about = "Your digests, newest first: what became of each, the papers in it, and why each was chosen."
    yield b',\n"digests": {"about": ' + _json(about) + b', "rows": ['
    before = b"\n"
    for row in _digests(reader):
        yield before + _json(row, indent=None)
        before = b",\n"
    yield b"\n]}\n}\n"


def _json(value: object, indent: int | None = 2) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=indent).encode(errors="replace")


def _told(value: object) -> object:
    """Return a value as JSON can hold it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def _row(thing: object, *names: str) -> Section:
    """Return the named columns of a row."""
    return {name: _told(getattr(thing, name)) for name in names}


def _reader(reader: Subscriber) -> Section:
    return {
        "about": "Who you are to us: your address, how it is compared and hashed, and where you stand.",
        **_row(reader, "address", "address_key", "address_hash", "public_id"),
        **_row(reader, "status", "status_at", "created_at", "confirmed_at", "address_changed_at"),
        **_row(reader, "clicks_counted_since"),
    }


def _schedule(reader: Subscriber) -> Section:
    return {
        "about": "When your digest comes, and how long it is. The day of the week counts for weekly readers.",
        **_row(reader, "frequency", "time_zone", "paused_until", "paused_because"),
        "weekday": WEEKDAYS[reader.weekday],
        "local_time": f"{reader.send_minute // 60:02}:{reader.send_minute % 60:02}",
        "papers_in_a_digest": reader.size,
    }


def _topics(reader: Subscriber) -> Section:
    followed = reader.preferences.select_related("topic").order_by("topic__name")
    return {
        "about": "The topics you follow; a weight of 2 means more of it.",
        "rows": [{"topic": one.topic.name, "slug": one.topic.slug, "weight": one.weight} for one in followed],
    }


def _interests(reader: Subscriber) -> Section:
    return {
        "about": "Your own words, the authors you follow, and what you never want to see.",
        "rows": [_row(one, "kind", "text") for one in reader.interests.order_by("pk")],
    }


def _consent(reader: Subscriber) -> Section:
    """Return the log of this reader, and of an earlier one with the same address who was erased.

    That another address was asked is left out: it was not where somebody has that address already, and nobody
    shall learn that. Events without a reader may have come by another person's browser, so it is not named.
    """
    mine = Q(subscriber=reader) | Q(subscriber=None, address_hash=reader.address_hash)
    asked_another = Q(kind=ConsentEvent.Kind.REQUESTED) & ~Q(address_hash=reader.address_hash)
    events = ConsentEvent.objects.filter(mine).exclude(asked_another).order_by("pk")
    return {
        "about": "The proof of what was agreed to and taken back: when, from where, and in which words.",
        "rows": [
            {
                **_row(event, "at", "kind", "source", "address_hash"),
                **(_row(event, "network", "user_agent") if event.subscriber_id else {}),
                "agreed_to": _row(event.text, "version", "wording") if event.text else None,
                "imported_with": event.import_job.consent_source if event.import_job else None,
            }
            for event in events.select_related("text", "import_job")
        ],
    }


def _mails(reader: Subscriber) -> Section:
    names = ("kind", "state", "created_at", "not_before", "sent_at", "to", "attempts", "detail", "public_id")
    return {
        "about": "Mails about your subscription. “to” is empty where they went to your address.",
        # Whether a new address was written to depends on who has it: see _consent.
        "rows": [
            _row(mail, *names)
            for mail in reader.system_mails.exclude(kind=SystemMail.Kind.NEW_ADDRESS).order_by("pk")
        ],
    }


def _address_change(reader: Subscriber) -> Section:
    waiting = AddressChange.objects.filter(subscriber=reader).first()
    return {
        "about": "A new address that waits for its owner to agree.",
        "waiting": _row(waiting, "address", "address_key", "address_hash", "asked_at") if waiting else None,
    }


def _requests(reader: Subscriber) -> Section:
    names = ("at", "address", "topics", "words", "time_zone", "source", "network", "user_agent", "attempts")
    waiting = SignupRequest.objects.filter(address__iexact=reader.address).select_related("consent_text")
    return {
        "about": "Wishes to subscribe with your address that nobody has looked at yet.",
        "rows": [
            {**_row(one, *names), "agreed_to": _row(one.consent_text, "version", "wording")}
            for one in waiting.order_by("pk")
        ],
    }


def _suppression(reader: Subscriber) -> Section:
    listed = Suppression.objects.filter(address_hash=reader.address_hash).first()
    return {
        "about": "Whether your address, by its hash, is on the list of those that get no mail, and why.",
        "listed": _row(listed, "reason", "source", "at") if listed else None,
    }


def _verdicts(reader: Subscriber) -> Section:
    mine = BounceVerdict.objects.filter(address_hash=reader.address_hash).order_by("pk")
    names = ("at", "source", "state", "settled_at", "why", "domain_key")
    return {
        "about": "When your mailbox was said to be gone, and what was made of it.",
        "rows": [_row(one, *names) for one in mine],
    }


def _events(reader: Subscriber) -> Section:
    """Return what providers told of the reader's mails, and of unknown ones to the reader's address.

    As in _consent, nothing is told of a mail that asked another address.
    """
    events = ProviderEvent.objects.select_related("delivery", "system_mail")
    asked_another = Q(system_mail__kind=SystemMail.Kind.NEW_ADDRESS)
    # Three questions, since each has an index and all of them together have none.
    rows = [
        *events.filter(delivery__subscriber=reader),
        *events.filter(system_mail__subscriber=reader).exclude(asked_another),
        *events.filter(delivery=None, system_mail=None, recipient_hash=reader.address_hash),
    ]
    names = (
        *("provider", "key", "kind", "recipient_hash", "message_id"),
        *("at", "received_at", "applied_at", "detail"),
    )
    return {
        "about": "What the service that carries our mails told of yours: arrived, refused, complained of.",
        "rows": [
            {
                **_row(event, *names),
                "digest": event.delivery.public_id if event.delivery else None,
                "mail": event.system_mail.public_id if event.system_mail else None,
            }
            for event in sorted(rows, key=lambda event: event.pk)
        ],
    }


_SECTIONS: Mapping[str, Callable[[Subscriber], Section]] = {
    "reader": _reader,
    "schedule": _schedule,
    "topics": _topics,
    "interests": _interests,
    "consent": _consent,
    "mails": _mails,
    "address_change": _address_change,
    "signup_requests": _requests,
    "suppression": _suppression,
    "verdicts": _verdicts,
    "events": _events,
}


def _digests(reader: Subscriber) -> Iterator[Section]:
    """Yield the reader's deliveries, newest first, two queries for each _CHUNK."""
    keys = list(
        Delivery.objects.filter(subscriber=reader).order_by("-edition__day").values_list("pk", flat=True)
    )
    for start in range(0, len(keys), _CHUNK):
        chunk = keys[start : start + _CHUNK]
        deliveries = Delivery.objects.select_related("edition").prefetch_related("clicks").in_bulk(chunk)
        picked = {paper for one in deliveries.values() for paper, _reason in one.picks}
        picked |= {click.paper_id for one in deliveries.values() for click in one.clicks.all()}
        rows = Paper.objects.filter(pk__in=picked).values_list("pk", "title", "identity")
        papers = {key: (title, identity) for key, title, identity in rows}
        yield from (_digest(deliveries[key], papers) for key in chunk if key in deliveries)


def _digest(delivery: Delivery, papers: Mapping[int, tuple[str, str]]) -> Section:
    names = ("local_date", "state", "subject", "not_before", "submitted_at", "settled_at", "expires_at")
    more = ("retry_at", "attempts", "detail", "provider_id", "public_id", "address_hash", "domain_key")
    heard = ("delivered_at", "soft_bounced_at", "bounced_at", "complained_at", "left_at", "clicks_counted")
    nothing = (None, None)  # a paper that is stored no more
    return {
        "edition": _told(delivery.edition.day),
        **_row(delivery, *names, *more, *heard),
        "papers_opened": [
            {**_row(click, "at", "link", "robot"), "identity": papers.get(click.paper_id, nothing)[1]}
            for click in delivery.clicks.all()
        ],
        "papers": [
            {"title": title, "identity": identity, "reason": reason}
            for paper, reason in delivery.picks
            for title, identity in [papers.get(paper, nothing)]
        ],
    }
