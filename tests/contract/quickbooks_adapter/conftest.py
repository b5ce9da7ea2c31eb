"""The same stand-in and companies as the integration tests use."""

from tests.integration.quickbooks_adapter.conftest import british, company, stand_in

__all__ = ["british", "company", "stand_in"]
