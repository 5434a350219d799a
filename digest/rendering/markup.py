"""Plain text as HTML that a mail can carry."""

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from digest.rendering import wording


def lines(text: str) -> SafeString:
    """Return `text` escaped, in lines short enough for a mail (RFC 5322) whatever the escaping adds."""
    return format_html_join("\n", "{}", ((line,) for line in wording.wrapped(text).splitlines()))
