"""The cast: readers, topics, papers and editions with roles, made the way the product would make them."""

import itertools
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from typing import Any

from django.apps import apps

from digest.models import Appearance, Candidate, Edition, Paper
from subscribers.addresses import address_hash, address_key, normalise
from subscribers.models import ConsentText, Preference, Subscriber, Topic

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday
_serial = itertools.count(1)


def a_topic(slug: str = "vision", **fields: Any) -> Topic:
    """Return a topic; its name is made from its slug."""
    defaults = {"name": slug.replace("-", " ").capitalize(), "description": f"Papers about {slug}."}
    # The migrations seed topics; one of them may have this slug already.
    return Topic.objects.update_or_create(slug=slug, defaults={**defaults, **fields})[0]


def the_wording() -> ConsentText:
    """Return the wording of consent; a migration writes it, the flush after a transactional test takes it."""
    text, _ = ConsentText.objects.get_or_create(
        version="2026-11-1", defaults={"wording": "I would like to receive a digest by email."}
    )
    return text


def the_first_rows() -> None:
    """Write the wording and topics that migrations wrote; the flush after a transactional test takes them."""
    import_module("subscribers.migrations.0002_consent_text").write_the_wording(apps, None)
    import_module("subscribers.migrations.0013_wording_of_clicks").write_the_wording(apps, None)
    import_module("subscribers.migrations.0003_first_topics").seed(apps, None)


def a_reader(address: str = "", *topics: Topic, **fields: Any) -> Subscriber:
    """Return an active daily reader of `topics`, who confirmed ten days before NOON."""
    given = normalise(address or f"reader{next(_serial)}@example.org")
    defaults: dict[str, Any] = {
        "status": Subscriber.Status.ACTIVE,
        "status_at": NOON - timedelta(days=10),
        "created_at": NOON - timedelta(days=10),
        "confirmed_at": NOON - timedelta(days=10),
    }
    reader = Subscriber.objects.create(
        address=given,
        address_key=address_key(given),
        address_hash=address_hash(given),
        **{**defaults, **fields},
    )
    Preference.objects.bulk_create([Preference(subscriber=reader, topic=topic) for topic in topics])
    return reader


def a_paper(title: str = "", *topics: Topic, **fields: Any) -> Paper:
    """Return a stored paper that belongs to `topics`."""
    number = next(_serial)
    arxiv_id = f"2603.{number:05d}"
    defaults: dict[str, Any] = {
        "identity": arxiv_id,
        "arxiv_id": arxiv_id,
        "title": title or f"Paper number {number}",
        "abstract": f"We study question {number} and answer it with care.",
        "authors": ["Ada Example", "Ben Sample"],
        "categories": ["cs.LG"],
        "primary_category": "cs.LG",
        "published_at": NOON - timedelta(days=2),
        "stored_at": NOON - timedelta(days=1),
    }
    paper = Paper.objects.create(**{**defaults, **fields})
    paper.topics.add(*topics)
    return paper


def appeared(paper: Paper, day: date, source: str = "huggingface") -> Appearance:
    """Put `paper` on `source` on `day`."""
    return Appearance.objects.create(paper=paper, source=source, day=day)


def a_frozen_edition(
    day: date, *papers: Paper, state: str = Edition.State.APPROVED, **fields: Any
) -> Edition:
    """Return an edition of `day` whose candidates are `papers`, without going through the freeze."""
    moment = datetime(day.year, day.month, day.day, 6, tzinfo=UTC)
    edition = Edition.objects.create(
        day=day, state=state, opened_at=moment, frozen_at=moment, candidate_count=len(papers), **fields
    )
    Candidate.objects.bulk_create(
        Candidate(
            edition=edition, paper=paper, featured_on=day, sources=["huggingface"], upvotes=paper.upvotes
        )
        for paper in papers
    )
    return edition
