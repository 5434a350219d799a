"""Names for outside eyes."""

import secrets


def new_public_id() -> str:
    """Return 128 random bits as 22 URL-safe characters: a name for outside eyes that tells nothing."""
    return secrets.token_urlsafe(16)
