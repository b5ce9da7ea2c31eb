"""What rules do to an order: one small function per action; `action_table` says on what each works."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

from common.messages.control import TransactionMode
from common.messages.orders import Address, Customer
from common.money import ZERO, prorate, quantize
from mapper.rules.action_checks import split_parts
from mapper.rules.comparisons import date_of, number_of
from mapper.rules.model import Rule
from mapper.rules.working import Working

Apply = Callable[[Working, int, str, Rule], None]
"""Working order, index of the line or tender, value after templates, the rule."""


def apply_order(attribute: str) -> Apply:
    return lambda working, _index, value, _rule: working.set_order(**{attribute: value})


def apply_line(attribute: str) -> Apply:
    return lambda working, index, value, _rule: working.set_line(index, **{attribute: value})


def apply_directive(attribute: str) -> Apply:
    return lambda working, _index, value, _rule: setattr(working.directives, attribute, value)


def apply_by_rule(attribute: str) -> Apply:
    return lambda working, _index, _value, rule: setattr(working.directives, attribute, rule.name)


def apply_line_directive(attribute: str) -> Apply:
    return lambda working, index, value, _rule: setattr(working.line_directive(index), attribute, value)


def apply_price_level(working: Working, index: int, value: str, rule: Rule) -> None:
    directive = working.line_directive(index)
    directive.price_level = value
    directive.price_level_by = "" if rule.allow_total_change else rule.name


def apply_nothing(working: Working, index: int, value: str, rule: Rule) -> None:
    """Acts elsewhere: on inventory, or on what comes from the ledger."""


def apply_mode(working: Working, _index: int, value: str, _rule: Rule) -> None:
    working.directives.mode = TransactionMode(value)


def apply_order_date(working: Working, _index: int, value: str, _rule: Rule) -> None:
    found = date_of(value)
    if found is not None:
        working.set_order(ordered_on=found)


def apply_due_date(working: Working, _index: int, value: str, _rule: Rule) -> None:
    working.set_order(due_on=apply_due(value, working.order.ordered_on))


def apply_due(value: str, ordered_on: date) -> date | None:
    if value.startswith("+"):
        return ordered_on + timedelta(days=int(value[1:]))
    return date_of(value)


def apply_billing_company(working: Working, _index: int, value: str, _rule: Rule) -> None:
    address = working.order.billing_address or Address()
    working.set_order(billing_address=address.model_copy(update={"company": value}))


def apply_customer_type(working: Working, _index: int, value: str, _rule: Rule) -> None:
    customer = working.order.customer or Customer()
    working.set_order(customer=customer.model_copy(update={"group": value}))


def apply_deposit_account(working: Working, index: int, value: str, _rule: Rule) -> None:
    working.directives.deposit_accounts[working.tenders[index].external_id] = value


def apply_payment_method(working: Working, index: int, value: str, _rule: Rule) -> None:
    working.directives.payment_methods[working.tenders[index].external_id] = value


def apply_fee_percent(working: Working, _index: int, value: str, _rule: Rule) -> None:
    working.directives.fee_percent = number_of(value)


def apply_fee_fixed(working: Working, _index: int, value: str, _rule: Rule) -> None:
    working.directives.fee_fixed = number_of(value)


def apply_split_sku(working: Working, index: int, value: str, _rule: Rule) -> None:
    delimiter, side = split_parts(value)
    parts = working.lines[index].sku.split(delimiter)
    position = {"first": 0, "last": -1}.get(side)
    if position is None:
        position = int(side) - 1
    if position < len(parts):
        working.set_line(index, sku=parts[position].strip())


def apply_strip_sku(working: Working, index: int, value: str, _rule: Rule) -> None:
    sku = working.lines[index].sku
    if sku.casefold().startswith(value.casefold()):
        working.set_line(index, sku=sku[len(value) :])
    elif sku.casefold().endswith(value.casefold()):
        working.set_line(index, sku=sku[: -len(value)])


def apply_multiply(working: Working, index: int, value: str, _rule: Rule) -> None:
    factor = number_of(value)
    if not factor:
        return
    line = working.lines[index]
    price = (line.unit_price / factor).quantize(Decimal("0.000000000001")).normalize()
    fulfilled = None if line.fulfilled_quantity is None else line.fulfilled_quantity * factor
    working.set_line(
        index, quantity=line.quantity * factor, unit_price=Decimal(f"{price:f}"), fulfilled_quantity=fulfilled
    )


def apply_remove_tax(working: Working, _index: int, _value: str, rule: Rule) -> None:
    order = working.order
    removed = order.tax_total
    for index, line in enumerate(working.lines):
        if line.taxes:
            working.set_line(index, taxes=())
    shipping = tuple(one.model_copy(update={"taxes": ()}) for one in order.shipping_lines)
    surcharges = tuple(one.model_copy(update={"taxes": ()}) for one in order.surcharges)
    working.set_order(taxes=(), tax_total=ZERO, tax_remitted=ZERO, shipping_lines=shipping, surcharges=surcharges)
    working.change_total(-removed, rule.name, allowed=rule.allow_total_change)


def apply_shipping_amount(working: Working, _index: int, value: str, rule: Rule) -> None:
    amount = number_of(value)
    if amount is not None:
        apply_set_shipping(working, quantize(amount, working.order.currency), rule)


def apply_shipping_surcharge(working: Working, _index: int, value: str, rule: Rule) -> None:
    now = sum((line.amount for line in working.order.shipping_lines), ZERO)
    added = number_of(value.removesuffix("%"))
    if added is not None:
        extra = now * added / 100 if value.endswith("%") else added
        apply_set_shipping(working, now + quantize(extra, working.order.currency), rule)


def apply_set_shipping(working: Working, amount: Decimal, rule: Rule) -> None:
    order = working.order
    lines = order.shipping_lines
    if not lines:
        return
    shares = prorate(amount, [line.amount for line in lines], order.currency)
    working.directives.free_shipping = not amount
    before = sum((line.amount for line in lines), ZERO)
    working.set_order(
        shipping_lines=tuple(
            line.model_copy(update={"amount": share, "discount": ZERO})
            for line, share in zip(lines, shares, strict=True)
        )
    )
    working.change_total(amount - before, rule.name, allowed=rule.allow_total_change)


def apply_custom_field(working: Working, _index: int, value: str, _rule: Rule) -> None:
    name, _, text = value.partition("=")
    working.set_order(custom_fields={**working.order.custom_fields, name.strip(): text.strip()})


def apply_currency(working: Working, _index: int, value: str, _rule: Rule) -> None:
    code = value.strip().upper()
    tenders = tuple(tender.model_copy(update={"currency": code}) for tender in working.order.tenders)
    working.tenders = list(tenders)
    working.set_order(currency=code, tenders=tenders)


def apply_tag(working: Working, _index: int, value: str, _rule: Rule) -> None:
    if value not in working.order.tags:
        working.set_order(tags=(*working.order.tags, value))
