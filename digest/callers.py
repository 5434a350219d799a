"""The setting by which a provider that posts events proves who it is."""

from digest.configuration import names, refuse

#: Characters of the password; HTTP Basic sends it with every post, over TLS.
SHORTEST = 16


def webhook_secrets(name: str, value: str) -> list[str]:
    """Return the `user:password` pairs in `value`, none if it is empty; any of them is taken.

    Two of them let an operator change the secret without losing an event.
    """
    pairs = names(name, value)
    for pair in pairs:
        user, _, password = pair.partition(":")
        if not user or len(password) < SHORTEST or not pair.isascii() or not pair.isprintable():
            raise refuse(
                name,
                f"each entry is user:password, the password {SHORTEST} ASCII characters or more, without "
                "commas. Make one with: python -c \"import secrets; print('hook:' + secrets.token_hex(16))\"",
            )
    return pairs
