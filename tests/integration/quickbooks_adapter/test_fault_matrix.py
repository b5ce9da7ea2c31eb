"""Every documented fault at every kind of write, through real lanes: the end state is that of a run without faults.

One company file takes hundreds of orders at once. Each request of a kind of write meets one fault of the table below,
so that all faults hit all kinds side by side. What passes must leave no trace, what needs a person must say what the
catalogue says and hold nothing else back, what stops the company must lose nothing, and once somebody has acted the
books are those of as many orders without trouble.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pytest
from tests.integration.quickbooks_adapter.cable import cable_to
from tests.integration.quickbooks_adapter.conftest import Company, OpenDesk, StandIn
from tests.integration.quickbooks_adapter.world import (
    Books,
    Rule,
    World,
    order,
    waits_cut_short,
)
from tests.unit.quickbooks_adapter import samples
from tests.unit.quickbooks_adapter.samples import document, line

from common.messages.transactions import (
    Application,
    Document,
    DocumentKind,
    LineKind,
    MissingPolicy,
    TransactionSet,
    WantedState,
)
from common.telemetry import UPSTREAM_REQUESTS
from ledger_writer.ledgers.protocol import ErrorClass
from ledger_writer.ledgers.quickbooks_online.bodies import ENTITIES
from ledger_writer.ledgers.quickbooks_online.errors import TABLE, Row, row_of
from ledger_writer.ledgers.quickbooks_online.faults import FaultError

K = DocumentKind
_UNEXPLAINED: Final = (
    "1000 1010 1020 1050 2180 2190 2230 2240 2270 2280 6000 6010 6020 6040 6041 6050 6060 6110 6120 6130 6280 6290 "
    "6300 6320 6330 6340 6350 6360 6370 6380 6390 6400 6460 6490 6500 6510 6520"
)
"""Codes of Intuit's list without a meaning of their own: shown with the ledger's words."""
CODES: Final = sorted({*TABLE, *_UNEXPLAINED.split()}, key=int)
STOPPING: Final = sorted((code for code, row in TABLE.items() if row.stops_company), key=int)
REFUSED: Final = [code for code in CODES if code not in STOPPING]
TIMEOUT_S: Final = 3.0
"""Long enough for a busy machine: a refusal that is not waited for would not be seen."""
HOLD_S: Final = TIMEOUT_S + 0.5
PASSING: Final[dict[str, Rule]] = {
    "throttled, JSON": {"action": "throttle"},
    "throttled, XML": {"action": "throttle", "content_type": "application/xml"},
    # Not `expire_token`: side by side, tokens that expire thrice while one request is on its way rightly end it all.
    "token expired": {"action": "fault", "code": "3200", "status": 401},
    "cut before commit": {"action": "drop_before"},
    "answer cut after commit": {"action": "drop_after"},
    "reset before commit": {"action": "reset_before"},
    "reset after commit": {"action": "reset_after"},
    "time-out before commit": {"action": "timeout_before", "hold_s": HOLD_S},
    "time-out after commit": {"action": "timeout_after", "hold_s": HOLD_S},
    "HTTP 408": {"action": "status", "status": 408},
    "HTTP 500": {"action": "status", "status": 500},
    "HTTP 502": {"action": "status", "status": 502},
    "HTTP 503": {"action": "status", "status": 503},
    "HTTP 504": {"action": "status", "status": 504},
    "HTTP 200, not JSON": {"action": "status", "status": 200},
    "HTTP 200, cut off": {"action": "status", "status": 200, "body": '{"Invoice":', "content_type": "application/json"},
    "HTTP 200, nothing in it": {"action": "status", "status": 200, "body": "{}", "content_type": "application/json"},
}
"""Trouble that nobody has to hear of."""
CUT: Final = [fault for fault in PASSING if fault.split()[0] in {"cut", "answer", "reset", "time-out"}]
_GONE: Final = "610"
"""What is not there any more. Of changes it is not always said: then the table does not list it."""
_TOKEN: Final = ("100", "110", "3200", "3202")
"""Codes that come with 401: the token is renewed before they are believed."""
STOPS: Final[dict[str, Rule]] = {
    **{
        code: {"action": "fault", "code": code, **({"status": 401, "times": 3} if code in _TOKEN else {})}
        for code in STOPPING
    },
    "HTTP 401": {"action": "status", "status": 401, "times": 3},
    "HTTP 403": {"action": "status", "status": 403},
}
"""After these nothing at all can be written until somebody acts."""


def meaning(code: str) -> Row:
    return row_of(FaultError(code))


def applying_passes() -> tuple[ErrorClass, ...]:
    """Trouble of an application that makes the whole be looked up and tried again."""
    return (ErrorClass.TRANSIENT, ErrorClass.CONFLICT, ErrorClass.LOOKUP)


def passes(code: str) -> bool:
    return meaning(code).error_class in (ErrorClass.TRANSIENT, ErrorClass.CONFLICT) or code == "600"


def postings(to: Any) -> tuple[Any, ...]:
    return (
        line(LineKind.POSTING, "77.00", None, account=to),
        line(LineKind.POSTING, "-77.00", None, account=samples.INCOME),
    )


COST: Final[dict[str, Any]] = {
    "lines": (line(LineKind.FEE, "77.00", None, account=samples.FEES),),
    "customer_key": samples.VENDOR,
    "deposit_to": samples.CHECKING,
}
KINDS: Final[dict[DocumentKind, dict[str, Any]]] = {
    K.ESTIMATE: {},
    K.INVOICE: {},
    K.SALES_RECEIPT: {},
    K.CREDIT_MEMO: {},
    K.REFUND_RECEIPT: {},
    K.PAYMENT: {},
    K.JOURNAL_ENTRY: {"lines": postings(samples.RECEIVABLE)},
    K.DEPOSIT: {"lines": postings(samples.CHECKING), "deposit_to": samples.CHECKING},
    K.EXPENSE: COST,
    K.BILL: COST,
    K.PURCHASE_ORDER: {**COST, "lines": (line(amount="77.00", quantity="1", unit_price="77.00"),)},
}
LOSES: Final[dict[DocumentKind, tuple[dict[str, Any], str]]] = {
    K.INVOICE: ({"note": "as changed"}, "CustomerMemo"),
    K.SALES_RECEIPT: ({"note": "as changed"}, "CustomerMemo"),
    K.PAYMENT: ({"payment_method": "Visa"}, "PaymentMethodRef"),
    K.PURCHASE_ORDER: ({"shipping_address": samples.address()}, "ShipAddr"),
}
"""What an edit adds, and the field it goes to. Taking it back takes a full update, which is the same for every kind."""
VOIDABLE: Final = (K.INVOICE, K.SALES_RECEIPT, K.PAYMENT)
"""The others can't be voided over the API and are deleted."""


