"""What a custom store signs in with: a secret to sign what it pushes, an address and a login where we pull."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from ingest.channel import Credentials

SECRET_CHARS_MIN = 16
_DIFFERENT_CHARS_MIN = 6


def _strong(secret: SecretStr) -> SecretStr:
    """Refuse what can be guessed: whoever knows this secret can write into the books."""
    text = secret.get_secret_value()
    if len(text) < SECRET_CHARS_MIN or len(set(text)) < _DIFFERENT_CHARS_MIN:
        raise ValueError(
            f"too easy to guess: use at least {SECRET_CHARS_MIN} random characters, e.g. of `openssl rand -hex 32`"
        )
    return secret


class CustomCredentials(Credentials):
    """Push needs `signing_secret`; pull needs `base_url` and a token, or user and password."""

    signing_secret: Annotated[SecretStr, AfterValidator(_strong)]
    """At least 16 random characters of your own, e.g. of `openssl rand -hex 32`; the store signs its pushes with it."""
    base_url: Annotated[str, Field(pattern=r"^https?://[^\s]+$", max_length=500)] | None = None
    """Where we fetch orders, e.g. `https://shop.example/tillbook`; leave out for a store that only pushes."""
    pull_contract: Literal["native", "compatible"] = "native"
    """`native`, or `compatible` for the older envelope of orders, cancelledOrders and payments."""
    user: Annotated[str, Field(max_length=200)] | None = None
    """User name of the store's API, with `password`; or give a `token`."""
    password: SecretStr | None = None
    """Password of `user`."""
    token: SecretStr | None = None
    """Sent as `Authorization: Bearer …` to the store's API."""

    @property
    def fetches(self) -> bool:
        return self.base_url is not None
