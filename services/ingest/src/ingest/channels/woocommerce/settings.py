"""What a WooCommerce connection signs in with."""

from typing import Annotated

from pydantic import Field, SecretStr

from ingest.channel import Credentials


def site_of(url: str) -> str:
    """A site's address in the one way of writing that can be compared: one site answers under http, https and www."""
    host, slash, path = url.strip().partition("://")[2].partition("/")
    name = host.lower().removeprefix("www.").removesuffix(":443").removesuffix(":80")
    return f"{name}{slash}{path}".rstrip("/")


class WooCommerceCredentials(Credentials):
    """Consumer key and secret of the REST API, and the webhook secret. Registering webhooks needs write access."""

    store_url: Annotated[str, Field(pattern=r"^https?://[^\s]+$", max_length=500)]
    """Address of the shop's front page, e.g. `https://shop.example`."""
    webhook_secret: SecretStr
    """The secret you give each webhook under WooCommerce → Settings → Advanced → Webhooks."""
    consumer_key: SecretStr | None = None
    """`ck_…` from WooCommerce → Settings → Advanced → REST API; with write access, webhooks are registered by us."""
    consumer_secret: SecretStr | None = None
    """`cs_…` that was shown once beside the consumer key."""

    @property
    def fetches(self) -> bool:
        return self.consumer_key is not None and self.consumer_secret is not None

    @property
    def api_url(self) -> str:
        """Address of the v3 REST API, without a trailing slash."""
        return f"{self.store_url.rstrip('/')}/wp-json/wc/v3"
