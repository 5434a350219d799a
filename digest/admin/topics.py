"""Topics: what readers may follow, edited by curators in plain lines."""

from typing import TYPE_CHECKING

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextareaWidget

from digest.sources.taxonomy import canonical, canonical_all
from subscribers.admin.base import DeskAdmin
from subscribers.models import Topic

MOST_LINES, LONGEST_LINE = 200, 100


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


if TYPE_CHECKING:
    _TopicModelForm = forms.ModelForm[Topic]
else:  # Django's ModelForm takes no parameter at run time
    _TopicModelForm = forms.ModelForm


class TopicForm(_TopicModelForm):
    """A topic's definition, checked against arXiv's taxonomy."""

    categories = LinesField(required=False, help_text="arXiv categories, one a line, such as cs.CV.")
    include = LinesField(required=False, help_text="Words or phrases that make a paper belong, one a line.")
    exclude = LinesField(required=False, help_text="Words or phrases that keep a paper out, one a line.")

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


@admin.register(Topic)
class TopicAdmin(DeskAdmin):
    """Topics. The next tick matches papers anew to the edited ones."""

    form = TopicForm
    list_display = ["name", "description", "active"]
    list_filter = ["active"]
    search_fields = ["name", "description"]
    prepopulated_fields = {"slug": ["name"]}

    def has_delete_permission(self, _request: HttpRequest, _obj: Topic | None = None) -> bool:
        """Readers follow it: a topic is made inactive, never deleted under them."""
        return False
