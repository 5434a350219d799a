"""Settings of Django, axes and OTP that guard the desk, apart from what the environment says."""

from datetime import timedelta
from typing import Any

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

#: Where the desk lives; `digest.urls` puts it there.
DESK = "/admin/"
#: Wrong passwords for one user name from one address, or site of IPv6, until it is locked, and for how long.
FAILURES, COOL_OFF = 5, timedelta(minutes=15)
#: After that, everybody logs in anew.
SESSION = timedelta(hours=12)
#: What a browser may load on readers' pages: of our own host, and nothing written into the page.
PUBLIC_POLICY = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],
    "connect-src": [SELF],
    "form-action": [SELF],
    "frame-src": [SELF],
    "frame-ancestors": [NONE],
    "base-uri": [NONE],
    "manifest-src": [SELF],
}
#: What Unfold's pages cannot do without (Alpine evaluates attributes, Chart.js and Unfold write styles), and
#: what the public pages' policy refuses.
DESK_POLICY = {
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "font-src": [SELF],
}


def settings(list_name: str) -> dict[str, Any]:
    """Return the settings by name, for a list of this name."""
    return {
        # The first one refuses who is locked out, and knows the users whom tests log in by force.
        "AUTHENTICATION_BACKENDS": [
            "axes.backends.AxesBackend",
            "django.contrib.auth.backends.ModelBackend",
        ],
        "LOGIN_URL": "admin:login",
        "LOGIN_REDIRECT_URL": "admin:index",
        "SESSION_COOKIE_AGE": int(SESSION.total_seconds()),
        # Readers' pages need no session, so they are not sent its cookie.
        "SESSION_COOKIE_PATH": DESK,
        **_locks(),
        # No colon may stand in an issuer; one code opens once, and each wrong one doubles the wait.
        "OTP_TOTP_ISSUER": list_name.replace(":", ""),
        "OTP_TOTP_THROTTLE_FACTOR": 1,
        "OTP_STATIC_THROTTLE_FACTOR": 1,
    }


def _locks() -> dict[str, Any]:
    return {
        "AXES_LOCKOUT_PARAMETERS": [["username", "ip_address"]],
        "AXES_FAILURE_LIMIT": FAILURES,
        "AXES_COOLOFF_TIME": COOL_OFF,
        "AXES_RESET_ON_SUCCESS": True,
        # Else a lock never ends while somebody keeps trying, and the page could not say until when it holds.
        "AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT": False,
        "AXES_CLIENT_IP_CALLABLE": "digest.access.locks.place_to_count",
        "AXES_USERNAME_CALLABLE": "digest.access.locks.name_to_count",
        "AXES_CLIENT_STR_CALLABLE": "digest.access.locks.nobody_named",
        "AXES_LOCKOUT_CALLABLE": "digest.access.locks.page",
        "AXES_SENSITIVE_PARAMETERS": ["username", "ip_address", "csrfmiddlewaretoken", "next"],
        # Logins are in the audit log; a second list of them would outlive it.
        "AXES_DISABLE_ACCESS_LOG": True,
        "AXES_ENABLE_ADMIN": False,
        "AXES_VERBOSE": False,
    }
