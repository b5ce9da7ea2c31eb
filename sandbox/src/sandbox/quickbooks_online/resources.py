"""From a request to its answer: which resource it names, the request id, the envelope."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from sandbox.quickbooks_online import operations, recurring
from sandbox.quickbooks_online.batch import run_batch
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities.tax_lists import tax_service
from sandbox.quickbooks_online.faults import MESSAGES, Fault, missing, not_found
from sandbox.quickbooks_online.feeds import changes
from sandbox.quickbooks_online.files import pdf, send_mail, upload
from sandbox.quickbooks_online.injection import Rule
from sandbox.quickbooks_online.query.run import query
from sandbox.quickbooks_online.reports import report
from sandbox.quickbooks_online.schema import ENTITIES, entity_name, json_name
from sandbox.quickbooks_online.server import Server
from sandbox.quickbooks_online.wire import dump, parse_json
from sandbox.quickbooks_online.xml_wire import parse_xml, sends_xml

JSON = b"application/json;charset=utf-8"
PLAIN_JSON = b"application/json"
REMEMBERED = 20_000


@dataclass(slots=True)
class Answer:
    status: int
    body: bytes
    content_type: bytes = PLAIN_JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(slots=True)
class Request:
    """A request as the handlers see it: company, resource, entity, id, what is to be done."""

    company: Company
    realm: str
    method: str
    resource: str
    entity: str
    operation: str
    path: list[str]
    params: dict[str, str]
    headers: dict[bytes, bytes]
    token: str = ""
    body: bytes = b""
    include: frozenset[str] = field(default_factory=frozenset)


def describe(
    company: Company, method: str, path: list[str], params: dict[str, str], headers: dict[bytes, bytes]
) -> Request:
    """Name the resource and operation of a path below the company; unknown paths raise no fault yet."""
    head = path[0].lower() if path else ""
    entity = entity_name(head) or ""
    resource = "entity" if entity else head
    include = frozenset(part.strip().lower() for part in params.get("include", "").split(",") if part)
    operation = head
    if entity:
        asked = params.get("operation", "").lower()
        if len(path) > 2:
            operation = path[2].lower()
        elif method == "GET":
            operation = "read"
        elif "void" in include or asked == "void":
            operation = "void"
        else:
            operation = asked or "save"
    token = headers.get(b"authorization", b"").decode("latin-1")[7:].strip()
    return Request(
        company, company.realm, method, resource, entity, operation, path, params, headers, token, b"", include
    )


def handle(server: Server, request: Request) -> Answer:
    """Do what the request asks; raises ``Fault``."""
    company = request.company
    resource = request.resource
    if resource == "query":
        text = request.params.get("query") if request.method == "GET" else None
        if text is None:
            text = request.body.decode("utf-8", "replace")
        body = b'{"QueryResponse":%b,"time":"%b"}' % (query(company, text), company.clock.envelope().encode())
        return Answer(200, body, JSON)
    if resource == "entity":
        return _entity(server, request)
    if resource == "batch" and request.method == "POST":
        return remembered(server, request, lambda: run_batch(server, company, _parsed(request), request.params))
    if resource == "cdc" and request.method == "GET":
        return Answer(200, changes(company, request.params), JSON)
    if resource == "reports" and request.method == "GET" and len(request.path) == 2:
        return Answer(200, dump(report(company, request.path[1], request.params)), JSON)
    if resource == "upload" and request.method == "POST":
        kind = request.headers.get(b"content-type", b"").decode("latin-1")
        base = f"http://{request.headers.get(b'host', b'127.0.0.1').decode('latin-1')}"
        return remembered(server, request, lambda: upload(company, request.body, kind, base))
    if resource == "download" and len(request.path) == 2:
        doc = operations.read(company, "Attachable", request.path[1])
        return Answer(200, str(doc.get("TempDownloadUri", "")).encode(), b"text/plain")
    raise Fault("500", f"Unsupported Operation : no resource {'/'.join(request.path)[:80]}", status=404)


def _parsed(request: Request) -> Any:
    return parse_xml(request.body)[1] if sends_xml(request.headers) else parse_json(request.body)


def envelope(company: Company, entity: str, raw: bytes) -> bytes:
    return b'{"%b":%b,"time":"%b"}' % (json_name(entity).encode(), raw, company.clock.envelope().encode())


def _entity(server: Server, request: Request) -> Answer:
    company, entity = request.company, request.entity
    if entity == "TaxService":
        return _tax_service(server, request)
    if entity == recurring.ENTITY:
        return _recurring(server, request)
    if request.method == "GET":
        if entity == "ExchangeRate" and len(request.path) == 1:
            return Answer(200, envelope(company, entity, dump(_exchange_rate(company, request.params))), JSON)
        if len(request.path) < 2 and entity not in ("Preferences", "CompanyInfo"):
            raise missing("Id")
        if request.operation == "pdf":
            return Answer(200, pdf(company, entity, request.path[1]), b"application/pdf")
        identifier = "1" if entity in ("Preferences", "CompanyInfo") else request.path[1]
        doc = operations.read(company, entity, identifier)
        if "invoicelink" in request.include and entity == "Invoice":
            doc = _with_link(company, doc)
        return Answer(200, envelope(company, entity, dump(doc)), JSON)
    if request.method != "POST":
        raise Fault("500", f"Unsupported Operation : method {request.method} is not supported", status=405)
    if request.operation == "send":
        doc = send_mail(company, entity, request.path[1], request.params.get("sendTo"))
        return Answer(200, envelope(company, entity, dump(doc)), JSON)
    if request.operation not in ("save", "create", "update", "delete", "void"):
        raise operations.unsupported(request.operation, entity)
    return remembered(server, request, lambda: envelope(company, entity, dump(write(request, _parsed(request)))))


def _with_link(company: Company, doc: dict[str, Any]) -> dict[str, Any]:
    """The invoice with its shareable address, which it has once it can be paid online and has an e-mail address."""
    online = doc.get("AllowOnlineCreditCardPayment") or doc.get("AllowOnlineACHPayment")
    if not online or not (doc.get("BillEmail") or {}).get("Address"):
        return doc
    return {**doc, "InvoiceLink": f"https://connect.intuit.com/portal/asei/{company.realm}/{doc['Id']}"}


def write(request: Request, body: Any) -> dict[str, Any]:
    """One write in an all-or-nothing step; the answer's object."""
    if not isinstance(body, dict):
        raise Fault("2010", "Property Name:failed to parse json object; the body must be an object")
    return perform(request.company, request.entity, request.operation, body, request.include)


