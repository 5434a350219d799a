#!/usr/bin/env python
"""Paperboy's command line: `python manage.py help` lists what it can do."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """Run the command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digest.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
