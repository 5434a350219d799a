"""The form of a topic: plain lines, checked against arXiv's taxonomy and for what readers would lose."""

from typing import TYPE_CHECKING, Any

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanWidget

from digest.sources.taxonomy import canonical, canonical_all
from subscribers.models import Preference, Topic

MOST_LINES, LONGEST_LINE = 200, 100
#: Followers are counted no further.
MOST_FOLLOWERS = 10_000


def followers(topic: Topic) -> str:
    """Return how many readers follow `topic`, in words; the empty string where nobody does."""
    rows = Preference.objects.filter(topic=topic).order_by("pk")
    count = rows[: MOST_FOLLOWERS + 1].count()
    if count > MOST_FOLLOWERS:
        return f"more than {MOST_FOLLOWERS:,} readers"
    return f"{count:,} {'reader' if count == 1 else 'readers'}" if count else ""


class LinesField(forms.CharField):
    """A list of short texts, one a line."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 6})

    def prepare_value(self, value: object) -> object:
        """Return a stored list as lines."""
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def clean(self, value: str) -> list[str]:
        """Return the lines without blanks and repetitions."""
        lines = [" ".join(line.split()) for line in super().clean(value).splitlines()]
        kept = list(dict.fromkeys(line for line in lines if line))
        if len(kept) > MOST_LINES or any(len(line) > LONGEST_LINE for line in kept):
            raise forms.ValidationError(
                f"At most {MOST_LINES} lines of at most {LONGEST_LINE} characters, please."
            )
        return kept

    def has_changed(self, initial: object, data: object) -> bool:
        """Compare lines, not their list with a text: the log names what was changed."""
        before = "\n".join(map(str, initial)) if isinstance(initial, list) else ""
        return before.split() != str(data or "").split()


if TYPE_CHECKING:
    _TopicModelForm = forms.ModelForm[Topic]
else:  # Django's ModelForm takes no parameter at run time
    _TopicModelForm = forms.ModelForm


class TopicForm(_TopicModelForm):
    """A topic's definition. `sure` is asked for where readers would lose it."""

    categories = LinesField(required=False, help_text="arXiv categories, one a line, such as cs.CV.")
    include = LinesField(required=False, help_text="Words or phrases that make a paper belong, one a line.")
    exclude = LinesField(required=False, help_text="Words or phrases that keep a paper out, one a line.")
    sure = forms.BooleanField(
        required=False,
        label="Yes, make it inactive",
        widget=UnfoldBooleanWidget(),
        help_text="Then save again.",
    )

    class Meta:
        model = Topic
        fields = ["name", "slug", "description", "categories", "include", "exclude", "active"]

    def clean_categories(self) -> list[str]:
        """Return the categories under their canonical names; refuse what arXiv does not have."""
        given: list[str] = self.cleaned_data["categories"]
        unknown = [name for name in given if canonical(name) is None]
        if unknown:
            raise forms.ValidationError(f"arXiv has no category {', '.join(unknown)}. Write it like cs.CV.")
        return list(canonical_all(given))

    def clean(self) -> dict[str, Any]:
        """Refuse to take a topic from its readers unasked."""
        cleaned: dict[str, Any] = super().clean() or {}
        ends = self.instance.pk and self.initial.get("active") and not cleaned.get("active")
        if ends and not cleaned.get("sure") and (who := followers(self.instance)):
            self.add_error(
                "active",
                f"This topic would be taken from {who}: they get no more papers by it; what else they follow "
                "stays. Nothing is saved yet: say below that you mean it.",
            )
        return cleaned
