"""What internal requests and answers are made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, SecretStr

from common.messages.base import Identifier

SecretText = Annotated[
    SecretStr,
    Field(min_length=1, max_length=16_384),
    PlainSerializer(lambda secret: secret.get_secret_value(), return_type=str, when_used="json"),
]
"""Hidden in logs and tracebacks, readable on the wire: internal HTTP is the only way a secret travels."""

Secrets = Annotated[dict[Identifier, SecretText], Field(max_length=30)]
"""Name of a credential → its value, e.g. `access_token`, `webhook_secret`, `consumer_key`."""


class Shape(BaseModel):
    """A request or an answer. Unknown fields are ignored, so that the two sides can be deployed in any order."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, use_attribute_docstrings=True)


class TenantRequest(Shape):
    """A request with a body."""

    tenant_id: Identifier


class CredentialField(Shape):
    """One input that a person fills in when a channel or a ledger is paired."""

    name: Identifier
    title: str
    secret: bool
    required: bool = True
    hint: str = ""
    """Where the value is found, or what it looks like."""
