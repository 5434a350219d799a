"""The Celery app; its settings stand in `digest.settings`, each with its reason."""

import os

from celery import Celery

from digest import draining

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digest.settings")

app = Celery("digest")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
draining.connect()
