"""The properties of every entity, in the order in which the XML form lists them."""

from __future__ import annotations

from sandbox.quickbooks_online.schema.fields import Spec, spec

_PARTS: dict[str, Spec] = {}


def _part(name: str, text: str) -> None:
    _PARTS[name] = spec(name, text, _PARTS)


_part(
    "PhysicalAddress",
    "Id:id! Line1:t500 Line2:t500 Line3:t500 Line4:t500 Line5:t500 City:t255 Country:t255 CountryCode:t30 County:t255 "
    "CountrySubDivisionCode:t255 PostalCode:t30 PostalCodeSuffix:t30 Lat:any! Long:any! Tag:t255 Note:t4000",
)
_PARTS["Address"] = _PARTS["PhysicalAddress"]
_part(
    "TelephoneNumber",
    "Id:id! DeviceType:t30 CountryCode:t10 AreaCode:t10 ExchangeCode:t10 Extension:t10 FreeFormNumber:t30 Default:b "
    "Tag:t30",
)
_PARTS["Phone"] = _PARTS["TelephoneNumber"]
_part("EmailAddress", "Id:id! Address:email Default:b Tag:t30")
_PARTS["Email"] = _PARTS["EmailAddress"]
_part("WebSiteAddress", "Id:id! URI:uri Default:b Tag:t30")
_PARTS["Web"] = _PARTS["WebSiteAddress"]
_part("MemoRef", "value:t1000")
_PARTS["Memo"] = _PARTS["MemoRef"]
_part("LinkedTxn", "TxnId:id TxnType:t50 TxnLineId:id")
_part(
    "CustomField",
    "DefinitionId:id Name:t100 Type:e(StringType|BooleanType|NumberType|DateType) StringValue:t31 BooleanValue:b "
    "DateValue:d NumberValue:q",
)
_part("NameValue", "Name:t200 Value:t4000")
_part("AttachableRef", "EntityRef:ref LineInfo:id IncludeOnSend:b Inactive:b NoRefOnly:b CustomField:@CustomField*")
_part("MarkupInfo", "PercentBased:b Value:q Percent:q PriceLevelRef:ref MarkUpIncomeAccountRef:ref")
_part(
    "SalesItemLineDetail",
    "ItemRef:ref ClassRef:ref UnitPrice:q UnitCostPrice:q RatePercent:q PriceLevelRef:ref MarkupInfo:@MarkupInfo Qty:q "
    "UOMRef:any ItemAccountRef:ref InventorySiteRef:ref TaxCodeRef:ref TaxClassificationRef:ref ServiceDate:d "
    "TaxInclusiveAmt:m DiscountRate:pct DiscountAmt:m DeferredRevenue:b RetainageAmount:m!",
)
_part(
    "DiscountLineDetail",
    "DiscountRef:ref PercentBased:b DiscountPercent:pct DiscountAccountRef:ref ServiceDate:d ClassRef:ref "
    "TaxCodeRef:ref Discount:any",
)
_part("DescriptionLineDetail", "ServiceDate:d TaxCodeRef:ref")
_part("SubTotalLineDetail", "ItemRef:ref ServiceDate:d")
_part(
    "AccountBasedExpenseLineDetail",
    "CustomerRef:ref ClassRef:ref AccountRef:ref BillableStatus:e(Billable|NotBillable|HasBeenBilled) "
    "MarkupInfo:@MarkupInfo TaxAmount:m TaxCodeRef:ref TaxInclusiveAmt:m",
)
_part(
    "ItemBasedExpenseLineDetail",
    "ItemRef:ref ClassRef:ref UnitPrice:q UnitCostPrice:q RatePercent:q PriceLevelRef:ref MarkupInfo:@MarkupInfo Qty:q "
    "UOMRef:any ItemAccountRef:ref InventorySiteRef:ref TaxCodeRef:ref TaxClassificationRef:ref CustomerRef:ref "
    "BillableStatus:e(Billable|NotBillable|HasBeenBilled) TaxInclusiveAmt:m",
)
_part("EntityTypeRef", "Type:e(Customer|Vendor|Employee|Other) EntityRef:ref")
_part(
    "JournalEntryLineDetail",
    "PostingType:e(Debit|Credit) Entity:@EntityTypeRef AccountRef:ref ClassRef:ref DepartmentRef:ref TaxCodeRef:ref "
    "TaxRateRef:ref TaxApplicableOn:e(Sales|Purchase) TaxAmount:m TaxInclusiveAmt:m "
    "BillableStatus:e(Billable|NotBillable|HasBeenBilled) JournalCodeRef:ref",
)
_part(
    "DepositLineDetail",
    "Entity:any ClassRef:ref AccountRef:ref PaymentMethodRef:ref CheckNum:t21 TxnType:t50 TaxCodeRef:ref "
    "TaxApplicableOn:e(Sales|Purchase)",
)
_part(
    "TaxLineDetail",
    "TaxRateRef:ref PercentBased:b TaxPercent:q NetAmountTaxable:m TaxInclusiveAmount:m OverrideDeltaAmount:m "
    "ServiceDate:d",
)
_part("PaymentLineDetail", "ItemRef:ref ServiceDate:d ClassRef:ref Balance:m Discount:any")