def one_of(kind: DocumentKind, source: str, **more: Any) -> Document:
    return document(kind, source_id=source, **{**KINDS.get(kind, {}), **more})


def order_of(kind: DocumentKind, number: int) -> TransactionSet:
    source = f"{kind.value[:3]}{kind.value[-2:]}{number}"
    return order(source, one_of(kind, source))


def gone(one: TransactionSet, *, but: int = 0) -> TransactionSet:
    """The same order without its documents, except the first ones."""
    return one.model_copy(update={"documents": one.documents[:but], "revision": one.revision + 5})


def noted(one: TransactionSet, *, but: int = 0) -> TransactionSet:
    """The same order, edited, except for the first documents."""
    changed = tuple(
        document.model_copy(update={"note": "as changed", **LOSES.get(document.kind, ({}, ""))[0]})
        for document in one.documents[but:]
    )
    return one.model_copy(update={"documents": (*one.documents[:but], *changed), "revision": one.revision + 1})


def bare_again(number: int) -> list[TransactionSet]:
    """The orders whose edit is taken back, each of a kind that loses a field by that."""
    made = [order_of(kind, number) for kind in LOSES]
    return [one.model_copy(update={"revision": one.revision + 2}) for one in made]


def orders(number: int) -> list[TransactionSet]:
    """One order of each kind of document."""
    return [order_of(kind, number) for kind in KINDS]


