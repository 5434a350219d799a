"""What a curator fills in to see an edition with somebody's eyes."""

import re
from typing import Any

from django import forms

from digest.proofing import Mix
from subscribers.addresses import AddressError, address_key, normalise
from subscribers.forms import LinesField
from subscribers.models import Subscriber, Topic

_WEIGHTS = (("0", "–"), ("1", "Follow"), ("2", "More"))
_PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_NEVER_SHOWN = {"autocomplete": "off", "spellcheck": "false"}


class MixForm(forms.Form):
    """Topics with their weights, own words, authors, exclusions, and how many papers."""

    words = LinesField(label="In their own words, one subject a line", rows=2)
    authors = LinesField(label="Authors they follow", rows=2)
    excluded = LinesField(label="Never show them", rows=2)
    size = forms.IntegerField(
        label="Papers in a digest (5 to 25)",
        min_value=5,
        max_value=25,
        initial=10,
        error_messages={
            "required": "Please write a number from 5 to 25.",
            "min_value": "A digest has 5 papers at least.",
            "max_value": "A digest has 25 papers at most.",
            "invalid": "Please write a number from 5 to 25.",
        },
    )

    def __init__(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*args, **more)
        self._topics = list(Topic.objects.filter(active=True))
        for topic in self._topics:
            self.fields[f"topic-{topic.pk}"] = forms.ChoiceField(
                label=topic.name, choices=_WEIGHTS, required=False, initial="0"
            )

    def topic_fields(self) -> list[forms.BoundField]:
        """Return the topics' fields in the order they are offered."""
        return [self[f"topic-{topic.pk}"] for topic in self._topics]

    def kept(self) -> dict[str, Any]:
        """Return what a valid form says, as it is kept in the session and read by `mix_of`."""
        given = self.cleaned_data
        weights = {str(topic.pk): int(given[f"topic-{topic.pk}"] or 0) for topic in self._topics}
        return {
            "topics": {key: weight for key, weight in weights.items() if weight},
            **{name: list(given[name]) for name in ("words", "authors", "excluded")},
            "size": given["size"],
        }


def mix_of(kept: dict[str, Any]) -> Mix:
    """Return the mix that `MixForm.kept` told."""
    topics = {int(key): float(weight) for key, weight in kept["topics"].items()}
    return Mix(
        "chosen-mix",
        topics,
        tuple(kept["words"]),
        tuple(kept["authors"]),
        tuple(kept["excluded"]),
        kept["size"],
    )


def initial_of(kept: dict[str, Any]) -> dict[str, Any]:
    """Return how `MixForm` shows again what it kept."""
    weights = {f"topic-{key}": str(weight) for key, weight in kept["topics"].items()}
    lines = {name: "\n".join(kept[name]) for name in ("words", "authors", "excluded")}
    return {**weights, **lines, "size": kept["size"]}


class ReaderForm(forms.Form):
    """A reader by their address or public id; posted, so that neither stands in an address or a log."""

    who = forms.CharField(
        label="Address or public id",
        max_length=320,
        error_messages={"required": "Please write a reader’s address or public id."},
        widget=forms.TextInput(attrs=_NEVER_SHOWN),
    )

    def clean_who(self) -> Subscriber:
        """Return the reader. Refuses what is nobody's."""
        given: str = self.cleaned_data["who"].strip()
        readers = Subscriber.objects.all()
        if "@" not in given and _PUBLIC_ID.fullmatch(given):
            found = readers.filter(public_id=given).first()
        else:
            try:
                found = readers.filter(address_key=address_key(normalise(given))).first()
            except AddressError as error:
                raise forms.ValidationError(str(error)) from error
        if found is None:
            raise forms.ValidationError("No reader has this address or public id.")
        return found


class MyAddressForm(forms.Form):
    """Where test mails go: the address of one's own account."""

    email = forms.CharField(
        label="Your address",
        max_length=254,
        error_messages={"required": "Please write your email address."},
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def clean_email(self) -> str:
        """Return the address as it is kept. Refuses what cannot be written to."""
        try:
            return normalise(self.cleaned_data["email"])
        except AddressError as error:
            raise forms.ValidationError(str(error)) from error
