"""What a reader may type, and the sentences that say what to mend."""

from subscribers.forms.lines import LinesField
from subscribers.forms.preferences import PauseForm, PreferencesForm
from subscribers.forms.signup import SignupForm

__all__ = ["LinesField", "PauseForm", "PreferencesForm", "SignupForm"]
