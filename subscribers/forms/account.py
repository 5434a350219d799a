"""The form for a new address, behind a fresh link."""

from django import forms

from subscribers.addresses import AddressError, normalise


class AddressForm(forms.Form):
    """Where the digest should go from now on."""

    address = forms.CharField(
        label="New email address",
        max_length=1000,
        error_messages={"required": "Please write your new email address."},
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def clean_address(self) -> str:
        """Return the address to store."""
        try:
            return normalise(self.cleaned_data["address"])
        except AddressError as error:
            raise forms.ValidationError(str(error)) from error
