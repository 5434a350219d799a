"""Why somebody left, if they like to say."""

from django import forms

from subscribers.models import LeavingReason


class ReasonForm(forms.Form):
    """A reason, and up to 500 characters of their own."""

    reason = forms.ChoiceField(
        label="Why are you leaving?",
        choices=LeavingReason.Reason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Please choose a reason, or leave the page as it is."},
    )
    words = forms.CharField(
        label="Anything to add?",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"max_length": "Please keep to 500 characters."},
    )
