"""What a custom store signs in with: a secret to sign what it pushes, an address and a login where we pull."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

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
    store_name: Annotated[str, Field(max_length=200)] | None = None
    """`compatible` only: the one store to ask for, as `storeName`, where several stand behind one address."""
    order_status: Annotated[str, Field(max_length=200)] | None = None
    """`compatible` only: the statuses to ask for, as `orderStatus`, e.g. `paid,shipped`; leave out for all. What has
    another status is never seen here; to see it listed as filtered, use the connection's `order_statuses` instead."""
    user: Annotated[str, Field(max_length=200)] | None = None
    """User name of the store's API, with `password`; or give a `token`."""
    password: SecretStr | None = None
    """Password of `user`."""
    token: SecretStr | None = None
    """Sent as `Authorization: Bearer …` to the store's API."""

    @model_validator(mode="after")
    def _asked_for_what_it_knows(self) -> "CustomCredentials":
        """The native contract has no such filters: taken in silence, they would let everything through."""
        if self.pull_contract == "native" and (self.store_name or self.order_status):
            raise ValueError("store_name and order_status go with pull_contract compatible: leave them out")
        return self

    @property
    def fetches(self) -> bool:
        return self.base_url is not None