_LINE_KINDS = (
    "PaymentLineDetail|DiscountLineDetail|TaxLineDetail|SalesItemLineDetail|DescriptionLineDetail|DescriptionOnly|"
    "ItemBasedExpenseLineDetail|AccountBasedExpenseLineDetail|DepositLineDetail|JournalEntryLineDetail|"
    "GroupLineDetail|SubTotalLineDetail"
)
_LINE = (
    "Id:id LineNum:i Description:t4000 Amount:m Received:m LinkedTxn:@LinkedTxn* "
    f"DetailType:e({_LINE_KINDS}) "
    "PaymentLineDetail:@PaymentLineDetail DiscountLineDetail:@DiscountLineDetail TaxLineDetail:@TaxLineDetail "
    "SalesItemLineDetail:@SalesItemLineDetail DescriptionLineDetail:@DescriptionLineDetail "
    "ItemBasedExpenseLineDetail:@ItemBasedExpenseLineDetail "
    "AccountBasedExpenseLineDetail:@AccountBasedExpenseLineDetail DepositLineDetail:@DepositLineDetail "
    "JournalEntryLineDetail:@JournalEntryLineDetail "
)
_LINE_END = "SubTotalLineDetail:@SubTotalLineDetail CustomField:any LineEx:any! CostAmount:m! HomeCostAmount:m!"
_part("GroupedLine", _LINE + _LINE_END)
_part("GroupLineDetail", "GroupItemRef:ref Quantity:q UOMRef:any ServiceDate:d Line:@GroupedLine*")
_part("Line", f"{_LINE} GroupLineDetail:@GroupLineDetail {_LINE_END}")
_part("TaxLine", "Id:id LineNum:i Description:t4000 Amount:m DetailType:e(TaxLineDetail) TaxLineDetail:@TaxLineDetail")
_part(
    "TxnTaxDetail",
    "DefaultTaxCodeRef:ref TxnTaxCodeRef:ref TotalTax:m TaxReviewStatus:t50! TaxLine:@TaxLine* UseAutomatedSalesTax:b",
)
_part(
    "TaxRateDetails",
    "TaxRateName:t100 TaxRateId:id RateValue:pct TaxAgencyId:id TaxApplicableOn:e(Sales|Purchase|Other)",
)
_part("CashBack", "AccountRef:ref Amount:m Memo:t4000")