@dataclass(frozen=True)
class Hit:
    """One kind of write, and the requests of it that meet faults."""

    entity: str
    how: str
    codes: Sequence[str] = tuple(REFUSED)
    form: str = ""
    """How, where there are two ways."""
    kind: str = ""
    """Which documents say so where the ledger refuses for good; empty where they are written all the same."""
    notice: str = ""
    """What they carry then."""
    taken: tuple[str, ...] = tuple(code for code in CODES if meaning(code).error_class is ErrorClass.LOOKUP)
    """Codes that say that it is there already, where nothing of ours is."""

    @property
    def name(self) -> str:
        return f"{self.how} {self.entity}{self.form}"

    def rules(self) -> list[Rule]:
        return [self._met_by(rule) for rule in PASSING.values()] + self.coded()

    def coded(self) -> list[Rule]:
        return [self._met_by(coded(code)) for code in self.codes]

    def _met_by(self, rule: Rule) -> Rule:
        return {"entity": self.entity, "operation": self.how, "times": 1} | rule

    def passes(self, code: str) -> bool:
        """Whether nobody has to hear of it."""
        return passes(code) or (self.how != "create" and meaning(code).error_class is ErrorClass.LOOKUP)

    @property
    def remarked(self) -> int:
        """How often `notice` is made."""
        return sum(self.lasts(code) for code in self.codes)

    def lasts(self, code: str) -> bool:
        """Whether `notice` is made for it."""
        passing = (ErrorClass.TRANSIENT,) if self.how == "upload" else applying_passes()
        return meaning(code).error_class not in passing

    @property
    def count(self) -> int:
        return len(PASSING) + len(self.codes)


def coded(code: str) -> Rule:
    return {"action": "fault", "code": code}


def hit(kind: DocumentKind, how: str, form: str = "") -> Hit:
    return Hit(ENTITIES[kind], how, kind=kind.value, form=form)


def check_refusals(world: World, refused: Sequence[Mapping[str, Any]], struck: Hit, unseen: float = 0) -> None:
    """Exactly the faults that need a person are shown, each once, with the code and the cure of the catalogue.

    `unseen` is how many answers at most came too late to be seen, because the machine was busy.
    """
    found: Counter[str] = Counter()
    for row in refused:
        said = re.search(r"refused it \((\d+)\)", row["reason"].text)
        if said is None:
            # A number that is taken is looked for; the look-up says what it found instead of the refusal.
            assert row["code"] in {"NUMBER_COLLISION", "PRODUCT_NAME_TAKEN"}, row
            found["taken"] += 1
            continue
        expected = meaning(said[1])
        assert (row["code"], row["reason"].code, row["reason"].cure) == (expected.code, expected.code, expected.cure)
        assert said[1] in row["raw"]
        found[said[1]] += 1
    # What is changed has its place already: that it is there is no news, and it is tried again.
    told = [code for code in struck.codes if not struck.passes(code)]
    plain = Counter(code for code in told if meaning(code).error_class is not ErrorClass.LOOKUP)
    untold = {_GONE} if struck.how != "create" and not found[_GONE] else set()
    if struck.how in ("void", "delete"):
        # It may meet the repetition of a removal that had worked: then it says just that.
        found.pop(_GONE, None)
        plain.pop(_GONE, None)
    wanted = plain + Counter("taken" for code in told if code in struck.taken)
    assert not found - wanted, struck.name
    missing = wanted - found
    if struck.how == "update":
        # It is believed once the document was read; where the lease could end before that, all is tried again.
        missing.pop(_GONE, None)
    assert missing.total() <= unseen, (struck.name, missing)
    world.table += [
        (code, struck.name, "written by itself" if struck.passes(code) else f"{meaning(code).code}, then resent")
        for code in struck.codes
        if code not in untold
    ]


async def strike(world: World, hits: Sequence[Hit], sets: Sequence[TransactionSet]) -> None:
    """Every fault once at each of the kinds, while the sets are written; then a resend of what a person has to see."""
    before = unanswered()
    world.inject(rule for struck in hits for rule in struck.rules())
    await world.write(sets)
    assert world.unfired() == []
    unseen = max(unanswered() - before - len(hits) * len(CUT), 0)
    refused = await world.refused()
    for struck in hits:
        world.table += [(fault, struck.name, "written by itself") for fault in PASSING]
        if struck.kind:
            check_refusals(world, [row for row in refused if row["kind"] == struck.kind], struck, unseen)
    assert {row["kind"] for row in refused} <= {struck.kind for struck in hits}
    keys = [row["document_key"] for row in refused]
    for notice in sorted({struck.notice for struck in hits} - {""}):
        noticed = await world.noticed(notice)
        remarking = [struck for struck in hits if struck.notice == notice]
        assert len(noticed) == sum(struck.remarked for struck in remarking), notice
        world.table += [
            (code, one.name, f"{notice}, then resent" if one.lasts(code) else "written by itself")
            for one in remarking
            for code in one.codes
        ]
        keys += noticed
    await world.resend(keys)
    assert [notice for notice in ("NOT_APPLIED", "ATTACHMENT_MISSING") if await world.noticed(notice)] == []


