"""What a custom store signs in with: a secret to sign what it pushes, an address and a login where we pull."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from ingest.channel import Credentials


class CustomCredentials(Credentials):
    """Push needs `signing_secret`; pull needs `base_url` and a token, or user and password."""

    signing_secret: SecretStr
    base_url: Annotated[str, Field(pattern=r"^https?://[^\s]+$", max_length=500)] | None = None
    pull_contract: Literal["native", "compatible"] = "native"
    """`compatible` is the older envelope of orders, cancelledOrders and payments."""
    user: Annotated[str, Field(max_length=200)] | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None

    @property
    def fetches(self) -> bool:
        return self.base_url is not None
