"""The curators' pages on Django's admin."""