def perform(
    company: Company, entity: str, operation: str, body: dict[str, Any], include: frozenset[str]
) -> dict[str, Any]:
    """Save, update, delete or void; shared by single requests and batch items. Raises ``Fault``."""
    with company.step():
        if operation == "delete":
            return operations.delete(company, entity, body)
        if operation == "void":
            return operations.void(company, entity, body)
        return operations.save(company, entity, body, include)


def remembered(server: Server, request: Request, work: Any) -> Answer:
    """Run ``work`` once for a ``requestid``: a repeat gets the first answer again. Raises 2130, 600."""
    identifier = request.params.get("requestid")
    if not identifier:
        return Answer(200, work(), JSON)
    company = request.company
    limit = 36 if request.resource == "batch" else 50
    if len(identifier) > limit:
        raise Fault("2130", f"requestid has {len(identifier)} characters; at most {limit} are supported", "requestid")
    digest = hashlib.blake2b(request.body, digest_size=12).hexdigest()
    print_ = f"{request.resource}:{request.entity}:{request.operation}:{digest}"
    known = company.answers.get(identifier)
    if known is not None:
        if known[0] != print_:
            raise Fault("600", f"Duplicate Request Id : {identifier} was used for another request", "requestid")
        server.count("repeated")
        return Answer(known[1], known[2], JSON)
    answer = Answer(200, work(), JSON)
    company.answers[identifier] = (print_, 200, answer.body)
    while len(company.answers) > REMEMBERED:
        company.answers.popitem(last=False)
    return answer


def _recurring(server: Server, request: Request) -> Answer:
    company = request.company
    if request.method == "GET":
        if len(request.path) < 2:
            raise missing("Id")
        return Answer(200, envelope(company, recurring.ENTITY, dump(recurring.read(company, request.path[1]))), JSON)

    def work() -> bytes:
        body = _parsed(request)
        if not isinstance(body, dict):
            raise Fault("2010", "Property Name:failed to parse json object; the body must be an object")
        with company.step():
            return envelope(company, recurring.ENTITY, dump(recurring.write(company, request.operation, body)))

    return remembered(server, request, work)