_HEAD = "Id:id SyncToken:id domain:any! status:any! sparse:b MetaData:any! CustomField:@CustomField* AttachableRef:any "
_NAMES = (
    "IntuitId:any! Organization:any! Title:t16 GivenName:t100 MiddleName:t100 FamilyName:t100 Suffix:t16 "
    "FullyQualifiedName:any! CompanyName:t100 DisplayName:t500 PrintOnCheckName:t110 UserId:any! Active:b "
    "V4IDPseudonym:any! PrimaryPhone:@Phone AlternatePhone:@Phone Mobile:@Phone Fax:@Phone PrimaryEmailAddr:@Email "
    "WebAddr:@Web OtherContactInfo:any DefaultTaxCodeRef:ref "
)
_TXN = _HEAD + (
    "DocNumber:t21 TxnDate:d TxnSubType:any! DepartmentRef:ref CurrencyRef:ref ExchangeRate:q PrivateNote:t4000 "
    "TxnStatus:t50 LinkedTxn:@LinkedTxn* Line:@Line* TxnTaxDetail:@TxnTaxDetail TxnSource:any TaxFormType:any "
    "TaxFormNum:any TransactionLocationType:t100 Tag:any TxnApprovalInfo:any RecurDataRef:ref! RecurringInfo:any! "
    "ProjectRef:ref TotalCostAmount:m! HomeTotalCostAmount:m! "
)
_TAXING = "GlobalTaxCalculation:e(TaxExcluded|TaxInclusive|NotApplicable) "
_PRINT = "PrintStatus:e(NotSet|NeedToPrint|PrintComplete) "
_SALES = (
    _TXN + "AutoDocNumber:b CustomerRef:ref CustomerMemo:@Memo BillAddr:@Address ShipAddr:@Address FreeFormAddress:b "
    "ShipFromAddr:@Address RemitToRef:ref ClassRef:ref SalesTermRef:ref DueDate:d SalesRepRef:ref PONumber:t25 FOB:t25 "
    "ShipMethodRef:ref ShipDate:d TrackingNum:t100 "
    + _TAXING
    + "TotalAmt:m! HomeTotalAmt:m! ApplyTaxAfterDiscount:b ShippingTaxIncludedInTotalTax:b! TemplateRef:ref "
    + _PRINT
    + "EmailStatus:e(NotSet|NeedToSend|EmailSent|Pending) BillEmail:@Email BillEmailCc:@Email BillEmailBcc:@Email "
    "ARAccountRef:ref Balance:m! HomeBalance:m! FinanceCharge:b PaymentMethodRef:ref PaymentRefNum:t21 "
    "PaymentType:e(Cash|Check|CreditCard|Expense|Other) CheckPayment:any CreditCardPayment:any "
    "DepositToAccountRef:ref DeliveryInfo:any! DiscountRate:pct DiscountAmt:m GovtTxnRefIdentifier:any! "
    "TaxExemptionRef:any "
)
_EXPENSE = "TotalAmt:m! Memo:t4000 "

