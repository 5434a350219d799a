"""What the front door asks for."""

from django import forms

from subscribers.addresses import AddressError, normalise
from subscribers.consent import current_consent_text
from subscribers.forms.lines import LinesField
from subscribers.models import ConsentText, Topic


def _topics_offered() -> list[tuple[str, str]]:
    return list(Topic.objects.filter(active=True).values_list("slug", "name"))


class SignupForm(forms.Form):
    """The front door: an address, topics, and a reader's own words."""

    address = forms.CharField(
        label="Email address",
        max_length=1000,
        error_messages={"required": "Please write your email address."},
        widget=forms.EmailInput(attrs={"autocomplete": "email", "placeholder": "name@example.org"}),
    )
    topics = forms.MultipleChoiceField(
        choices=_topics_offered, required=False, widget=forms.CheckboxSelectMultiple
    )
    words = LinesField(label="In your own words", rows=3)
    #: People do not see it; programs that fill every field do.
    website = forms.CharField(
        required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"})
    )

    def clean_address(self) -> str:
        """Return the address to store."""
        try:
            return normalise(self.cleaned_data["address"])
        except AddressError as error:
            raise forms.ValidationError(str(error)) from error

    def clean_topics(self) -> list[Topic]:
        """Return the topics. Only names on offer come this far, so that no odd value reaches the database."""
        return list(Topic.objects.filter(active=True, slug__in=self.cleaned_data["topics"]))

    @property
    def consent(self) -> ConsentText:
        """The wording that is agreed to by sending the form, to be shown beside its button."""
        return current_consent_text()

    def filled_by_a_program(self) -> bool:
        """Say whether the field that people do not see has been filled."""
        return bool(self.data.get("website"))
