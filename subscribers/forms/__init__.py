"""What a reader may type, and the sentences that say what to mend."""

from subscribers.forms.account import AddressForm
from subscribers.forms.leaving import ReasonForm
from subscribers.forms.lines import LinesField
from subscribers.forms.preferences import PauseForm, PreferencesForm
from subscribers.forms.signup import SignupForm, prefilled

__all__ = [
    "AddressForm",
    "LinesField",
    "PauseForm",
    "PreferencesForm",
    "ReasonForm",
    "SignupForm",
    "prefilled",
]