@pytest.fixture
def names_per_batch() -> int:
    return 30


@pytest.fixture
async def world(open_desk: OpenDesk, stand_in: StandIn, company: Company, names_per_batch: int) -> AsyncIterator[World]:
    async with cable_to(stand_in.url) as cable:
        settings = {
            "api_url": cable.url,
            "throttled_wait_s": 0.05,
            "request_timeout_s": TIMEOUT_S,
            "names_per_batch": names_per_batch,
            "batches_per_window": 100_000,
        }
        async with open_desk(**settings) as desk, waits_cut_short(desk):
            made = World(desk, company, cable)
            await made.open(one_of(K.JOURNAL_ENTRY, "first"))
            yield made
            made.show()


async def states(world: World) -> dict[str, int]:
    rows = await world.desk.pool.fetch("SELECT state, count(*) FROM documents WHERE set_key <> '' GROUP BY 1")
    return {row["state"]: row["count"] for row in rows}


def taken_back(kind: DocumentKind) -> Hit:
    return hit(kind, "void" if kind in VOIDABLE else "delete")


Step = tuple[Sequence[Hit], Callable[[int], Sequence[TransactionSet]]]


async def compare(world: World, steps: Sequence[Step]) -> None:
    """Take one set of orders through the steps without faults, then as many as there are faults with them."""
    units = []
    for _, sets in steps:
        before = Books.of(world.company)
        await world.write(sets(0))
        assert await world.refused() == []
        units.append(Books.of(world.company).moved(before))
    books = Books.of(world.company)
    for (hits, sets), unit in zip(steps, units, strict=True):
        count = max(one.count for one in hits)
        await strike(world, hits, [one for number in range(1, count + 1) for one in sets(number)])
        books = books.plus(unit, count)
        assert Books.of(world.company).differs_from(books) == {}, [one.name for one in hits]


async def test_documents_meet_every_fault_when_they_are_made_changed_and_taken_back(world: World) -> None:
    steps: list[Step] = [
        ([hit(kind, "create") for kind in KINDS], orders),
        ([hit(kind, "update") for kind in KINDS], lambda n: [noted(one) for one in orders(n)]),
        ([hit(kind, "update", ", whole") for kind in LOSES], bare_again),
    ]
    await compare(world, steps)
    for kind, (_, name) in LOSES.items():
        assert [one[name] for one in world.company.stored(ENTITIES[kind]) if one.get(name)] == [], kind
    assert {write for fault, write, _ in world.table if fault == _GONE} & {hit(kind, "update").name for kind in KINDS}
    await compare(world, [([taken_back(kind) for kind in KINDS], lambda n: [gone(one) for one in orders(n)])])
    assert await states(world) == {"synced": 1, "voided": (len(PASSING) + len(REFUSED) + 1) * len(KINDS)}
    assert sum((await world.desk.balances()).values()) == 0


def paid(number: int) -> TransactionSet:
    source = f"paid{number}"
    invoice = one_of(K.INVOICE, source)
    money = one_of(K.PAYMENT, source, applications=applied_to(invoice), depends_on=(invoice.key,))
    return order(source, invoice, money)


def credited(number: int) -> TransactionSet:
    source = f"cred{number}"
    invoice = one_of(K.INVOICE, source)
    credit = one_of(K.CREDIT_MEMO, source, applications=applied_to(invoice), depends_on=(invoice.key,))
    return order(source, invoice, credit)


def paid_back(number: int, *, so_far: bool = False) -> TransactionSet:
    """Money came in and, unless it is `so_far`, went back."""
    source = f"back{number}"
    money = one_of(K.PAYMENT, source)
    if so_far:
        return order(source, money)
    back = one_of(
        K.REFUND_PAYMENT,
        source,
        deposit_to=samples.CHECKING,
        applications=applied_to(money),
        depends_on=(money.key,),
    )
    return order(source, money, back, revision=2)


def banked(number: int) -> TransactionSet:
    source = f"bank{number}"
    receipt = one_of(K.SALES_RECEIPT, source)
    lines = (
        line(LineKind.GROUPED_DOCUMENT, "-77.00", None, account=samples.FUNDS, document_key=receipt.key),
        line(LineKind.POSTING, "77.00", None, account=samples.CHECKING),
    )
    return order(source, receipt, one_of(K.DEPOSIT, source, lines=lines, depends_on=(receipt.key,)))


