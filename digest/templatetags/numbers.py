"""Numbers as people read them."""

from django import template

register = template.Library()


@register.filter
def thousands(number: int | None) -> str:
    """Return 1234567 as "1,234,567", and a dash for what is not known."""
    return "–" if number is None else f"{number:,}"
