"""Reading a company when it is paired: who it is, what it allows, and whether we may write to it."""

from typing import Any

from common.errors import Rejected, Retryable
from common.messages.base import Reason
from ledger_writer.ledgers.protocol import Paired
from ledger_writer.ledgers.quickbooks_online.client import Client, LedgerFault, NoAnswer, NotAsked, open_http
from ledger_writer.ledgers.quickbooks_online.errors import classify
from ledger_writer.ledgers.quickbooks_online.limits import limits_of
from ledger_writer.ledgers.quickbooks_online.profile import Profile, from_preferences
from ledger_writer.ledgers.quickbooks_online.settings import OnlineSettings
from ledger_writer.ledgers.quickbooks_online.tokens import NeedsReconnect, Tokens


class NewAccess:
    """Tokens that were granted this moment: a refusal of them is an answer, not a reason to refresh."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def token(self) -> str:
        return self._tokens.access_token

    async def renew(self, refused: str) -> str:
        del refused
        raise NeedsReconnect("QuickBooks refused the tokens that it has just given")


async def read_company(settings: OnlineSettings, realm: str, tokens: Tokens) -> Paired:
    """Read the company behind fresh tokens. Raises `Rejected` (no access, wrong company) or `Retryable`."""
    async with open_http(settings) as http:
        client = Client(http, settings, realm, NewAccess(tokens), limits_of(realm, settings))
        try:
            company, preferences, incomes = await _read(client)
        except LedgerFault as error:
            raise Rejected(classify(error.fault).reason) from error
        except NeedsReconnect as error:
            raise Rejected(
                Reason(code="NEEDS_RECONNECT", text=str(error), cure="Connect the company file again.")
            ) from error
        except (NotAsked, NoAnswer) as error:
            raise Retryable(str(error)) from error
    profile = from_preferences(preferences, company)
    if not incomes:
        raise Rejected(
            Reason(
                code="NO_ACCESS",
                text="the company shows no income account to this user",
                cure="Connect the company file as its primary or company administrator.",
            )
        )
    return paired(realm, company, profile, tokens)


def paired(realm: str, company: Any, profile: Profile, tokens: Tokens) -> Paired:
    name = str(company.get("CompanyName") or company.get("LegalName") or realm)
    return Paired(
        external_id=realm,
        name=name[:500],
        home_currency=profile.home_currency,
        country=profile.country,
        preferences=profile.as_text(),
        secrets=tokens.as_secrets(),
        multi_currency=profile.multi_currency,
        custom_numbers=profile.custom_numbers,
        details={"sales_tax": _tax_mode(profile)},
    )


async def read_profile(client: Client) -> Profile:
    """What the company allows now. Raises as `Client` does."""
    return from_preferences(await client.preferences(), await client.company_info())


async def _read(client: Client) -> tuple[Any, Any, int]:
    company = await client.company_info()
    preferences = await client.preferences()
    # Users without rights can sign in and read the company, and fail on the first write; accounts they can't list.
    found = await client.query("SELECT COUNT(*) FROM Account WHERE AccountType = 'Income'")
    return company, preferences, int(found.get("totalCount") or 0)


def _tax_mode(profile: Profile) -> str:
    if not profile.uses_sales_tax:
        return "off"
    return "automatic" if profile.automatic_tax else "manual"
