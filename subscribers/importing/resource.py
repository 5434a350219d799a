"""The resource that judges rows: django-import-export walks them, cleans the fields and asks what to skip.

It asks the database once a batch and writes nothing: who is judged new waits in `newcomers` for
`admitting`. The library's own dry run is a transaction rolled back, which on SQLite would hold the one
write lock that everybody needs; ours is the same judgement without the admission.
"""

import zoneinfo
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import tablib
from django.core.exceptions import ValidationError
from import_export import fields, resources, widgets

from subscribers.addresses import address_hash, address_key
from subscribers.admitting import Newcomer
from subscribers.forms.lines import LinesField
from subscribers.importing.entries import Standing
from subscribers.importing.known import Known, spelt
from subscribers.importing.outcomes import Outcome, Verdict
from subscribers.models import Subscriber, Suppression

_NOT_SUBSCRIBED = {
    Standing.LEFT: "The file says that they left.",
    Standing.UNCONFIRMED: "The file says that they never confirmed.",
}
_NEVER_AGAIN = {
    Standing.BOUNCED: Suppression.Reason.BOUNCE,
    Standing.COMPLAINED: Suppression.Reason.COMPLAINT,
    Standing.BLOCKED: Suppression.Reason.REQUEST,
}
_ZONES = frozenset(zoneinfo.available_timezones())
_WORDS = LinesField()
HEADERS = ("line", "address", "standing", "tags", "words", "time_zone", "frequency", "agreed_at")


class AddressWidget(widgets.Widget):  # type: ignore[misc]  # import-export ships no types
    """An address, in the one spelling we keep. AddressError is a ValueError: the row's reason."""

    def clean(self, value: str, row: Mapping[str, Any] | None = None, **_options: object) -> str:  # noqa: ARG002
        """Return the normalised address."""
        return spelt(value)


class ZoneWidget(widgets.Widget):  # type: ignore[misc]
    """A time zone of the tz database; none is UTC."""

    def clean(self, value: str, row: Mapping[str, Any] | None = None, **_options: object) -> str:  # noqa: ARG002
        """Return the zone's name. Raises ValueError."""
        if value and value not in _ZONES:
            raise ValueError(
                f"There is no time zone “{value[:40]}”. Write it like Europe/Berlin, or leave it out."
            )
        return value or "UTC"


class FrequencyWidget(widgets.Widget):  # type: ignore[misc]
    """How often; none is daily."""

    def clean(self, value: str, row: Mapping[str, Any] | None = None, **_options: object) -> str:  # noqa: ARG002
        """Return the frequency. Raises ValueError."""
        frequency = value.casefold() or Subscriber.Frequency.DAILY.value
        if frequency not in Subscriber.Frequency.values:
            raise ValueError(f"frequency is one of {', '.join(Subscriber.Frequency.values)}, or left out.")
        return frequency


class WordsWidget(widgets.Widget):  # type: ignore[misc]
    """A reader's own words, by the same rules as in the sign-up form."""

    def clean(
        self,
        value: tuple[str, ...],
        row: Mapping[str, Any] | None = None,  # noqa: ARG002
        **_options: object,
    ) -> tuple[str, ...]:
        """Return the texts. Raises ValueError."""
        try:
            return _WORDS.clean("\n".join(value)) if value else ()
        except ValidationError as error:
            raise ValueError(" ".join(error.messages)) from error


class ReaderResource(resources.ModelResource):  # type: ignore[misc]
    """One batch of rows, judged. `known` says who is here, is listed, has left, or came before."""

    address = fields.Field("address", "address", widget=AddressWidget())
    time_zone = fields.Field("time_zone", "time_zone", widget=ZoneWidget())
    frequency = fields.Field("frequency", "frequency", widget=FrequencyWidget())
    words = fields.Field("words", "words", widget=WordsWidget())

    class Meta:
        model = Subscriber
        fields = ("address", "time_zone", "frequency", "words")
        import_id_fields = ("address",)
        force_init_instance = True  # `known` has asked for the whole batch at once
        use_bulk = True
        batch_size = None
        skip_diff = True
        use_transactions = False  # the caller's batch is one

    def __init__(self, known: Known) -> None:
        super().__init__()
        self.known = known
        self.verdicts: list[Verdict] = []
        self.newcomers: list[Newcomer] = []
        self.unwanted: list[tuple[str, Suppression.Reason]] = []
        self.tags: list[tuple[str, str]] = []

    def judge(self, rows: tablib.Dataset, *, at: datetime) -> None:
        """Judge each row of `rows`, whose columns are HEADERS, in order."""
        self.at = at
        result = self.import_data(rows)
        for _number, errors in result.row_errors():
            raise errors[0].error  # not the file's fault but ours: nothing of this batch may be kept
        for error in result.base_errors:
            raise error.error
        for row in result.invalid_rows:
            line, address = rows[row.number - 1][:2]
            reason = " ".join(row.error.messages)[:300]
            self.verdicts.append(Verdict(line, Outcome.INVALID, reason, address[:254]))

    def skip_row(
        self,
        instance: Subscriber,
        _original: None,
        row: Mapping[str, Any],
        errors: Mapping[str, Any] | None = None,
    ) -> bool:
        """Say whether the row brings nobody in, and note why; a row with errors goes on to be refused."""
        if errors:
            return False
        instance.address_key = address_key(instance.address)
        instance.address_hash = address_hash(instance.address)
        outcome, reason = self._judged(instance, row["standing"])
        if outcome is Outcome.NEW:
            self._welcome(instance, row)
        self.verdicts.append(Verdict(row["line"], outcome, reason, instance.address))
        return outcome is not Outcome.NEW

    def bulk_create(self, *_how: object, **_options: object) -> None:
        """Write nothing: `newcomers` are for `admitting`, the one writer of a reader's status."""
        self.create_instances.clear()

    def _judged(self, reader: Subscriber, standing: Standing) -> tuple[Outcome, str]:  # noqa: PLR0911 - a list
        known, hashed = self.known, reader.address_hash
        standing = known.worst(hashed, standing)
        if not known.first_sight(hashed):
            return Outcome.DUPLICATE, "This address stands further up in the file."
        if hashed in known.suppressed:
            return Outcome.SUPPRESSED, "On this list's suppression list: never mailed again."
        if hashed in known.here:
            return Outcome.HERE, ""
        if standing in _NEVER_AGAIN:
            self.unwanted.append((hashed, _NEVER_AGAIN[standing]))
            return Outcome.BOUNCED, f"The file says: {standing.value}. Put on the suppression list."
        if hashed in known.withdrawn:
            return (
                Outcome.WITHDRAWN,
                "Left this list before, or was erased. Only they can come back, by signing up.",
            )
        if standing in _NOT_SUBSCRIBED:
            return Outcome.NOT_SUBSCRIBED, _NOT_SUBSCRIBED[standing]
        return Outcome.NEW, ""

    def _welcome(self, reader: Subscriber, row: Mapping[str, Any]) -> None:
        topics: dict[int, None] = {}
        for tag in row["tags"]:
            topic = self.known.topics.get(tag.casefold())
            self.tags.append((tag, topic[1] if topic else ""))
            if topic:
                topics[topic[0]] = None
        agreed_at = row["agreed_at"]
        agreed_at = agreed_at if agreed_at and agreed_at <= self.at else None
        words = getattr(reader, "words", ())  # the field of that name set it
        self.newcomers.append(Newcomer(reader, tuple(topics), words, agreed_at))
