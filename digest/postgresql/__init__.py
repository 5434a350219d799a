"""Django's PostgreSQL backend, on connections that do not wait for ever."""

#: What libpq does about a far end that has vanished, in seconds (tcp_user_timeout: milliseconds). Its own
#: patience, and the kernel's, is up to two hours.
LINE = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
