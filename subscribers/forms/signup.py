"""What the front door asks for."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import cached_property

from subscribers import captcha, stamps, zones
from subscribers.addresses import AddressError, normalise
from subscribers.admission import OLDEST, YOUNGEST, Attempt, Refusal
from subscribers.captcha import Puzzle
from subscribers.consent import Trace, current_consent_text
from subscribers.forms.lines import LinesField
from subscribers.models import ConsentText, Topic
from subscribers.signups import Wish


class _AddressField(forms.Field):
    """An address in the form in which it is stored. What is odd in it, `normalise` says best."""

    def clean(self, value: str | None) -> str:
        """Return the address to store."""
        try:
            return normalise(value or "")
        except AddressError as error:
            raise forms.ValidationError(str(error)) from error


class _StampField(forms.Field):
    """A field that shows what the page says, not what was sent."""

    def bound_data(self, _data: Any, initial: Any) -> Any:  # noqa: ANN401 - as the base class has it
        return initial


class SignupForm(forms.Form):
    """The front door: an address, topics, and a reader's own words.

    It carries no CSRF token and sets no cookie: signing up borrows no authority that a forged request could
    abuse, since the mail's link alone opens a subscription; and forms on other sites may post here.
    """

    address = _AddressField(
        label="Email address",
        widget=forms.EmailInput(attrs={"autocomplete": "email", "placeholder": "name@example.org"}),
    )
    topics = forms.MultipleChoiceField(
        required=False,
        error_messages={
            "invalid_choice": "A topic you chose is no longer offered. Please look at them again."
        },
        widget=forms.CheckboxSelectMultiple,
    )
    words = LinesField(label="In your own words", rows=3)
    # The last three are plain fields, which find no fault: nobody could mend what they do not see.
    #: Filled by door.js; what is no zone is ignored.
    time_zone = forms.Field(required=False, widget=forms.HiddenInput)
    #: People do not see it; programs that fill every field do.
    website = forms.Field(
        required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"})
    )
    stamp = _StampField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict | None = None, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.offered = list(Topic.objects.filter(active=True))
        topics = [(topic.slug, topic.name) for topic in self.offered]
        self.fields["topics"].choices = topics  # type: ignore[attr-defined]
        self.initial["stamp"] = self._stamp

    def clean_topics(self) -> list[Topic]:
        """Return the topics chosen, in the order they are offered."""
        return [topic for topic in self.offered if topic.slug in self.cleaned_data["topics"]]

    @cached_property
    def consent(self) -> ConsentText:
        """The wording that is agreed to by sending the form, to be shown beside its button."""
        return current_consent_text()

    def _stamp(self) -> str:
        """Return the signed time and wording of the page that is being made.

        A page shown again is as old as one must be, and keeps its stamp if that was older: whoever was too
        quick once, or came from a form without a stamp, is not asked a second time. A program that reads the
        answer and sends it back could as well have waited.
        """
        at = timezone.now()
        if not self.is_bound:
            return stamps.make(self.consent.pk, at=at)
        given = stamps.read(self.data.get("stamp", ""))
        if given and given.wording == self.consent.pk and YOUNGEST <= at - given.made_at < OLDEST:
            return str(self.data["stamp"])
        return stamps.make(self.consent.pk, at=at - YOUNGEST)

    @property
    def puzzle(self) -> Puzzle | None:
        """The captcha to show above the button, if one is in use."""
        return captcha.in_use()

    def attempt(self, trace: Trace) -> Attempt:
        """Return what admission looks at; the form is valid."""
        return Attempt(
            address=self.cleaned_data["address"],
            trace=trace,
            stamp=self.cleaned_data["stamp"] or "",
            trap=self.cleaned_data["website"] or "",
            answer=captcha.answer_in(self.data),
        )

    def wish(self, trace: Trace) -> Wish:
        """Return what is asked for; the form is valid and admitted, so its stamp names the wording."""
        given = self.cleaned_data
        stamp = stamps.read(given["stamp"] or "")
        return Wish(
            address=given["address"],
            topics=tuple(topic.slug for topic in given["topics"]),
            words=given["words"],
            time_zone=given["time_zone"] if given["time_zone"] in zones.names() else "",
            wording=stamp.wording if stamp else self.consent.pk,
            trace=trace,
        )

    def refuse(self, refusal: Refusal) -> None:
        """Show the sentence of `refusal` above the fields, which keep all that was typed."""
        self.add_error(None, refusal.sentence)


def prefilled(asked: QueryDict) -> SignupForm:
    """Return an empty form with what a link asks for: `?topic=a&topic=b&q=own+words`.

    Topics that are not on offer fall out, and so do words that the form would refuse. The address is never
    taken from a link: it would stand in logs and histories.
    """
    form = SignupForm()
    known = {topic.slug for topic in form.offered}
    form.initial["topics"] = [slug for slug in dict.fromkeys(asked.getlist("topic")) if slug in known]
    form.initial["words"] = "\n".join(_lines(asked.getlist("q")))
    return form


def _lines(texts: list[str]) -> list[str]:
    """Return those lines of `texts` that the field for words takes, as many as it takes."""
    field = LinesField()
    good: dict[str, None] = {}
    for line in "\n".join(texts).splitlines():
        try:
            good.update(dict.fromkeys(field.clean(line)))
        except forms.ValidationError:
            continue
        if len(good) == field.most_lines:
            break
    return list(good)
