"""What the desk's pages ask about the guard against restored backups."""

from django import template

from digest import guarding

register = template.Library()


@register.simple_tag
def disarmed() -> str:
    """Return why no digest leaves, in a sentence, or the empty string."""
    return guarding.found()
