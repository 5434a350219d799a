"""The product's Celery app, `celery -A tests.chaos.app`, its pages made small: 500 readers are to be several.

A worker's claims and an edition's enrolment are as many pages for 500 readers then as for ten thousand.
"""

from digest import enrolling
from digest.celery import app
from digest.delivery import run
from digest.events import applying

__all__ = ["app"]

run.BATCH = 60
enrolling.PAGE = 120
applying.PAGE = 60
#: What providers told is looked at every second, as the clock is.
app.conf.beat_schedule["events"]["schedule"] = 1.0
