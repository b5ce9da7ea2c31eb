"""Stories of single orders, from the basket to the last refund. Adding a story is adding a row to STORIES."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

from sandbox.shops.cart import Flavour, fill_cart
from sandbox.shops.clerk import CARDS, Change, Clerk, Moment
from sandbox.shops.shop import Kind
from sandbox.shops.state import Line, Order, Product

ALL_KINDS: Final[tuple[Kind, ...]] = ("shopify", "woocommerce", "custom")


@dataclass(slots=True)
class Stage:
    """What a story plays with: its order, its clerk, its luck and the shop's goods."""

    order: Order
    clerk: Clerk
    rng: Random
    products: list[Product]
    gift_card: Product
    now: datetime

    def fill(self, flavour: Flavour) -> None:
        """Fill the basket."""
        fill_cart(self.order, self.rng, self.products, self.gift_card, flavour)

    def after(self, low_s: int, high_s: int) -> datetime:
        """Let some time pass."""
        self.now += timedelta(seconds=self.rng.randrange(low_s, high_s))
        return self.now

    def moment(self, *changes: Change) -> Moment:
        """Close this moment of the order."""
        self.order.version += 1
        self.order.updated_at = self.now
        return Moment(self.now, self.order, changes)

    def card_gateway(self) -> str:
        """Where card payments of this kind of shop go."""
        return "shopify_payments" if self.clerk.kind == "shopify" else "stripe"

    def take(self, amount: int) -> Change:
        """Take an amount the way customers of this shop usually pay."""
        if self.order.customer is None:
            return self.clerk.pay(self.now, amount, "cash")
        if self.rng.random() < 0.2:
            return self.clerk.pay(self.now, amount, "paypal")
        return self.clerk.pay(self.now, amount, self.card_gateway(), self.rng.choice(CARDS))

    def goods(self) -> list[Line]:
        """The lines that can come back: everything but gift cards."""
        return [line for line in self.order.lines if not line.product.gift_card]


Story = Callable[[Stage], Iterator[Moment]]


def paid(flavour: Flavour) -> Story:
    """A basket of some flavour, paid at once and perhaps sent later."""

    def story(stage: Stage) -> Iterator[Moment]:
        stage.fill(flavour)
        placed = stage.clerk.place()
        payment = (stage.take(placed.total),) if placed.total else ()
        yield stage.moment(placed, *payment, Change("paid"))
        if stage.rng.random() < 0.4:
            yield stage.moment(*stage.clerk.complete(stage.after(3_600, 200_000)))

    return story


