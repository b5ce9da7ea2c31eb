"""The OpenAPI document: current, complete enough to generate a client from, and true (schemathesis is the judge)."""

import json
import os
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.integration.api.gateway import Gateway

from api.openapi import document
from mapper.rules.action_table import ACTIONS
from mapper.rules.fields import FIELDS

PUBLISHED = Path(__file__).parents[3] / "docs" / "openapi.json"
EXAMPLES = int(os.environ.get("TILLBOOK_API_EXAMPLES", "2"))
"""Requests per operation; a nightly run asks for more."""
UNKEYED = {"health_live", "health_ready", "finish_sign_in", "get_index"}


schema = schemathesis.openapi.from_dict(document())


def operations() -> list[dict[str, Any]]:
    return [operation for path in document()["paths"].values() for operation in path.values()]


def test_the_published_document_is_current() -> None:
    assert json.loads(PUBLISHED.read_text()) == json.loads(json.dumps(document())), "run `make docs`"


def test_the_running_service_answers_with_the_same_document(gateway: Gateway) -> None:
    assert gateway.operator.get("/openapi.json").json() == json.loads(json.dumps(document()))


def test_every_operation_has_a_name_a_tag_a_description_and_its_problems() -> None:
    names = [operation["operationId"] for operation in operations()]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name.islower() for name in names)
    tags = {tag["name"] for tag in document()["tags"]}
    for operation in operations():
        name = operation["operationId"]
        assert set(operation["tags"]) <= tags, name
        assert operation["description"], name
        assert (name in UNKEYED) == ("security" not in operation), name
        if name not in {"health_live", "health_ready"}:
            assert operation["responses"]["422"] == {"$ref": "#/components/responses/Problem422"}, name
    for problem in document()["components"]["responses"].values():
        schema = problem["content"]["application/problem+json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/ProblemDetails"}


def test_what_is_left_out_is_never_said_to_be_null() -> None:
    for operation in operations():
        for parameter in operation.get("parameters", ()):
            assert {"type": "null"} not in parameter["schema"].get("anyOf", ()), operation["operationId"]
    assert "null" not in json.dumps(document()["components"]["schemas"]["ProblemDetails"])


def test_answers_have_all_of_their_fields_and_requests_only_some() -> None:
    schemas = document()["components"]["schemas"]
    for name in ("TenantPage", "Run", "Order", "PlannedLine", "CompanyDetail"):
        assert set(schemas[name]["required"]) == set(schemas[name]["properties"]), name
    assert schemas["CompanySettingsBody"]["required"] == ["closed_through"]
    assert schemas["TenantCreate"]["required"] == ["name"]
    assert set(schemas["FieldProblem"]["required"]) == {"field", "cure"}


def test_every_shape_has_a_name_that_is_a_type_in_any_language() -> None:
    for name, shape in document()["components"]["schemas"].items():
        assert name.isalnum(), name
        assert shape.get("title", name) == name


def test_what_a_rule_says_is_known_wherever_one_comes_or_goes() -> None:
    schemas = document()["components"]["schemas"]
    for name in ("RuleBody", "DraftRuleBody", "BackupRule", "RuleView"):
        assert schemas[name]["properties"]["definition"]["$ref"] == "#/components/schemas/RuleDefinition", name
    parts = schemas["RuleDefinition"]["properties"]
    assert parts["action"] == {"$ref": "#/components/schemas/Action"}
    assert schemas["Action"]["enum"] == [action.value for action in ACTIONS]
    kinds = [{"$ref": "#/components/schemas/Condition"}, {"$ref": "#/components/schemas/Group"}]
    assert parts["conditions"]["items"] == schemas["Group"]["properties"]["conditions"]["items"] == {"oneOf": kinds}
    assert schemas["Condition"]["required"] == ["field", "comparison"]
    assert schemas["Condition"]["properties"]["field"]["examples"] == list(FIELDS)


def test_headers_that_clients_act_on_are_described() -> None:
    def headers(path: str, method: str, status: str) -> set[str]:
        return set(document()["paths"][path][method]["responses"][status].get("headers", ()))

    assert headers("/v1/tenants", "post", "201") == {"Location", "Idempotency-Replayed"}
    assert headers("/v1/companies/{company_id}/settings", "get", "200") == {"ETag"}
    assert headers("/v1/companies/{company_id}/settings", "put", "200") == {"ETag"}
    for operation in operations():
        keyed = "Idempotency-Key" in {each["name"] for each in operation.get("parameters", ())}
        replayed = {"Idempotency-Replayed" in answer.get("headers", ()) for answer in operation["responses"].values()}
        assert (True in replayed) == keyed, operation["operationId"]
    shared = document()["components"]["responses"]
    assert {name for name, answer in shared.items() if "Retry-After" in answer.get("headers", ())} == {
        "Problem429",
        "Problem503",
    }


def test_every_reference_leads_somewhere() -> None:
    text = json.dumps(document())
    known = document()["components"]["schemas"]
    for part in text.split('"$ref": "#/components/schemas/')[1:]:
        assert part.split('"')[0] in known


def test_every_post_that_makes_something_takes_an_idempotency_key() -> None:
    for path, methods in document()["paths"].items():
        operation = methods.get("post")
        if operation is None or not {"201", "202"} & set(operation["responses"]):
            continue
        if path.endswith("/connect"):
            # A decision about one customer: saying it twice is saying it once.
            continue
        headers = [place["name"] for place in operation["parameters"] if place["in"] == "header"]
        assert "Idempotency-Key" in headers, path


@pytest.mark.slow
@schema.exclude(operation_id=["stream_run", "delete_tenant", "revoke_api_key"]).parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(hypothesis.HealthCheck),
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)
def test_answers_are_what_the_document_says(case: schemathesis.Case[Any], gateway: Gateway) -> None:
    """No request of any shape makes a server error, an undocumented status, or an answer of another shape."""
    is_operators = case.path.startswith(("/v1/tenants", "/v1/operator", "/v1/dead-letters"))
    key = gateway.operator.headers["authorization"] if is_operators else _tenant_header(gateway)
    response = case.call(base_url=gateway.url, headers={"authorization": key}, timeout=30)
    case.validate_response(
        response,
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
    )


_KEYS: dict[int, str] = {}


def _tenant_header(gateway: Gateway) -> str:
    if id(gateway) not in _KEYS:
        _KEYS[id(gateway)] = f"Bearer {gateway.shop().tenant.key}"
    return _KEYS[id(gateway)]
