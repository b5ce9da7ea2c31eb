"""The state of one running stand-in: companies, tokens, limits, fault rules, counters."""

from __future__ import annotations

import itertools
import secrets
from collections import Counter
from dataclasses import dataclass, field

from sandbox.quickbooks_online.clock import Clock
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.injection import Injection
from sandbox.quickbooks_online.limits import LimitSettings, Windows
from sandbox.quickbooks_online.tokens import Client, Tokens
from sandbox.quickbooks_online.webhooks import Webhooks

DEFAULT_CLIENT = Client("sandbox-client", "sandbox-secret")


@dataclass(slots=True)
class ServerSettings:
    """Knobs of the server: added latency in milliseconds, what the consent screen answers, request time limit."""

    latency_ms: float = 0.0
    consent: str = "allow"
    request_time_s: float = 120.0


@dataclass
class Server:
    """Everything the request handlers share; one process, one event loop, no locks."""

    clock: Clock = field(default_factory=Clock)
    settings: ServerSettings = field(default_factory=ServerSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    injection: Injection = field(default_factory=Injection)
    companies: dict[str, Company] = field(default_factory=dict)
    windows: dict[str, Windows] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    webhooks: Webhooks = field(default_factory=Webhooks)

    def __post_init__(self) -> None:
        self.tokens = Tokens(self.clock)
        self.tokens.clients[DEFAULT_CLIENT.identifier] = DEFAULT_CLIENT
        self._trace = itertools.count(1)
        self._root = secrets.token_hex(6)

    def add(self, company: Company) -> None:
        """Serve a company; its changes go to the webhooks from now on."""
        company.listener = self.webhooks.publish
        self.companies[company.realm] = company

    def trace_id(self) -> str:
        """A fresh ``intuit_tid``."""
        return f"1-{self._root}-{next(self._trace):012x}"

    def window(self, realm: str) -> Windows:
        return self.windows.setdefault(realm, Windows())

    def count(self, *names: str) -> None:
        for name in names:
            self.counts[name] += 1