def split(*gateways: str, all_on_first: bool = False) -> Story:
    """Paid with two tenders, or with a gift card alone."""

    def story(stage: Stage) -> Iterator[Moment]:
        stage.fill("plain")
        placed = stage.clerk.place()
        first = placed.total if all_on_first else max(1, placed.total * stage.rng.randrange(20, 80) // 100)
        changes = [stage.clerk.pay(stage.now, first, gateways[0])]
        if placed.total > first:
            gateway = gateways[-1] if gateways[-1] != "card" else stage.card_gateway()
            changes.append(stage.clerk.pay(stage.now, placed.total - first, gateway, stage.rng.choice(CARDS)))
        yield stage.moment(placed, *changes, Change("paid"))

    return story


def pending_then_paid(stage: Stage) -> Iterator[Moment]:
    """Ordered on account and paid by bank transfer days later."""
    stage.fill(stage.rng.choice(("plain", "coupon")))
    placed = stage.clerk.place()
    stage.order.gateways.append("bank_transfer")
    yield stage.moment(placed)
    stage.after(40_000, 400_000)
    yield stage.moment(stage.clerk.pay(stage.now, placed.total, "bank_transfer"), Change("paid"), Change("updated"))


def never_paid(stage: Stage) -> Iterator[Moment]:
    """Ordered on account and still owed."""
    stage.fill("plain")
    stage.order.gateways.append("bank_transfer")
    yield stage.moment(stage.clerk.place())


def authorized_then_captured(stage: Stage) -> Iterator[Moment]:
    """A card is charged when the goods leave."""
    stage.fill("plain")
    placed = stage.clerk.place()
    yield stage.moment(placed, stage.clerk.authorize(stage.now, placed.total, stage.rng.choice(CARDS)))
    stage.after(10_000, 150_000)
    yield stage.moment(stage.clerk.capture(stage.now, placed.total), Change("paid"), Change("updated"))


def authorized_then_voided(stage: Stage) -> Iterator[Moment]:
    """The reservation is let go and the order called off."""
    stage.fill("single")
    placed = stage.clerk.place()
    yield stage.moment(placed, stage.clerk.authorize(stage.now, placed.total, stage.rng.choice(CARDS)))
    stage.after(10_000, 90_000)
    yield stage.moment(stage.clerk.void(stage.now), *stage.clerk.cancel(stage.now, "fraud"))


def refunded_in_part(*, restock: bool, times: int = 1) -> Story:
    """Some units come back, once or more often."""

    def story(stage: Stage) -> Iterator[Moment]:
        stage.fill(stage.rng.choice(("plain", "single", "coupon", "percent")))
        placed = stage.clerk.place()
        yield stage.moment(placed, stage.take(placed.total), Change("paid"))
        for _ in range(times):
            stage.after(90_000, 500_000)
            open_lines = [line for line in stage.goods() if line.current]
            if not open_lines:
                return
            line = stage.rng.choice(open_lines)
            yield stage.moment(*stage.clerk.refund(stage.now, "Did not fit", [(line, 1)], restock=restock))

    return story


def refunded_in_full(*, cancelled: bool) -> Story:
    """Everything comes back, shipping too; the order may be called off with it."""

    def story(stage: Stage) -> Iterator[Moment]:
        stage.fill(stage.rng.choice(("plain", "coupon", "percent")))
        placed = stage.clerk.place()
        yield stage.moment(placed, stage.take(placed.total), Change("paid"))
        stage.after(30_000, 300_000)
        units = [(line, line.current) for line in stage.goods()]
        changes = stage.clerk.refund(stage.now, "Changed my mind", units, restock=True, shipping=True)
        if cancelled:
            changes = [*changes[:-1], *stage.clerk.cancel(stage.now, "customer")]
        yield stage.moment(*changes)

    return story


def refunded_amount(stage: Stage) -> Iterator[Moment]:
    """A goodwill amount goes back and nothing else."""
    stage.fill("plain")
    placed = stage.clerk.place()
    yield stage.moment(placed, stage.take(placed.total), Change("paid"))
    stage.after(90_000, 500_000)
    extra = max(1, placed.total * stage.rng.randrange(3, 15) // 100)
    yield stage.moment(*stage.clerk.refund(stage.now, "Goodwill", [], restock=False, extra=extra))


def cancelled_unpaid(stage: Stage) -> Iterator[Moment]:
    """Called off before any money came."""
    stage.fill("plain")
    stage.order.gateways.append("bank_transfer")
    yield stage.moment(stage.clerk.place())
    stage.after(3_600, 300_000)
    yield stage.moment(*stage.clerk.cancel(stage.now, stage.rng.choice(("inventory", "declined", "customer"))))


def edited_up_after_payment(stage: Stage) -> Iterator[Moment]:
    """A line is added to a paid order, and the difference is paid."""
    stage.fill("plain")
    placed = stage.clerk.place()
    yield stage.moment(placed, stage.take(placed.total), Change("paid"))
    stage.after(3_600, 90_000)
    changes = stage.clerk.edit_in(stage.now, stage.rng.choice(stage.products), stage.rng.choice((1, 2)))
    yield stage.moment(*changes)
    stage.after(600, 50_000)
    yield stage.moment(stage.take(changes[0].total), Change("paid"), Change("updated"))


def edited_before_payment(stage: Stage) -> Iterator[Moment]:
    """The quantity of one line is raised or some units are taken out, and then the rest is paid."""
    stage.fill("plain" if stage.rng.random() < 0.5 else "single")
    placed = stage.clerk.place()
    stage.order.gateways.append("bank_transfer")
    yield stage.moment(placed)
    stage.after(3_600, 90_000)
    line = stage.rng.choice(stage.order.lines)
    if stage.rng.random() < 0.4:
        changes = stage.clerk.edit_more(stage.now, line, stage.rng.choice((1, 2)))
    elif len(stage.order.lines) > 1:
        changes = stage.clerk.edit_out(stage.now, line, line.current)
    elif line.current > 1:
        changes = stage.clerk.edit_out(stage.now, line, line.current - 1)
    else:
        changes = stage.clerk.edit_more(stage.now, line, 1)
    yield stage.moment(*changes)
    stage.after(40_000, 300_000)
    payment = stage.clerk.pay(stage.now, placed.total + changes[0].total, "bank_transfer")
    yield stage.moment(payment, Change("paid"), Change("updated"))


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story, how often it happens (by weight), and in which kinds of shop; `walk_in` buyers leave no name."""

    name: str
    weight: int
    story: Story
    kinds: tuple[Kind, ...] = ALL_KINDS
    walk_in: bool = False


STORIES: Final[tuple[Scenario, ...]] = (
    Scenario("plain_paid", 36, paid("plain")),
    Scenario("walk_in_paid", 3, paid("plain"), ("shopify",), walk_in=True),
    Scenario("coupon", 9, paid("coupon")),
    Scenario("percent_discount", 7, paid("percent")),
    Scenario("free_shipping", 3, paid("free_shipping")),
    Scenario("fully_discounted", 2, paid("free")),
    Scenario("tip", 3, paid("tip")),
    Scenario("gift_card_bought", 3, paid("gift_card"), ("shopify", "custom")),
    Scenario("gift_card_redeemed", 3, split("gift_card", "card")),
    Scenario("gift_card_only", 1, split("gift_card", all_on_first=True)),
    Scenario("split_tender", 2, split("paypal", "card"), ("shopify", "custom")),
    Scenario("pending_then_paid", 7, pending_then_paid),
    Scenario("never_paid", 2, never_paid),
    Scenario("authorized_then_captured", 4, authorized_then_captured, ("shopify", "custom")),
    Scenario("authorized_then_voided", 1, authorized_then_voided, ("shopify",)),
    Scenario("partial_refund_restocked", 5, refunded_in_part(restock=True)),
    Scenario("partial_refund_kept", 2, refunded_in_part(restock=False)),
    Scenario("two_partial_refunds", 2, refunded_in_part(restock=True, times=2)),
    Scenario("refunded_in_full", 3, refunded_in_full(cancelled=False)),
    Scenario("cancelled_paid", 2, refunded_in_full(cancelled=True)),
    Scenario("refunded_amount", 2, refunded_amount),
    Scenario("cancelled_unpaid", 3, cancelled_unpaid),
    Scenario("edited_up_after_payment", 2, edited_up_after_payment, ("shopify", "custom")),
    Scenario("edited_before_payment", 3, edited_before_payment),
)
