"""What the curators' templates ask."""

from django import template
from django.utils import timezone

from subscribers import pressure

register = template.Library()


@register.simple_tag
def signup_spike() -> pressure.Spike | None:
    """Return what is unusual about the last hour's sign-ups, or None."""
    return pressure.spike(timezone.now())
