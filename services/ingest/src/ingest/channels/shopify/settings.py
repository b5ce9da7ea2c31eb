"""What a Shopify connection signs in with."""

from typing import Annotated

from pydantic import Field, SecretStr

from ingest.channel import Credentials

API_VERSION = "2026-10"


def domain_of(text: str) -> str:
    """A shop's domain in the one way of writing that can be compared: lower case, without scheme and last slash."""
    return text.strip().lower().removeprefix("https://").removeprefix("http://").rstrip("/.")


class ShopifyCredentials(Credentials):
    """`webhook_secret` is the app's client secret. Without `access_token` the connection lives by webhooks alone."""

    shop_domain: Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9.-]{1,251}$")]
    """The shop's permanent domain, e.g. `example.myshopify.com`, without https://."""
    webhook_secret: SecretStr
    """The app's client secret: Shopify signs webhooks with it. In the Dev Dashboard under Settings → Credentials."""
    previous_webhook_secret: SecretStr | None = None
    """Still accepted: after a rotation Shopify signs with the old secret for up to an hour."""
    access_token: SecretStr | None = None
    """Admin API access token (`shpat_…`) with the scopes read_orders and read_shopify_payments_payouts; needed to
    fetch orders, not for webhooks alone."""
    api_version: Annotated[str, Field(pattern=r"^\d{4}-\d{2}$")] = API_VERSION
    """Version of the Admin API, e.g. `2026-10`."""
    base_url: Annotated[str, Field(pattern=r"^https?://")] | None = None
    """Where the Admin API answers, if not at the shop's own domain."""

    @property
    def fetches(self) -> bool:
        return self.access_token is not None

    @property
    def admin_url(self) -> str:
        """Address of the REST Admin API, without a trailing slash."""
        base = self.base_url or f"https://{self.shop_domain}"
        return f"{base.rstrip('/')}/admin/api/{self.api_version}"
