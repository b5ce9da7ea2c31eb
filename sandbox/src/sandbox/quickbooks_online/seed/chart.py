"""Chart of accounts of the seeded companies; the ids are those that recorded exchanges of a US sandbox use."""

from __future__ import annotations

from sandbox.quickbooks_online.accounting.control import open_account
from sandbox.quickbooks_online.company import Company

_CHART = """
1|Services|Income|ServiceFeeIncome|
2|Retained Earnings|Equity|RetainedEarnings|
3|Prepaid Expenses|Other Current Asset|PrepaidExpenses|
4|Undeposited Funds|Other Current Asset|UndepositedFunds|
5|Fees Billed|Income|ServiceFeeIncome|
7|Advertising|Expense|AdvertisingPromotional|
8|Bank Charges|Expense|BankCharges|
11|Insurance|Expense|Insurance|
12|Legal & Professional Fees|Expense|LegalProfessionalFees|
13|Meals and Entertainment|Expense|EntertainmentMeals|
14|Miscellaneous|Other Expense|OtherMiscellaneousExpense|
15|Office Expenses|Expense|OfficeGeneralAdministrativeExpenses|
17|Rent or Lease|Expense|RentOrLeaseOfBuildings|
20|Supplies|Expense|SuppliesMaterials|
22|Travel|Expense|Travel|
24|Utilities|Expense|Utilities|
25|Interest Earned|Other Income|InterestEarned|
30|Uncategorized Income|Income|ServiceFeeIncome|
31|Uncategorized Expense|Expense|OtherMiscellaneousServiceCost|
32|Uncategorized Asset|Other Current Asset|OtherCurrentAssets|
33|Accounts Payable (A/P)|Accounts Payable|AccountsPayable|
34|Opening Balance Equity|Equity|OpeningBalanceEquity|
35|Checking|Bank|Checking|
36|Savings|Bank|Savings|
37|Truck|Fixed Asset|Vehicles|
41|Mastercard|Credit Card|CreditCard|
42|Visa|Credit Card|CreditCard|
43|Loan Payable|Other Current Liability|LoanPayable|
44|Notes Payable|Long Term Liability|NotesPayable|
45|Landscaping Services|Income|ServiceFeeIncome|
46|Job Materials|Income|ServiceFeeIncome|45
47|Decks and Patios|Income|ServiceFeeIncome|46
48|Fountains and Garden Lighting|Income|ServiceFeeIncome|46
49|Plants and Soil|Income|ServiceFeeIncome|46
50|Sprinklers and Drip Systems|Income|ServiceFeeIncome|46
51|Labor|Income|ServiceFeeIncome|45
52|Installation|Income|ServiceFeeIncome|51
53|Maintenance and Repair|Income|ServiceFeeIncome|51
54|Pest Control Services|Income|ServiceFeeIncome|
55|Automobile|Expense|Auto|
56|Fuel|Expense|Auto|55
58|Job Expenses|Expense|CostOfLabor|
59|Cost of Labor|Expense|CostOfLabor|58
63|Job Materials|Expense|SuppliesMaterials|58
64|Decks and Patios|Expense|SuppliesMaterials|63
65|Fountain and Garden Lighting|Expense|SuppliesMaterials|63
66|Plants and Soil|Expense|SuppliesMaterials|63
69|Equipment Rental|Expense|EquipmentRental|
75|Maintenance and Repair|Expense|RepairMaintenance|
76|Telephone|Expense|Utilities|24
77|Gas and Electric|Expense|Utilities|24
79|Sales of Product Income|Income|SalesOfProductIncome|
80|Cost of Goods Sold|Cost of Goods Sold|SuppliesMaterialsCogs|
81|Inventory Asset|Other Current Asset|Inventory|
82|Design income|Income|ServiceFeeIncome|
83|Other Income|Income|OtherPrimaryIncome|
84|Accounts Receivable (A/R)|Accounts Receivable|AccountsReceivable|
85|Billable Expense Income|Income|ServiceFeeIncome|
86|Discounts given|Income|DiscountsRefundsGiven|
89|Board of Equalization Payable|Other Current Liability|SalesTaxPayable|
90|Arizona Dept. of Revenue Payable|Other Current Liability|SalesTaxPayable|
91|Sales Tax Payable|Other Current Liability|GlobalTaxPayable|
92|Shipping Income|Income|OtherPrimaryIncome|
93|Tips Received|Other Current Liability|OtherCurrentLiabilities|
94|Merchant Clearing|Other Current Asset|OtherCurrentAssets|
95|Gift Cards Outstanding|Other Current Liability|OtherCurrentLiabilities|
96|Merchant Fees|Expense|BankCharges|
97|Refunds and Returns|Income|DiscountsRefundsGiven|
98|Rounding|Other Expense|OtherMiscellaneousExpense|
99|Chargebacks|Expense|OtherMiscellaneousServiceCost|
"""

_SPECIAL = {
    "services": "1",
    "retained": "2",
    "undeposited": "4",
    "ap": "33",
    "opening_balance": "34",
    "cogs": "80",
    "ar": "84",
    "discounts": "86",
    "tax_payable": "91",
    "shipping_income": "92",
    "gratuity": "93",
}


def seed_chart(company: Company) -> None:
    """Open every account of the chart and name the ones the ledger itself posts to."""
    for line in _CHART.strip().splitlines():
        identifier, name, kind, sub, parent = line.split("|")
        open_account(company, name, kind, sub, parent=parent or None, identifier=identifier)
    company.special.update(_SPECIAL)
