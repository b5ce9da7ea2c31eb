"""How long 5,000 rules take on one order: `python -m bench.rules`. Writes build/reports/bench-rules.json.

The worst kind of table: every second rule maps one product each, the others hold a text, a pattern or an expression
that must be looked at for every order. The limit is 50 ms of processor time (domain reference, section 22.10).
"""

import argparse
import json
import statistics
import sys
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from common.messages.orders import (
    FinancialStatus,
    FulfillmentStatus,
    Lifecycle,
    Order,
    OrderLine,
    Tender,
)
from mapper.rules.compiling import compile_rules
from mapper.rules.engine import CompiledRules
from mapper.rules.model import Rule

REPORT = Path("build/reports/bench-rules.json")
LIMIT_MS = Decimal(50)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def rules_of(count: int) -> list[Rule]:
    """`count` rules: half by product, the rest by store; every 50th with a pattern, every 100th with an expression."""
    return [_rule(number) for number in range(count)]


def _rule(number: int) -> Rule:
    condition = {"field": "store_name", "comparison": "contains", "value": f"store {number}"}
    action, value = "map_class", f"Class {number}"
    if number % 100 == 1:
        source = f"total > {number}.0 && lines.exists(l, l.sku == 'OLD{number}')"
        condition = {"field": "expression", "comparison": "cel", "value": source}
    elif number % 50 == 3:
        condition = {"field": "sku", "comparison": "regex", "value": f"^X{number}-[0-9]+$"}
    elif number % 2 == 0:
        condition = {"field": "sku", "comparison": "equals", "value": f"OLD{number}"}
        action, value = "map_sku", f"NEW{number}"
    return Rule.model_validate(
        {"name": f"rule {number}", "action": action, "value": value, "conditions": [condition]}, strict=False
    )


def order_of(lines: int) -> Order:
    """A paid order of so many lines, none of which needs more than one product rule."""
    price = Decimal("19.99")
    return Order(
        tenant_id="bench",
        revision=1,
        connection_id="shop",
        external_id="1",
        channel="shopify",
        number="1001",
        financial_status=FinancialStatus.PAID,
        fulfillment_status=FulfillmentStatus.UNFULFILLED,
        lifecycle=Lifecycle.OPEN,
        created_at=NOON,
        modified_at=NOON,
        ordered_on=date(2026, 3, 2),
        currency="USD",
        total=price * lines,
        tax_total=Decimal(0),
        tips=Decimal(0),
        tax_remitted=Decimal(0),
        rounding=Decimal(0),
        lines=tuple(
            OrderLine(
                external_id=f"l{n}",
                sku=f"OLD{n * 2}",
                name=f"Product {n}",
                quantity=Decimal(1),
                unit_price=price,
                amount=price,
                discount=Decimal(0),
            )
            for n in range(lines)
        ),
        tenders=(
            Tender(
                external_id="t",
                method="card",
                amount=price * lines,
                currency="USD",
                captured_at=NOON,
                captured_on=date(2026, 3, 2),
            ),
        ),
    )


def timed(rules: CompiledRules, order: Order) -> int:
    """Nanoseconds of processor time of one application."""
    started = time.process_time_ns()
    rules.apply(order)
    return time.process_time_ns() - started


def measure(count: int, lines: int, runs: int) -> dict[str, Any]:
    """Compile time, and the median and worst of `runs` applications, in milliseconds."""
    started = time.process_time_ns()
    rules = compile_rules(rules_of(count), connection_id="shop", revision=1)
    compiled = time.process_time_ns() - started
    order = order_of(lines)
    ruled, _ = rules.apply(order)
    if [line.sku for line in ruled.lines] != [f"NEW{n * 2}" for n in range(lines)]:
        raise SystemExit("the rules did not do what they say: the figures would mean nothing")
    times = sorted(timed(rules, order) for _ in range(runs))
    return {
        "rules": count,
        "lines": lines,
        "runs": runs,
        "compile_ms": _ms(compiled),
        "median_ms": _ms(int(statistics.median(times))),
        "p95_ms": _ms(times[int(len(times) * 95 / 100)]),
        "worst_ms": _ms(times[-1]),
    }


def _ms(nanoseconds: int) -> str:
    return f"{Decimal(nanoseconds) / 1_000_000:.3f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", type=int, default=5000)
    parser.add_argument("--runs", type=int, default=50)
    arguments = parser.parse_args()
    results = [measure(arguments.rules, lines, arguments.runs) for lines in (1, 3, 20)]
    passed = all(Decimal(one["median_ms"]) < LIMIT_MS for one in results)
    report = {"limit_ms": str(LIMIT_MS), "passed": passed, "results": results}
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for one in results:
        sys.stdout.write(
            f"{one['rules']} rules, {one['lines']:>2} lines: median {one['median_ms']} ms, p95 {one['p95_ms']} ms, "
            f"worst {one['worst_ms']} ms (compiled in {one['compile_ms']} ms)\n"
        )
    sys.stdout.write(f"{'below' if passed else 'ABOVE'} the limit of {LIMIT_MS} ms; {REPORT}\n")
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
