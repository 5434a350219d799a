"""Synthetic readers: any number, always the same ones, at addresses that can never exist (RFC 2606)."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import reset_queries, transaction

from subscribers.addresses import address_hash, address_key
from subscribers.models import ConsentEvent, Interest, Preference, Subscriber, Topic

DOMAIN = "readers.example"
#: Readers made in one transaction; memory holds one such batch.
BATCH = 2_000
#: So long ago that nobody takes them for newcomers and sends a welcome.
CONFIRMED_BEFORE = timedelta(days=30)

PHRASES = (
    "compositional generalisation in vision", "gaussian splatting", "retrieval augmented generation",
    "long context language models", "mixture of experts", "chain of thought reasoning",
    "protein structure prediction", "diffusion transformers", "video generation", "world models",
    "mechanistic interpretability", "sparse autoencoders", "reward hacking", "preference optimisation",
    "multi-agent reinforcement learning", "sim-to-real transfer", "dexterous manipulation",
    "speech recognition for low-resource languages", "text to speech", "music generation",
    "tabular foundation models", "time series forecasting", "graph neural networks", "state space models",
    "quantisation of large models", "speculative decoding", "federated learning", "differential privacy",
    "medical image segmentation", "electronic health records", "weather forecasting", "program synthesis",
    "code review with language models", "web agents", "tool use", "embodied navigation",
    "visual question answering", "document understanding", "optical character recognition", "point clouds",
    "depth estimation", "novel view synthesis", "machine translation", "hallucination detection",
    "data curation for pre-training", "synthetic training data", "scaling laws", "optimal transport",
    "causal discovery", "continual learning", "test-time compute", "adversarial robustness", "watermarking",
    "jailbreaks", "fairness in recommendation", "recommender systems", "autonomous driving",
    "trajectory prediction", "neural operators", "theorem proving",
)  # fmt: skip
UNWANTED = (
    "blockchain", "survey", "cryptocurrency", "recommender systems", "autonomous driving", "benchmark",
    "stock market", "wireless", "quantum", "face recognition",
)  # fmt: skip
AUTHORS = (
    "Ada Example", "Ben Sample", "Ines Okonkwo-Vale", "Tomasz Brandvoll", "Yuki Harrowgate",
    "Leonor Quistgaard", "Mirela Anstey", "Jonas Petterquist", "Nadia El-Farouqi", "Kofi Wetherington",
)  # fmt: skip
ZONES = (
    "America/New_York", "America/Los_Angeles", "Europe/Berlin", "Europe/London", "Asia/Shanghai",
    "Asia/Kolkata", "Asia/Tokyo", "Asia/Seoul", "Europe/Paris", "America/Chicago", "America/Toronto",
    "America/Sao_Paulo", "America/Mexico_City", "America/Denver", "Europe/Madrid", "Europe/Istanbul",
    "Europe/Kyiv", "Africa/Lagos", "Africa/Nairobi", "Africa/Cairo", "Asia/Singapore", "Asia/Kathmandu",
    "Australia/Sydney", "Pacific/Auckland", "UTC",
)  # fmt: skip
#: The first zones hold most readers, as in life.
_ZONE_WEIGHTS = [12, 10, 9, 8, 8, 7, 5, 4, 4, 4, *[2] * (len(ZONES) - 10)]
_MORNING = [hour * 60 + quarter for hour in range(5, 11) for quarter in (0, 15, 30, 45)]
_ANY_HOUR = [hour * 60 for hour in range(24)]
_SIZES = (5, 8, 10, 10, 10, 10, 12, 15, 20, 25)


class NoTopicsError(Exception):
    """There is no active topic that a reader could follow."""


@dataclass(frozen=True)
class Traits:
    """What one synthetic reader is like; `topics` are [(topic id, weight)], `interests` [(kind, text)]."""

    time_zone: str
    send_minute: int
    size: int
    topics: list[tuple[int, int]]
    interests: list[tuple[str, str]]


def address(number: int) -> str:
    """Return the address of the synthetic reader `number`, counted from 1."""
    return f"reader-{number:05d}@{DOMAIN}"


def traits(number: int, topic_ids: Sequence[int]) -> Traits:
    """Return the traits of reader `number`: the same for the same number and topics, on every machine."""
    dice = random.Random(f"paperboy reader {number}")  # noqa: S311 - varied, not secret
    chosen = dice.sample(list(topic_ids), k=min(dice.choice((1, 2, 2, 3, 3, 4, 5)), len(topic_ids)))
    words = dice.sample(PHRASES, k=dice.choice((0, 0, 1, 1, 2, 3)))
    interests = [(Interest.Kind.WORDS.value, phrase) for phrase in words]
    if dice.random() < 0.12:
        interests.append((Interest.Kind.AUTHOR.value, dice.choice(AUTHORS)))
    if dice.random() < 0.2:
        unwanted = [phrase for phrase in UNWANTED if phrase not in words]
        interests.append((Interest.Kind.EXCLUDE.value, dice.choice(unwanted)))
    return Traits(
        time_zone=dice.choices(ZONES, weights=_ZONE_WEIGHTS)[0],
        send_minute=dice.choice(_MORNING if dice.random() < 0.85 else _ANY_HOUR),
        size=dice.choice(_SIZES),
        topics=[(topic, 2 if dice.random() < 0.25 else 1) for topic in chosen],
        interests=interests,
    )


def ensure(count: int, *, at: datetime, progress: Callable[[int], object] = lambda _done: None) -> int:
    """Make sure that the synthetic readers 1 to `count` exist and return how many were added.

    They are active daily readers who confirmed thirty days before `at`, each with an `imported` consent
    event. Who exists is left as they are, whatever has become of them. `progress` gets the number looked at
    since its last call. Raises NoTopicsError.
    """
    topic_ids = list(Topic.objects.filter(active=True).order_by("slug").values_list("pk", flat=True))
    if not topic_ids:
        raise NoTopicsError("There are no active topics to follow. Run `manage.py migrate` first.")
    added = 0
    for numbers in _batches(count):
        added += _add_missing(numbers, topic_ids, at - CONFIRMED_BEFORE)
        progress(len(numbers))
        # In development Django keeps the text of the last 9,000 statements, here some hundred kB each.
        reset_queries()
    return added


def _batches(count: int) -> Iterator[range]:
    for first in range(1, count + 1, BATCH):
        yield range(first, min(first + BATCH, count + 1))


def introduce(given: str, described: Traits, *, at: datetime) -> bool:
    """Make one more reader, at the normalised address `given`; say whether they were not there yet."""
    return bool(_add({given: described}, at - CONFIRMED_BEFORE))


def _add_missing(numbers: range, topic_ids: Sequence[int], moment: datetime) -> int:
    return _add({address(number): traits(number, topic_ids) for number in numbers}, moment)


def _add(wanted: Mapping[str, Traits], moment: datetime) -> int:
    """Add those of {address: traits} that are not there and return how many."""
    with transaction.atomic():
        keys = {address_key(given): given for given in wanted}
        there = Subscriber.objects.filter(address_key__in=keys).values_list("address_key", flat=True)
        missing = [keys[key] for key in keys.keys() - set(there)]
        readers = [_reader(given, wanted[given], moment) for given in sorted(missing)]
        Subscriber.objects.bulk_create(readers)
        Preference.objects.bulk_create(
            Preference(subscriber=reader, topic_id=topic, weight=weight)
            for reader in readers
            for topic, weight in wanted[reader.address].topics
        )
        Interest.objects.bulk_create(
            Interest(subscriber=reader, kind=kind, text=text)
            for reader in readers
            for kind, text in wanted[reader.address].interests
        )
        ConsentEvent.objects.bulk_create(
            ConsentEvent(
                subscriber=reader,
                address_hash=reader.address_hash,
                kind=ConsentEvent.Kind.IMPORTED,
                source="seed",
                at=moment,
            )
            for reader in readers
        )
    return len(readers)


def _reader(given: str, described: Traits, moment: datetime) -> Subscriber:
    return Subscriber(
        address=given,
        address_key=address_key(given),
        address_hash=address_hash(given),
        status=Subscriber.Status.ACTIVE,
        status_at=moment,
        created_at=moment,
        confirmed_at=moment,
        time_zone=described.time_zone,
        send_minute=described.send_minute,
        size=described.size,
    )
