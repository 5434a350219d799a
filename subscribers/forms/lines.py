"""A field for several short texts, one on each line."""

import unicodedata

from django import forms


class LinesField(forms.CharField):
    """Several short texts, one on each line; gives a tuple without repetitions."""

    most_lines = 40
    longest_line = 200
    #: Characters in all, line ends among them.
    longest = most_lines * (longest_line + 2)

    def __init__(self, *, label: str = "", rows: int = 4) -> None:
        super().__init__(
            required=False, max_length=self.longest, label=label, widget=forms.Textarea(attrs={"rows": rows})
        )

    def clean(self, value: str | None) -> tuple[str, ...]:
        """Return the lines: NFC, single spaces, the first spelling of those that differ in case only."""
        text = super().clean(value) or ""  # refuses what is too long before NFC, which is slow on it
        text = unicodedata.normalize("NFC", text)
        found: dict[str, str] = {}
        for line in text.splitlines():
            entry = " ".join(line.split())
            if entry:
                found.setdefault(entry.casefold(), self._checked(entry))
        if len(found) > self.most_lines:
            raise forms.ValidationError(f"Please keep to {self.most_lines} lines.")
        return tuple(found.values())

    def _checked(self, entry: str) -> str:
        if len(entry) > self.longest_line:
            raise forms.ValidationError(
                f"“{entry[:40]}…” is too long: a line has {self.longest_line} characters."
            )
        if len(entry) < 2:
            raise forms.ValidationError(f"“{entry}” is too short to look for. Write two characters or more.")
        if not entry.isprintable():
            raise forms.ValidationError("A line holds an invisible character. Please type it afresh.")
        return entry
