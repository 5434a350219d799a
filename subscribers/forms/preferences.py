"""What a reader can choose, and the sentences that say what to mend."""

import functools
import zoneinfo
from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from django import forms
from django.http import QueryDict

from subscribers.forms.lines import LinesField
from subscribers.lifecycle import Choices
from subscribers.models import Interest, Preference, Subscriber, Topic

_REGIONS = frozenset(
    [
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    ]
)
_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_WEIGHTS = [("0", "Off"), (str(Preference.Weight.NORMAL), "Follow"), (str(Preference.Weight.MORE), "More")]


class PreferencesForm(forms.Form):
    """All that a reader can choose, one row of buttons per topic."""

    words = LinesField(label="Subjects, in your own words")
    authors = LinesField(label="Authors you follow")
    excluded = LinesField(label="Never show me")
    frequency = forms.ChoiceField(choices=Subscriber.Frequency.choices, widget=forms.RadioSelect)
    weekday = forms.TypedChoiceField(
        label="Day, if once a week", choices=list(enumerate(_WEEKDAYS)), coerce=int
    )
    local_time = forms.TimeField(
        label="Time of day",
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
        error_messages={"invalid": "Please write a time such as 07:30."},
    )
    size = forms.IntegerField(
        label="Papers in a digest (5 to 25)",
        min_value=5,
        max_value=25,
        error_messages={
            "min_value": "A digest has 5 papers at least.",
            "max_value": "A digest has 25 papers at most.",
            "invalid": "Please write a number from 5 to 25.",
        },
    )

    count_clicks = forms.BooleanField(required=False)

    def __init__(self, reader: Subscriber, data: QueryDict | None = None) -> None:
        super().__init__(data, initial=_as_chosen(reader))
        self.offered = list(Topic.objects.filter(active=True))
        chosen = dict(reader.preferences.values_list("topic_id", "weight"))
        for topic in self.offered:
            self.fields[_name(topic)] = forms.TypedChoiceField(
                label=topic.name,
                help_text=topic.description,
                choices=_WEIGHTS,
                coerce=int,
                required=False,
                initial=str(chosen.get(topic.pk, 0)),
                widget=forms.RadioSelect,
            )
        self.fields["time_zone"] = forms.ChoiceField(
            label="Time zone", choices=_zone_choices(reader.time_zone)
        )

    def topic_fields(self) -> list[forms.BoundField]:
        """Return the topics' rows in the order they are offered."""
        return [self[_name(topic)] for topic in self.offered]

    def choices(self) -> Choices:
        """Return what a valid form chose."""
        given = self.cleaned_data
        weights = {topic.pk: given[_name(topic)] for topic in self.offered if given[_name(topic)]}
        return Choices(
            weights=weights,
            words=given["words"],
            authors=given["authors"],
            excluded=given["excluded"],
            frequency=given["frequency"],
            weekday=given["weekday"],
            send_minute=given["local_time"].hour * 60 + given["local_time"].minute,
            time_zone=given["time_zone"],
            size=given["size"],
        )


class PauseForm(forms.Form):
    """A pause: for some days, until a date of the reader's own, or its end."""

    days = forms.TypedChoiceField(
        choices=[(0, "Resume now"), (7, "A week"), (14, "Two weeks"), (30, "A month")],
        coerce=int,
        required=False,
        empty_value=None,
    )
    until = forms.DateField(
        label="Until",
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "form": "choices"}),
        error_messages={"invalid": "Please write a date such as 2026-12-24."},
    )

    def __init__(self, today: date, data: QueryDict | None = None, initial: date | None = None) -> None:
        super().__init__(data, initial={"until": initial})
        self.today = today

    def end(self) -> date | None:
        """Return the first day with a digest again that a valid form chose, or None for no pause."""
        days, until = self.cleaned_data["days"], self.cleaned_data["until"]
        if days is None:
            return until  # type: ignore[no-any-return]
        return self.today + timedelta(days=days) if days else None

    def clean(self) -> dict[str, Any]:
        """Refuse neither or both, and a date that is no pause."""
        given = super().clean() or {}
        until = given.get("until")
        if given.get("days") is None and "until" in given:
            if until is None:
                self.add_error("until", "Please choose how long, or write a date.")
            elif not 0 < (until - self.today).days <= 366:
                self.add_error("until", "Please choose a day within the next year.")
        return given


def _name(topic: Topic) -> str:
    return f"topic-{topic.pk}"


def _as_chosen(reader: Subscriber) -> dict[str, Any]:
    lines: dict[str, list[str]] = defaultdict(list)
    for kind, text in reader.interests.order_by("pk").values_list("kind", "text"):
        lines[kind].append(text)
    return {
        "words": "\n".join(lines[Interest.Kind.WORDS]),
        "authors": "\n".join(lines[Interest.Kind.AUTHOR]),
        "excluded": "\n".join(lines[Interest.Kind.EXCLUDE]),
        "frequency": reader.frequency,
        "weekday": reader.weekday,
        "local_time": f"{reader.send_minute // 60:02}:{reader.send_minute % 60:02}",
        "time_zone": reader.time_zone,
        "size": reader.size,
        # Shown as chosen before, and never ticked for anybody who did not.
        "count_clicks": reader.clicks_counted_since is not None,
    }


@functools.lru_cache(maxsize=1)
def _zones() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the zones people live in, by region; the tz database's other names are aliases."""
    regions: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name in sorted(zoneinfo.available_timezones()):
        region, _, place = name.partition("/")
        if place and region in _REGIONS:
            regions[region].append((name, place.replace("_", " ").replace("/", ", ")))
    return sorted(regions.items())


def _zone_choices(current: str) -> list[Any]:
    known = {name for _, places in _zones() for name, _ in places}
    first = [("UTC", "UTC")] if current == "UTC" or current in known else [("UTC", "UTC"), (current, current)]
    return [*first, *_zones()]
