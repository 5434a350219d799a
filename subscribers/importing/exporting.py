"""Readers as CSV, one at a time: what goes out can come in again, here or in listmonk."""

import json
from collections.abc import Iterator
from typing import Any

from django.db.models import Prefetch, QuerySet
from import_export import fields, resources

from subscribers.csv_lines import csv_lines
from subscribers.models import ImportJob, Interest, Subscriber

#: Readers fetched at once.
PAGE = 1_000
_LISTMONK_STATUS = {
    Subscriber.Status.ACTIVE: "enabled",
    Subscriber.Status.PENDING: "disabled",
    Subscriber.Status.UNSUBSCRIBED: "disabled",
    Subscriber.Status.SUPPRESSED: "blocklisted",
}


class PlainResource(resources.ModelResource):  # type: ignore[misc]  # import-export ships no types
    """The columns of a plain file. The status goes along: who left stays gone wherever it comes in."""

    email = fields.Field("address", "email")
    topics = fields.Field(column_name="topics")
    words = fields.Field(column_name="words")
    time_zone = fields.Field("time_zone", "time_zone")
    frequency = fields.Field("frequency", "frequency")
    subscribed_at = fields.Field(column_name="subscribed_at")
    status = fields.Field("status", "status")

    class Meta:
        model = Subscriber
        fields = ("email", "topics", "words", "time_zone", "frequency", "subscribed_at", "status")
        export_order = fields

    def dehydrate_topics(self, reader: Subscriber) -> str:
        """Return the slugs."""
        return ", ".join(_slugs(reader))

    def dehydrate_words(self, reader: Subscriber) -> str:
        """Return the reader's own words, one a line."""
        return "\n".join(_words(reader))

    def dehydrate_subscribed_at(self, reader: Subscriber) -> str:
        """Return the moment in UTC."""
        return _moment(reader)


class ListmonkResource(resources.ModelResource):  # type: ignore[misc]
    """The columns that listmonk exports and imports; its name column is asked for and stays empty."""

    email = fields.Field("address", "email")
    name = fields.Field(column_name="name")
    attributes = fields.Field(column_name="attributes")
    status = fields.Field(column_name="status")
    created_at = fields.Field(column_name="created_at")

    class Meta:
        model = Subscriber
        fields = ("email", "name", "attributes", "status", "created_at")
        export_order = fields

    def dehydrate_name(self, _reader: Subscriber) -> str:
        """Return nothing: names are not kept."""
        return ""

    def dehydrate_attributes(self, reader: Subscriber) -> str:
        """Return the choices as a JSON object."""
        return json.dumps(
            {
                "topics": _slugs(reader),
                "words": _words(reader),
                "time_zone": reader.time_zone,
                "frequency": reader.frequency,
            },
            ensure_ascii=False,
        )

    def dehydrate_status(self, reader: Subscriber) -> str:
        """Return listmonk's word."""
        return _LISTMONK_STATUS[Subscriber.Status(reader.status)]

    def dehydrate_created_at(self, reader: Subscriber) -> str:
        """Return the moment in UTC."""
        return _moment(reader)


RESOURCES: dict[str, type[Any]] = {
    ImportJob.Format.PLAIN.value: PlainResource,
    ImportJob.Format.LISTMONK.value: ListmonkResource,
}


def readers(status: str) -> QuerySet[Subscriber]:
    """Return the readers with `status`, or all for "all"; of the active ones those that mail may go to."""
    if status == Subscriber.Status.ACTIVE:
        return Subscriber.objects.reachable()
    return Subscriber.objects.all() if status == "all" else Subscriber.objects.filter(status=status)


def reader_lines(chosen: QuerySet[Subscriber], format: str) -> Iterator[str]:  # noqa: A002 - the command's word
    """Yield the file line by line; memory holds PAGE readers, whatever their number."""
    resource = RESOURCES[format]()
    in_order = Prefetch("interests", Interest.objects.order_by("pk"))
    related = chosen.order_by("pk").prefetch_related("topics", in_order)
    rows = map(resource.export_resource, related.iterator(chunk_size=PAGE))
    return csv_lines(resource.get_export_headers(), rows)


def _slugs(reader: Subscriber) -> list[str]:
    return [topic.slug for topic in reader.topics.all()]


def _words(reader: Subscriber) -> list[str]:
    return [interest.text for interest in reader.interests.all() if interest.kind == Interest.Kind.WORDS]


def _moment(reader: Subscriber) -> str:
    return (reader.confirmed_at or reader.created_at).strftime("%Y-%m-%dT%H:%M:%SZ")
