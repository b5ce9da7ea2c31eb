"""What a Stripe connection signs in with."""

from typing import Annotated

from pydantic import Field, SecretStr

from ingest.channel import Credentials

API_VERSION = "2023-08-16"


class StripeCredentials(Credentials):
    """A restricted key that may read balance, payouts, charges, refunds and disputes is enough."""

    secret_key: SecretStr
    """Key of the account (`sk_…`, or better a restricted `rk_…`): Developers → API keys in Stripe's dashboard."""
    orders_connection: Annotated[str, Field(min_length=1, max_length=128)]
    """The connection whose orders are paid through this account: its settings say what becomes of the payouts."""
    webhook_secret: SecretStr | None = None
    """Signing secret of the endpoint (`whsec_…`). Without it no events are taken, and payouts come by polling."""
    stripe_account: Annotated[str, Field(pattern=r"^(acct_\w{1,64})?$")] = ""
    """A connected account that is read instead of the key's own."""
    base_url: Annotated[str, Field(pattern=r"^https?://")] = "https://api.stripe.com"
    """Address of Stripe's API; another one only for tests against a stand-in."""

    @property
    def fetches(self) -> bool:
        return True

    @property
    def orders_connection_id(self) -> str | None:
        return self.orders_connection

    @property
    def api_url(self) -> str:
        """Address of the API, without a trailing slash."""
        return f"{self.base_url.rstrip('/')}/v1"