def _tax_service(server: Server, request: Request) -> Answer:
    if request.method != "POST":
        raise operations.unsupported("read", "TaxService")

    def work() -> bytes:
        company = request.company
        body = _parsed(request)
        if not isinstance(body, dict):
            raise Fault("2010", "Property Name:failed to parse json object; the body must be an object")
        operations.check_writable(company)
        with company.step():
            values = ENTITIES["TaxService"].clean(body)
            return dump(tax_service(company, {name: value for name, value in values.items() if value is not None}))

    return remembered(server, request, work)


def _exchange_rate(company: Company, params: dict[str, str]) -> dict[str, Any]:
    code = params.get("sourcecurrencycode", "")
    if not code:
        raise missing("sourcecurrencycode")
    day = params.get("asofdate") or company.clock.today().isoformat()
    best: dict[str, Any] | None = None
    for doc in company.tables["ExchangeRate"].docs():
        applies = doc["SourceCurrencyCode"] == code.upper() and doc["AsOfDate"] <= day
        if applies and (best is None or doc["AsOfDate"] > best["AsOfDate"]):
            best = doc
    if best is None:
        raise not_found()
    return best


def fault_answer(server: Server, fault: Fault) -> Answer:
    """The ``{"Fault":…,"time"}`` body of a refusal."""
    server.count(f"fault:{fault.code}")
    return Answer(fault.status, dump({"Fault": fault.body(), "time": server.clock.envelope()}))


def injected_fault(rule: Rule) -> Fault:
    """The fault of a rule, with the HTTP status and type that its code has in life unless the rule says otherwise."""
    system = rule.code in ("10000", "130", "150")
    status = rule.status if rule.status != 500 else 500 if system else 403 if rule.code in ("120", "3100") else 400
    kind = rule.type or ("SystemFault" if system else "AuthorizationFault" if rule.code == "120" else "ValidationFault")
    text = rule.message or MESSAGES.get(rule.code, "Validation Error")
    return Fault(rule.code, rule.detail or f"{text} : on demand", "", status=status, kind=kind, message=text)


def _gateway(server: Server, code: str, detail: str, kind: str) -> bytes:
    error = {"message": MESSAGES[code], "detail": detail, "code": code, "element": None}
    body: dict[str, Any] = {
        "warnings": None,
        "intuitObject": None,
        "fault": {"error": [error], "type": kind},
        "report": None,
        "queryResponse": None,
        "batchItemResponse": [],
        "attachableResponse": [],
        "syncErrorResponse": None,
        "requestId": None,
        "time": int(server.clock.utc().timestamp() * 1000),
        "status": None,
        "cdcresponse": [],
    }
    return dump(body)


def unauthorised(server: Server, authorization: str) -> Answer:
    detail = "Token expired: " if authorization else "Missing or malformed Authorization header"
    challenge = (b"www-authenticate", b'Bearer realm="Intuit", error="invalid_token"')
    return Answer(401, _gateway(server, "3200", detail, "AUTHENTICATION"), PLAIN_JSON, (challenge,))


def forbidden(server: Server) -> Answer:
    detail = "The token does not belong to this company"
    return Answer(403, _gateway(server, "3100", detail, "AUTHORIZATION"))


def throttled(server: Server, *, as_xml: bool) -> Answer:
    if as_xml:
        body = (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
            '<IntuitResponse xmlns="http://schema.intuit.com/finance/v3" '
            f'time="{server.clock.envelope()}"><Fault type="SERVICE"><Error code="3001">'
            f"<Message>{MESSAGES['3001']}</Message><Detail>The request limit was reached.</Detail>"
            "</Error></Fault></IntuitResponse>"
        )
        return Answer(429, body.encode(), b"application/xml")
    error = {"message": MESSAGES["3001"], "detail": "The request limit was reached.", "code": "3001", "element": None}
    return Answer(429, dump({"fault": {"error": [error], "type": "SERVICE"}, "time": server.clock.envelope()}))
