"""What a WooCommerce connection signs in with."""

from typing import Annotated

from pydantic import Field, SecretStr

from ingest.channel import Credentials


class WooCommerceCredentials(Credentials):
    """Consumer key and secret of the REST API, and the webhook secret. Registering webhooks needs write access."""

    store_url: Annotated[str, Field(pattern=r"^https?://[^\s]+$", max_length=500)]
    webhook_secret: SecretStr
    consumer_key: SecretStr | None = None
    consumer_secret: SecretStr | None = None

    @property
    def fetches(self) -> bool:
        return self.consumer_key is not None and self.consumer_secret is not None

    @property
    def api_url(self) -> str:
        """Address of the v3 REST API, without a trailing slash."""
        return f"{self.store_url.rstrip('/')}/wp-json/wc/v3"
