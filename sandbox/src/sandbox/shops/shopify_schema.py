"""The part of the Admin GraphQL schema that the stand-in answers, written down as the fields it really fills."""

from __future__ import annotations

from typing import Final

from graphql import GraphQLSchema, build_schema

SDL: Final = """
scalar DateTime
scalar Decimal
scalar UnsignedInt64
scalar JSON
enum CurrencyCode { USD EUR JPY CAD GBP AUD CHF SEK NOK DKK PLN CZK NZD MXN BRL INR CNY KRW SGD HKD }
enum CountryCode { US DE FR CH JP CA GB AU AT IT ES NL BE SE NO DK PL }
enum OrderSortKeys { CREATED_AT ID ORDER_NUMBER PROCESSED_AT UPDATED_AT }
enum OrderDisplayFinancialStatus {
  AUTHORIZED EXPIRED PAID PARTIALLY_PAID PARTIALLY_REFUNDED PENDING REFUNDED VOIDED
}
enum OrderDisplayFulfillmentStatus { FULFILLED PARTIALLY_FULFILLED UNFULFILLED }
enum OrderCancelReason { CUSTOMER DECLINED FRAUD INVENTORY OTHER STAFF }
enum OrderTransactionKind { AUTHORIZATION CAPTURE CHANGE EMV_AUTHORIZATION REFUND SALE SUGGESTED_REFUND VOID }
enum OrderTransactionStatus { AWAITING_RESPONSE ERROR FAILURE PENDING SUCCESS UNKNOWN }
enum RefundLineItemRestockType { CANCEL LEGACY_RESTOCK NO_RESTOCK RETURN }
enum OrderAdjustmentDiscrepancyReason {
  CUSTOMER DAMAGE FULL_RETURN_BALANCING_ADJUSTMENT PENDING_REFUND_DISCREPANCY REFUND_DISCREPANCY RESTOCK
}
enum DiscountApplicationAllocationMethod { ACROSS EACH ONE }
enum DiscountApplicationTargetSelection { ALL ENTITLED EXPLICIT }
enum DiscountApplicationTargetType { LINE_ITEM SHIPPING_LINE }

type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
type MoneyV2 { amount: Decimal! currencyCode: CurrencyCode! }
type MoneyBag { shopMoney: MoneyV2! presentmentMoney: MoneyV2! }
type PricingPercentageValue { percentage: Float! }
union PricingValue = MoneyV2 | PricingPercentageValue
type TaxLine { title: String! rate: Float ratePercentage: Float priceSet: MoneyBag! channelLiable: Boolean }

interface DiscountApplication {
  index: Int! allocationMethod: DiscountApplicationAllocationMethod! value: PricingValue!
  targetSelection: DiscountApplicationTargetSelection! targetType: DiscountApplicationTargetType!
}
type DiscountCodeApplication implements DiscountApplication {
  index: Int! allocationMethod: DiscountApplicationAllocationMethod! value: PricingValue! code: String!
  targetSelection: DiscountApplicationTargetSelection! targetType: DiscountApplicationTargetType!
}
type AutomaticDiscountApplication implements DiscountApplication {
  index: Int! allocationMethod: DiscountApplicationAllocationMethod! value: PricingValue! title: String!
  targetSelection: DiscountApplicationTargetSelection! targetType: DiscountApplicationTargetType!
}
type DiscountAllocation { allocatedAmountSet: MoneyBag! discountApplication: DiscountApplication! }
type DiscountApplicationConnection {
  nodes: [DiscountApplication!]! edges: [DiscountApplicationEdge!]! pageInfo: PageInfo!
}
type DiscountApplicationEdge { cursor: String! node: DiscountApplication! }

type MailingAddress {
  id: ID! address1: String address2: String city: String company: String country: String countryCodeV2: CountryCode
  firstName: String lastName: String name: String phone: String province: String provinceCode: String zip: String
}
type Customer {
  id: ID! legacyResourceId: UnsignedInt64! displayName: String! firstName: String lastName: String email: String
  phone: String taxExempt: Boolean! defaultAddress: MailingAddress
}
type Product { id: ID! title: String! }
type ProductVariant { id: ID! title: String! sku: String }
type LineItem {
  id: ID! name: String! title: String! sku: String quantity: Int! currentQuantity: Int! isGiftCard: Boolean!
  requiresShipping: Boolean! taxable: Boolean! variantTitle: String vendor: String product: Product
  variant: ProductVariant originalUnitPriceSet: MoneyBag! originalTotalSet: MoneyBag! totalDiscountSet: MoneyBag!
  discountedTotalSet(withCodeDiscounts: Boolean = false): MoneyBag!
  discountAllocations: [DiscountAllocation!]! taxLines(first: Int): [TaxLine!]!
}
type LineItemConnection {
  nodes: [LineItem!]! edges: [LineItemEdge!]! pageInfo: PageInfo!
}
type LineItemEdge { cursor: String! node: LineItem! }
type ShippingLine {
  id: ID title: String! code: String source: String isRemoved: Boolean! carrierIdentifier: String phone: String
  originalPriceSet: MoneyBag! discountedPriceSet: MoneyBag! currentDiscountedPriceSet: MoneyBag!
  discountAllocations: [DiscountAllocation!]! taxLines: [TaxLine!]!
}
type ShippingLineConnection {
  nodes: [ShippingLine!]! edges: [ShippingLineEdge!]! pageInfo: PageInfo!
}
type ShippingLineEdge { cursor: String! node: ShippingLine! }
type OrderTransaction {
  id: ID! kind: OrderTransactionKind! status: OrderTransactionStatus! gateway: String formattedGateway: String
  amountSet: MoneyBag! createdAt: DateTime! processedAt: DateTime paymentId: String manualPaymentGateway: Boolean!
  authorizationCode: String test: Boolean! parentTransaction: OrderTransaction receiptJson: JSON
}
type OrderTransactionConnection {
  nodes: [OrderTransaction!]! edges: [OrderTransactionEdge!]! pageInfo: PageInfo!
}
type OrderTransactionEdge { cursor: String! node: OrderTransaction! }
type OrderAdjustment {
  id: ID! amountSet: MoneyBag! taxAmountSet: MoneyBag! reason: OrderAdjustmentDiscrepancyReason
}
type OrderAdjustmentConnection {
  nodes: [OrderAdjustment!]! edges: [OrderAdjustmentEdge!]! pageInfo: PageInfo!
}
type OrderAdjustmentEdge { cursor: String! node: OrderAdjustment! }
type RefundLineItem {
  id: ID quantity: Int! restockType: RefundLineItemRestockType! restocked: Boolean! priceSet: MoneyBag!
  subtotalSet: MoneyBag! totalTaxSet: MoneyBag! lineItem: LineItem!
}
type RefundLineItemConnection {
  nodes: [RefundLineItem!]! edges: [RefundLineItemEdge!]! pageInfo: PageInfo!
}
type RefundLineItemEdge { cursor: String! node: RefundLineItem! }
type RefundShippingLine { id: ID! shippingLine: ShippingLine! subtotalAmountSet: MoneyBag! taxAmountSet: MoneyBag! }
type RefundShippingLineConnection {
  nodes: [RefundShippingLine!]! edges: [RefundShippingLineEdge!]! pageInfo: PageInfo!
}
type RefundShippingLineEdge { cursor: String! node: RefundShippingLine! }
type Refund {
  id: ID! legacyResourceId: UnsignedInt64! createdAt: DateTime processedAt: DateTime! updatedAt: DateTime! note: String
  totalRefundedSet: MoneyBag!
  refundLineItems(
    first: Int, after: String, last: Int, before: String, reverse: Boolean = false
  ): RefundLineItemConnection!
  refundShippingLines(
    first: Int, after: String, last: Int, before: String, reverse: Boolean = false
  ): RefundShippingLineConnection!
  orderAdjustments(
    first: Int, after: String, last: Int, before: String, reverse: Boolean = false
  ): OrderAdjustmentConnection!
  transactions(
    first: Int, after: String, last: Int, before: String, reverse: Boolean = false
  ): OrderTransactionConnection!
}
type Order {
  id: ID! legacyResourceId: UnsignedInt64! name: String! number: Int! confirmationNumber: String note: String
  email: String phone: String poNumber: String sourceName: String sourceIdentifier: String tags: [String!]!
  test: Boolean! edited: Boolean! confirmed: Boolean! closed: Boolean! fullyPaid: Boolean! unpaid: Boolean!
  taxesIncluded: Boolean! taxExempt: Boolean! estimatedTaxes: Boolean! dutiesIncluded: Boolean!
  createdAt: DateTime! processedAt: DateTime! updatedAt: DateTime! closedAt: DateTime cancelledAt: DateTime
  cancelReason: OrderCancelReason currencyCode: CurrencyCode! presentmentCurrencyCode: CurrencyCode!
  displayFinancialStatus: OrderDisplayFinancialStatus displayFulfillmentStatus: OrderDisplayFulfillmentStatus!
  paymentGatewayNames: [String!]! discountCode: String discountCodes: [String!]!
  customer: Customer billingAddress: MailingAddress shippingAddress: MailingAddress
  subtotalPriceSet: MoneyBag totalPriceSet: MoneyBag! totalTaxSet: MoneyBag totalDiscountsSet: MoneyBag
  totalShippingPriceSet: MoneyBag! totalTipReceivedSet: MoneyBag! totalOutstandingSet: MoneyBag!
  totalReceivedSet: MoneyBag! totalRefundedSet: MoneyBag! netPaymentSet: MoneyBag!
  currentSubtotalPriceSet: MoneyBag! currentTotalPriceSet: MoneyBag! currentTotalTaxSet: MoneyBag!
  currentTotalDiscountsSet: MoneyBag! currentShippingPriceSet: MoneyBag! taxLines: [TaxLine!]!
  lineItems(
    first: Int, after: String, last: Int, before: String, reverse: Boolean = false
  ): LineItemConnection!
  shippingLine: ShippingLine
  shippingLines(
    first: Int, after: String, last: Int, before: String, reverse: Boolean = false, includeRemovals: Boolean = false
  ): ShippingLineConnection!
  discountApplications(
    first: Int, after: String, last: Int, before: String, reverse: Boolean = false
  ): DiscountApplicationConnection!
  transactions(first: Int, capturable: Boolean, manuallyResolvable: Boolean): [OrderTransaction!]!
  refunds(first: Int): [Refund!]!
}
type OrderEdge { cursor: String! node: Order! }
type OrderConnection {
  nodes: [Order!]! edges: [OrderEdge!]! pageInfo: PageInfo!
}
type Shop {
  id: ID! name: String! email: String! myshopifyDomain: String! currencyCode: CurrencyCode! ianaTimezone: String!
  taxesIncluded: Boolean!
}
type Query {
  order(id: ID!): Order
  orders(
    first: Int, after: String, last: Int, before: String, reverse: Boolean = false
    sortKey: OrderSortKeys = PROCESSED_AT, query: String
  ): OrderConnection!
  shop: Shop!
}
"""

SCHEMA: Final[GraphQLSchema] = build_schema(SDL)
