"""Papers come in, editions go out: the Django project package and its first app."""

from digest.celery import app as celery_app

__all__ = ["celery_app"]