def summary(number: int) -> TransactionSet:
    given: dict[str, Any] = {"source_kind": "summary", "number": None, "memo_number": f"day{number}"}
    return order(f"day{number}", one_of(K.SALES_RECEIPT, f"day{number}", note="#1, #2", **given))


def offered(number: int, *, closed: bool = False) -> TransactionSet:
    wanted = WantedState.CLOSED if closed else WantedState.PRESENT
    return order(f"offer{number}", one_of(K.ESTIMATE, f"offer{number}", wanted=wanted), revision=1 + closed)


def applied_to(target: Document) -> tuple[Application, ...]:
    return (Application(document_key=target.key, amount=target.total),)


APPLYING: Final = Hit("Payment", "create", notice="NOT_APPLIED")
INTO_PAYMENT: Final = Hit("Payment", "update", notice="NOT_APPLIED")
UPLOAD: Final = Hit("*", "upload", notice="ATTACHMENT_MISSING")
CLOSING: Final = hit(K.ESTIMATE, "update")


async def test_what_hangs_on_other_documents_meets_every_fault(world: World) -> None:
    first = lambda n: [paid(n), banked(n), summary(n), offered(n), paid_back(n, so_far=True)]  # noqa: E731
    steps: list[Step] = [
        ([hit(K.PAYMENT, "create"), hit(K.DEPOSIT, "create"), UPLOAD], first),
        (
            [APPLYING, hit(K.REFUND_PAYMENT, "create"), CLOSING],
            lambda n: [credited(n), paid_back(n), offered(n, closed=True)],
        ),
        # Others than those above: money whose purchase was refused goes into no payment.
        ([INTO_PAYMENT], lambda n: [paid_back(1000 + n)]),
        (
            [hit(K.PAYMENT, "update"), hit(K.DEPOSIT, "update")],
            lambda n: [noted(paid(n), but=1), noted(banked(n), but=1)],
        ),
        ([hit(K.PAYMENT, "void"), hit(K.DEPOSIT, "delete")], lambda n: [gone(paid(n), but=1), gone(banked(n), but=1)]),
    ]
    await compare(world, steps)
    assert sum((await world.desk.balances()).values()) == 0


def named(number: int, *kinds: str) -> TransactionSet:
    """An order of nothing: a customer, a vendor and an item, or some of them, that nobody has yet."""
    customer = samples.customer(f"Customer {number}").model_copy(update={"key": f"{number:031d}c"})
    vendor = samples.customer(f"Vendor {number}").model_copy(update={"key": f"{number:031d}d"})
    item = samples.item(f"Item {number}", missing=MissingPolicy.CREATE).model_copy(update={"key": f"{number:031d}e"})
    some = kinds or ("customers", "vendors", "items")
    return order(
        f"names{number}{''.join(kinds)}",
        customers=(customer,) if "customers" in some else (),
        vendors=(vendor,) if "vendors" in some else (),
        items=(item,) if "items" in some else (),
    )


NAMED: Final = {
    "customers": Hit("Customer", "create", kind="customer", taken=()),
    "vendors": Hit("Vendor", "create", kind="vendor", taken=()),
    "items": Hit("Item", "create", kind="item", taken=("6240",)),
}
"""A name that is taken is told from others by a suffix; an item's is for a person."""


def numbers_of(world: World) -> dict[str, list[int]]:
    """Kind → the numbers of the names that stand, each as often as it does."""
    found = {}
    for kind, struck in NAMED.items():
        names = [str(row["DisplayName" if kind != "items" else "Name"]) for row in world.company.stored(struck.entity)]
        mine = [one for one in names if re.fullmatch(rf"{struck.entity} \d+( \(C\))?", one)]
        # One by 6240, unless the request with the suffix met another fault.
        assert sum(one.endswith("(C)") for one in mine) <= 1
        found[kind] = sorted(int(one.split()[1]) for one in mine)
    return found


@pytest.mark.parametrize("names_per_batch", [1])
async def test_names_that_go_alone_meet_every_fault(world: World) -> None:
    count = len(PASSING) + len(REFUSED)
    await strike(world, list(NAMED.values()), [named(number) for number in range(count)])
    assert numbers_of(world) == {kind: list(range(count)) for kind in NAMED}


