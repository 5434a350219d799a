"""What a form on somebody else's page is to offer."""

from django import forms

from subscribers.models import Topic


def _topics_offered() -> list[tuple[str, str]]:
    return list(Topic.objects.filter(active=True).values_list("slug", "name"))


class SnippetForm(forms.Form):
    """Topics and words for the code of `/embed/code/`, by the names that links to the sign-up page carry."""

    topic = forms.MultipleChoiceField(
        choices=_topics_offered, required=False, widget=forms.CheckboxSelectMultiple
    )
    q = forms.CharField(
        label="Papers about",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"placeholder": "gaussian splatting"}),
    )

    def topics(self) -> list[Topic]:
        """Return the topics chosen; names that are not on offer fall out."""
        self.full_clean()
        return list(Topic.objects.filter(active=True, slug__in=self.cleaned_data.get("topic", [])))

    def words(self) -> str:
        """Return the words chosen, or nothing for words that are refused."""
        self.full_clean()
        return str(self.cleaned_data.get("q", ""))
