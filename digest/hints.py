"""Celery's settings. Its messages are hints: losing or doubling all of them changes nothing but the delay."""

from pathlib import Path
from typing import Any

from digest.beat import BEAT, ROUTES


def celery(broker_url: str, data_dir: Path, *, tick_seconds: int) -> dict[str, Any]:
    """Return Celery's settings for the broker at `broker_url`, as redis-py writes it.

    Early acknowledgement, which is Celery's default, is meant: rows say what is left to do, and a task that
    a dead worker held is asked for again by the next tick.
    """
    tick = {**BEAT["tick"], "schedule": float(tick_seconds), "options": {"expires": max(tick_seconds - 5, 1)}}
    return {
        # kombu says redis+socket: where redis-py says unix:.
        "CELERY_BROKER_URL": broker_url.replace("unix://", "redis+socket://", 1),
        "CELERY_TASK_IGNORE_RESULT": True,
        "CELERY_TASK_SERIALIZER": "json",
        "CELERY_ACCEPT_CONTENT": ["json"],
        "CELERY_WORKER_PREFETCH_MULTIPLIER": 1,
        # A message is taken when a process is free for it: one that waits in a worker is overtaken by nobody.
        "CELERY_WORKER_DISABLE_PREFETCH": True,
        "CELERY_TASK_ROUTES": ROUTES,
        "CELERY_TASK_TIME_LIMIT": 600,  # well below the broker's visibility timeout of an hour
        "CELERY_TASK_SOFT_TIME_LIMIT": 540,
        "CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP": True,
        # For ever: the default gives up, and ends the process, after the better part of an hour.
        "CELERY_BROKER_CONNECTION_MAX_RETRIES": None,
        # A broker that answers with an error (read-only in a failover, its disk or memory full) is away, too.
        "CELERY_BROKER_CHANNEL_ERROR_RETRY": True,
        "CELERY_BROKER_TRANSPORT_OPTIONS": {
            # Without these a black-holed broker holds a sender of messages for 45 s and more.
            "socket_timeout": 5,
            "socket_connect_timeout": 1,
            # A worker waits for the broker's answer on a socket that may lead nowhere by now: an answer that
            # is overdue by so many seconds is waited for on a new one.
            "health_check_interval": 5,
            "socket_keepalive": True,
        },
        "CELERY_TASK_PUBLISH_RETRY_POLICY": {"max_retries": 1},
        "CELERY_TIMEZONE": "UTC",
        "CELERY_WORKER_HIJACK_ROOT_LOGGER": False,
        # Several hosts with a beat each: `-S redbeat.RedBeatScheduler` on the command line comes before this.
        "CELERY_BEAT_SCHEDULER": "digest.steady_beat:SteadyScheduler",
        "CELERY_BEAT_SCHEDULE_FILENAME": str(data_dir / "beat-schedule"),
        "CELERY_BEAT_SCHEDULE": {**BEAT, "tick": tick},
    }