@pytest.mark.parametrize("names_per_batch", [3])
async def test_names_in_batches_and_batches_as_a_whole_meet_every_fault(world: World) -> None:
    count = len(REFUSED)
    world.inject(rule for one in NAMED.values() for rule in one.coded())
    await world.write([named(number) for number in range(count)])
    assert world.unfired() == []
    refused = await world.refused()
    for struck in NAMED.values():
        check_refusals(world, [row for row in refused if row["kind"] == struck.kind], struck)
    await world.resend([row["document_key"] for row in refused])

    # A batch that is refused as a whole was no batch: each of its names is refused for the same reason. One that is
    # said to be there already is looked for, not found, and sent again.
    whole = Hit("*", "batch")
    world.inject(whole.rules())
    world.table += [(fault, whole.name, "written, by itself or resent") for fault in (*PASSING, *whole.codes)]
    await world.write([named(number) for number in range(count, count + whole.count)])
    assert world.unfired() == []
    refused = await world.refused()
    told = {meaning(code).code for code in whole.codes if not passes(code) and code not in whole.taken}
    assert {row["code"] for row in refused} == told
    await world.resend([row["document_key"] for row in refused])
    assert numbers_of(world) == {kind: list(range(count + whole.count)) for kind in NAMED}


async def test_a_company_that_stops_at_any_write_goes_on_where_it_was(world: World) -> None:
    rounds: list[tuple[list[Hit], Callable[[int], list[TransactionSet]]]] = [
        (
            [*(hit(kind, "create") for kind in KINDS), UPLOAD, Hit("*", "batch")],
            lambda n: [*orders(n), summary(n), named(2 * n), paid_back(n, so_far=True)],
        ),
        (
            [*(hit(kind, "update") for kind in KINDS), APPLYING, Hit("Purchase", "create"), Hit("Customer", "create")],
            lambda n: [
                *(noted(one) for one in orders(n)),
                credited(n),
                paid_back(n),
                named(2 * n + 1, "customers"),
            ],
        ),
        # What is paid back here is another order's: none of its money meets anything before it goes into the payment.
        (
            [*(taken_back(kind) for kind in KINDS), INTO_PAYMENT],
            lambda n: [*(gone(one) for one in orders(n)), paid_back(1000 + n)],
        ),
    ]
    for hits, sets in rounds:
        before = Books.of(world.company)
        await world.write(sets(0))
        unit = Books.of(world.company).moved(before)
        before = Books.of(world.company)
        for number, (fault, rule) in enumerate(STOPS.items(), start=1):
            world.inject({"entity": one.entity, "operation": one.how, "times": 1} | rule for one in hits)
            await world.send(sets(number))
            stops = await world.ride_out(meaning(fault).code if fault in TABLE else _BARE[fault])
            assert stops > 0, fault
            assert world.unfired() == [], fault
            world.table += [(fault, one.name, "written after somebody has acted") for one in hits]
        after = Books.of(world.company)
        assert after.differs_from(before.plus(unit, len(STOPS))) == {}, [one.name for one in hits]
    names = [str(row["DisplayName"]) for row in world.company.stored("Customer")]
    assert len(names) == len(set(names)) == 1 + 2 * (len(STOPS) + 1)


_BARE: Final = {"HTTP 401": "NEEDS_RECONNECT", "HTTP 403": "NO_ACCESS"}


async def test_a_line_that_is_dead_at_any_write_is_waited_for(world: World) -> None:
    steps: list[Callable[[int], list[TransactionSet]]] = [
        lambda n: [*orders(n), credited(n), summary(n), named(n)],
        lambda n: [noted(one) for one in orders(n)],
        lambda n: [gone(one) for one in orders(n)],
    ]
    for sets in steps:
        before = Books.of(world.company)
        await world.write(sets(0))
        unit = Books.of(world.company).moved(before)
        before = Books.of(world.company)
        await world.cable.unplug()
        tried = unanswered()
        await world.send([one for number in range(1, 4) for one in sets(number)])
        async with asyncio.timeout(30):
            while unanswered() < tried + 3:
                await asyncio.sleep(0.02)
        assert Books.of(world.company).differs_from(before) == {}
        await world.cable.plug()
        await world.rest()
        assert await world.refused() == []
        assert Books.of(world.company).differs_from(before.plus(unit, 3)) == {}


def unanswered() -> float:
    """Requests that ended without an answer so far."""
    samples_of = (sample for metric in UPSTREAM_REQUESTS.collect() for sample in metric.samples)
    return sum(one.value for one in samples_of if one.labels.get("status") == "none" and one.name.endswith("_total"))