_TEXTS: dict[str, str] = {
    "Customer": _HEAD
    + _NAMES
    + "Taxable:b BillAddr:@Address ShipAddr:@Address OtherAddr:any ContactName:t100 AltContactName:t100 Notes:t2000 "
    "Job:b BillWithParent:b RootCustomerRef:ref! ParentRef:ref Level:any! CustomerTypeRef:ref SalesTermRef:ref "
    "SalesRepRef:ref TaxGroupCodeRef:ref TaxRateRef:ref PaymentMethodRef:ref CCDetail:any! PriceLevelRef:ref "
    "Balance:m! OpenBalanceDate:d BalanceWithJobs:m! CreditLimit:m AcctNum:t100 CurrencyRef:ref OverDueBalance:m! "
    "TotalRevenue:m! TotalExpense:m! PreferredDeliveryMethod:e(Print|Email|None) ResaleNum:t16 JobInfo:any "
    "TDSEnabled:b CustomerEx:any! SecondaryTaxIdentifier:t30 ARAccountRef:ref PrimaryTaxIdentifier:t30 "
    "TaxExemptionReasonId:t10 IsProject:b! BusinessNumber:t10 GSTIN:t15 GSTRegistrationType:t15 IsCISContractor:b! "
    "ClientCompanyId:any! ClientEntityId:any! Source:any! TaxRegime:t30",
    "Vendor": _HEAD
    + _NAMES
    + "ContactName:t100 AltContactName:t100 Notes:t2000 BillAddr:@Address ShipAddr:@Address OtherAddr:any "
    "TaxCountry:any TaxIdentifier:t20 TaxIdEffectiveDate:any BusinessNumber:t10 ParentRef:ref VendorTypeRef:ref "
    "TermRef:ref PrefillAccountRef:ref Balance:m! BillRate:q OpenBalanceDate:d CreditLimit:m AcctNum:t100 Vendor1099:b "
    "T4AEligible:b T5018Eligible:b CurrencyRef:ref TDSEnabled:b TDSEntityTypeId:any TDSSectionTypeId:any "
    "TDSOverrideThreshold:b TaxReportingBasis:t50 APAccountRef:ref VendorEx:any! GSTIN:t15 GSTRegistrationType:t15 "
    "IsSubContractor:b SubcontractorType:any CISRate:any HasTPAR:b VendorPaymentBankDetail:any Source:any! CostRate:q "
    "OtherContactDetail:any",
    "Employee": _HEAD
    + _NAMES
    + "EmployeeType:t50 EmployeeNumber:t100 SSN:t100 PrimaryAddr:@Address OtherAddr:any BillableTime:b BillRate:q "
    "BirthDate:d Gender:e(Male|Female) HiredDate:d ReleasedDate:d UseTimeEntry:any EmployeeEx:any! CostRate:q "
    "Notes:t2000 HourlyCostRate:q",
    "Item": _HEAD
    + "Name:t100 Sku:t100 Description:t4000 Active:b SubItem:b ParentRef:ref Level:any! FullyQualifiedName:any! "
    "Taxable:b SalesTaxIncluded:b PercentBased:b UnitPrice:q RatePercent:q "
    "Type:e(Inventory|Service|NonInventory|Group|Category|Bundle|Assembly|Fixed~Asset|Other~Charge|Payment|Discount|"
    "Subtotal|Tax|Tax~Group) PaymentMethodRef:ref UOMSetRef:ref IncomeAccountRef:ref PurchaseDesc:t1000 "
    "PurchaseTaxIncluded:b PurchaseCost:q ExpenseAccountRef:ref COGSAccountRef:ref AssetAccountRef:ref "
    "PrefVendorRef:ref AvgCost:q! TrackQtyOnHand:b QtyOnHand:q QtyOnPurchaseOrder:q! QtyOnSalesOrder:q! "
    "ReorderPoint:q ManPartNum:t31 DepositToAccountRef:ref SalesTaxCodeRef:ref PurchaseTaxCodeRef:ref InvStartDate:d "
    "BuildPoint:q PrintGroupedItems:b SpecialItem:b! SpecialItemType:any! ItemGroupDetail:any ItemAssemblyDetail:any "
    "AbatementRate:q ReverseChargeRate:q ServiceType:t50 ItemCategoryType:t50 ItemEx:any! TaxClassificationRef:ref "
    "UQCDisplayText:t50 UQCId:t50 ClassRef:ref Source:any! DeferredRevenue:b CustomExtensions:any",
    "Account": _HEAD
    + "Name:t100 SubAccount:b ParentRef:ref Description:t100 FullyQualifiedName:any! AccountAlias:t100 "
    "TxnLocationType:t100 Active:b Classification:any! "
    "AccountType:e(Bank|Accounts~Receivable|Other~Current~Asset|Fixed~Asset|Other~Asset|Accounts~Payable|Credit~Card|"
    "Other~Current~Liability|Long~Term~Liability|Equity|Income|Cost~of~Goods~Sold|Expense|Other~Income|Other~Expense|"
    "Non-Posting) AccountSubType:t60 AccountPurposes:any AcctNum:t20 AcctNumExtn:t20 BankNum:t100 OpeningBalance:m "
    "OpeningBalanceDate:d CurrentBalance:m! CurrentBalanceWithSubAccounts:m! CurrencyRef:ref TaxAccount:b "
    "TaxCodeRef:ref OnlineBankingEnabled:b FIName:t100 JournalCodeRef:ref AccountEx:any!",
    "TaxCode": _HEAD
    + "Name:t100 Description:t100 Active:b Hidden:b Taxable:b TaxGroup:b SalesTaxRateList:any PurchaseTaxRateList:any "
    "AdjustmentTaxRateList:any TaxCodeEx:any! TaxCodeConfigType:any!",
    "TaxRate": _HEAD
    + "Name:t100 Description:t100 Active:b RateValue:pct AgencyRef:ref TaxReturnLineRef:ref EffectiveTaxRate:any "
    "SpecialTaxType:t50 DisplayType:t50 TaxRateEx:any! OriginalTaxRate:ref",
    "TaxAgency": _HEAD
    + "DisplayName:t100 SalesTaxCodeRef:ref SalesTaxCountry:any SalesTaxReturnRef:ref TaxRegistrationNumber:t100 "
    "ReportingPeriod:t50 TaxTrackedOnPurchases:b TaxOnPurchasesAccountRef:ref TaxTrackedOnSales:b "
    "TaxTrackedOnSalesAccountRef:ref TaxOnTax:b LastFileDate:d! TaxAgencyExt:any! TaxAgencyConfig:any!",
    "TaxService": _HEAD + "TaxCode:t100 TaxCodeId:id! TaxRateDetails:@TaxRateDetails* Fault:any!",
    "PaymentMethod": _HEAD + "Name:t31 Active:b Type:e(CREDIT_CARD|NON_CREDIT_CARD) PaymentMethodEx:any!",
    "Term": _HEAD
    + "Name:t31 Active:b Type:any! DiscountPercent:pct DueDays:i DiscountDays:i DayOfMonthDue:i DueNextMonthDays:i "
    "DiscountDayOfMonth:i SalesTermEx:any!",
    "Class": _HEAD + "Name:t100 SubClass:b ParentRef:ref FullyQualifiedName:any! Active:b ClassEx:any!",
    "Department": _HEAD
    + "Name:t100 SubDepartment:b ParentRef:ref FullyQualifiedName:any! Active:b DepartmentEx:any! Address:@Address",
    "CompanyInfo": _HEAD
    + "CompanyName:t1024 LegalName:t1024 CompanyAddr:@Address CustomerCommunicationAddr:@Address LegalAddr:@Address "
    "CompanyEmailAddr:@Email CustomerCommunicationEmailAddr:@Email CompanyURL:@Web PrimaryPhone:@Phone "
    "OtherContactInfo:any CompanyFileName:any! FlavorStratum:any! SampleFile:any! CompanyUserId:any! "
    "CompanyUserAdminEmail:any! CompanyStartDate:any! EmployerId:t30 FiscalYearStartMonth:t20 TaxYearStartMonth:t20 "
    "QBVersion:any! Country:any! ShipAddr:@Address OtherAddr:any Mobile:@Phone Fax:@Phone Email:@Email WebAddr:@Web "
    "LastImportedTime:any! LastSyncTime:any! SupportedLanguages:any! DefaultTimeZone:any! MultiByteCharsSupported:any! "
    "NameValue:any! FifoCalculationStatus:any! CompanyInfoEx:any!",
    "Preferences": _HEAD
    + "AccountingInfoPrefs:any AdvancedInventoryPrefs:any ProductAndServicesPrefs:any SalesFormsPrefs:any "
    "EmailMessagesPrefs:any PrintDocumentPrefs:any VendorAndPurchasesPrefs:any TimeTrackingPrefs:any TaxPrefs:any "
    "FinanceChargesPrefs:any CurrencyPrefs:any ReportPrefs:any OtherPrefs:any PrefsEx:any!",
    "ExchangeRate": _HEAD + "SourceCurrencyCode:t3 TargetCurrencyCode:t3 Rate:q AsOfDate:d ExchangeRateEx:any!",
    "CompanyCurrency": _HEAD + "Code:t3 Name:t100 Active:b CompanyCurrencyEx:any!",
    "Estimate": _SALES + "ExpirationDate:d AcceptedBy:t100 AcceptedDate:d EstimateEx:any!",
    "Invoice": _SALES
    + "Deposit:m AllowIPNPayment:b AllowOnlinePayment:b AllowOnlineCreditCardPayment:b AllowOnlineACHPayment:b "
    "AllowOnlinePayPalPayment:b AllowOnlineAffirmPayment:b EInvoiceStatus:any! ECloudStatusTimeStamp:any! CfdiUse:any "
    "Exportation:any GlobalInfo:any invoiceStatus:any! callToAction:any! invoiceStatusLog:any! InvoiceEx:any! "
    "LessCIS:any! InvoiceLink:any! PaymentDetailsMessage:any! ConvenienceFeeDetail:any EnabledSurchargeInfo:any "
    "InvoiceLinkSecurityCode:any! InvoiceLinkExpiryDate:any! AutoPayEligible:any SchedulePayEligible:any "
    "ScheduledPaymentId:any GratuityEnabled:any FinancingProductType:any SubscriptionPaymentsSetting:any "
    "TxnRetainageDetail:any",
    "SalesReceipt": _SALES + "SalesReceiptEx:any! TxnRetainageDetail:any",
    "CreditMemo": _SALES + "RemainingCredit:m! InvoiceRef:any CreditMemoEx:any!",
    "RefundReceipt": _SALES
    + "RemainingCredit:m! CheckNum:t21 RefundReceiptEx:any! TxnApplication:any CreditCardPaymentEx:any!",
    "Payment": _TXN + "CustomerRef:ref RemitToRef:ref! ARAccountRef:ref DepositToAccountRef:ref PaymentMethodRef:ref "
    "PaymentRefNum:t21 PaymentType:e(Cash|Check|CreditCard|Expense|Other) CheckPayment:any CreditCardPayment:any "
    "TotalAmt:m UnappliedAmt:m! ProcessPayment:b PaymentEx:any! TxnTaxDetailEx:any!",
    "Deposit": _TXN + "DepositToAccountRef:ref CashBack:@CashBack " + _TAXING + "TotalAmt:m! HomeTotalAmt:m! "
    "CashBackEx:any! DepositEx:any!",
    "JournalEntry": _TXN
    + "Adjustment:b HomeCurrencyAdjustment:b EnteredInHomeCurrency:b "
    + _TAXING
    + "TotalAmt:m! HomeTotalAmt:m! JournalEntryEx:any!",
    "Purchase": _TXN
    + "AccountRef:ref PaymentMethodRef:ref PaymentRefNum:t21 PaymentType:e(Cash|Check|CreditCard) CheckPayment:any "
    "CreditCardPayment:any EntityRef:ref Credit:b RemitToAddr:@Address "
    + _EXPENSE
    + _PRINT
    + _TAXING
    + "PurchaseEx:any! LessCIS:any! IncludeInAnnualTPAR:b",
    "Bill": _TXN
    + "VendorRef:ref APAccountRef:ref "
    + _EXPENSE
    + "BillEmail:@Email ReplyEmail:@Email "
    + _TAXING
    + "PayerRef:ref SalesTermRef:ref DueDate:d RemitToAddr:@Address ShipAddr:@Address VendorAddr:@Address Balance:m! "
    "HomeBalance:m! BillEx:any! LessCIS:any! IncludeInAnnualTPAR:b",
    "VendorCredit": _TXN
    + "VendorRef:ref APAccountRef:ref "
    + _EXPENSE
    + "BillEmail:@Email ReplyEmail:@Email "
    + _TAXING
    + "VendorAddr:@Address VendorCreditEx:any! Balance:m! IncludeInAnnualTPAR:b",
    "BillPayment": _TXN
    + "VendorRef:ref VendorAddr:@Address APAccountRef:ref PayType:e(Check|CreditCard) CheckPayment:any "
    "CreditCardPayment:any TotalAmt:m BillPaymentEx:any! ProcessBillPayment:b",
    "PurchaseOrder": _TXN
    + "VendorRef:ref APAccountRef:ref "
    + _EXPENSE
    + "BillEmail:@Email ReplyEmail:@Email "
    + _TAXING
    + "TaxCodeRef:ref ClassRef:ref ReimbursableInfoRef:ref SalesTermRef:ref DueDate:d ExpectedDate:d "
    "VendorAddr:@Address ShipTo:ref DropShipToEntity:ref InventorySiteRef:ref ShipAddr:@Address ShipMethodRef:ref "
    "FOB:t25 POEmail:@Email TemplateRef:ref " + _PRINT + "EmailStatus:e(NotSet|NeedToSend|EmailSent) "
    "ManuallyClosed:b POStatus:e(Open|Closed) PurchaseOrderEx:any! Balance:m!",
    "Transfer": _TXN + "FromAccountRef:ref ToAccountRef:ref Amount:m ClassRef:ref TransferEx:any!",
    "CreditCardPayment": _TXN + "Amount:m BankAccountRef:ref CreditCardAccountRef:ref VendorRef:ref Memo:t4000 "
    "CheckNum:t21 " + _PRINT + "CreditCardPaymentEx:any!",
    "RecurringTransaction": _HEAD + "Type:t50 Name:t100",
    "Budget": _HEAD + "Name:t100 StartDate:d EndDate:d BudgetType:t50 BudgetEntryType:t50 Active:b BudgetDetail:any!",
    "TimeActivity": _HEAD
    + "TimeZone:t50 TxnDate:d NameOf:e(Employee|Vendor|Other) EmployeeRef:ref VendorRef:ref OtherNameRef:ref "
    "CustomerRef:ref DepartmentRef:ref ItemRef:ref ClassRef:ref PayrollItemRef:ref ProjectRef:ref TimeChargeId:any "
    "BillableStatus:e(Billable|NotBillable|HasBeenBilled) Taxable:b HourlyRate:q CostRate:q Hours:i Minutes:i "
    "Seconds:i BreakHours:i BreakMinutes:i BreakSeconds:i StartTime:dt EndTime:dt Description:t4000 "
    "TimeActivityEx:any! HoursInEmployeeTimeZone:b",
    "Attachable": (_HEAD.replace("AttachableRef:any", "AttachableRef:@AttachableRef*"))
    + "FileName:t1000 FileAccessUri:any! TempDownloadUri:any! Size:any! ContentType:t100 "
    "Category:e(Contact~Photo|Document|Image|Receipt|Signature|Sound|Other) Lat:t100 Long:t100 PlaceName:t2000 "
    "Note:t2000 Tag:t2000 ThumbnailFileAccessUri:any! ThumbnailTempDownloadUri:any! AttachableEx:any! documentId:any!",
}

ENTITIES: dict[str, Spec] = {name: spec(name, text, _PARTS) for name, text in _TEXTS.items()}


def json_name(entity: str) -> str:
    """The key of an entity in answers; one of them is called otherwise than its path."""
    return "CreditCardPaymentTxn" if entity == "CreditCardPayment" else entity


_BY_LOWER = {name.lower(): name for name in ENTITIES}


def entity_name(text: str) -> str | None:
    """The entity called ``text`` in any case ("salesreceipt" gives "SalesReceipt"), or None."""
    return _BY_LOWER.get(text.lower())
