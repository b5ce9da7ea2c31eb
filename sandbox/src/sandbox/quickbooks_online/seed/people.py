"""Customers and vendors of the full seed.

Numbers and names are those that recorded exchanges point at; which details each has follows them too, so that answers
have the same keys. The details themselves are made up.
"""

from __future__ import annotations

from typing import Any

CUSTOMERS = """
1|Amy's Bird Sanctuary|phone mail company bill ship given family taxable
2|Bill's Windsurf Shop|phone mail company bill given family
3|Cool Cars|phone mail company bill given family
4|Diego Rodriguez|phone mail bill given family
5|Dukes Basketball Camp|phone mail company bill ship given family taxable
6|Dylan Sollfrank|given family
7|Freeman Sporting Goods|phone mobile fax web mail company bill ship given family
8|0969 Ocean View Road|phone mobile fax web mail company bill ship given family parent=7
9|55 Twin Lane|phone mobile fax web mail company bill ship given parent=7
10|Geeta Kalapatapu|phone mail bill ship given family
11|Gevelber Photography|phone web mail company bill ship given family
12|Jeff's Jalopies|phone mail company bill ship given family
13|John Melton|phone mail bill ship given family
14|Kate Whelan|phone mail bill ship given family country
15|Pye's Cakes|phone mobile web mail company bill ship given family
16|Kookies by Kathy|phone mail company bill given family
17|Mark Cho|phone mail bill ship given family
18|Paulsen Medical Supplies|phone mail company bill ship given family
19|Rago Travel Agency|phone mail company bill ship given family
20|Red Rock Diner|phone mail company bill ship given family
21|Rondonuwu Fruit and Vegi|phone mail bill ship given middle family
22|Shara Barnett|phone mail bill ship given family
23|Barnett Design|phone mail company bill ship given family parent=22
24|Sonnenschein Family Store|phone mail company bill given family code
25|Sushi by Katsuyuki|phone mail company bill ship given family
26|Travis Waldron|phone mail bill ship given family
27|Video Games by Dan|phone mail company bill ship given family
28|Wedding Planning by Whitney|phone web mail company bill ship given family
29|Weiskopf Consulting|phone mail company bill ship given family
58|Jane Doe|taxable
59|John Doe|taxable
60|Jack Doe|phone taxable
62|Doe, Jack|taxable
63|Doe, Jane|taxable
64|Jack Doe|taxable code parent=62
65|To be Deleted Later|taxable
66|To be Deleted Later 2|taxable
67|Araborn|taxable
68|Doe2, Jane|taxable
69|Doe4, Jane|taxable
70|Doe5, Jane|taxable
"""

VENDORS = """
30|Books by Bessie|phone web mail company bill acct given family
31|Brosnahan Insurance Agency|phone mobile fax web company bill acct taxid given family
32|Cal Telephone|phone company bill term
33|Chin's Gas and Oil|company
34|Cigna Health Care|phone company acct
35|Computers by Jenni|phone mobile fax mail company bill given family
36|Diego's Road Warrior Bodyshop|company
37|EDD|company
38|Ellis Equipment Rental|phone mobile web mail company bill acct title given middle family country
39|Fidelity|company
40|Hall Properties|phone mobile web company bill acct taxid given family
41|Hicks Hardware|phone mobile web company bill acct given family
42|Lee Advertising|phone company bill acct title given middle family
43|Mahoney Mugs|company
44|Met Life Dental|company
45|National Eye Care|phone fax web mail company bill acct term
46|Norton Lumber and Building Materials|phone mail company bill acct given family
47|Pam Seitz|phone mobile fax web mail company bill acct term given family
48|PG&E|phone mail company bill acct
49|Robertson & Associates|phone company bill acct given family
50|Tania's Nursery|phone mail company bill acct given family country
51|Tim Philip Masonry|phone mobile web mail company bill acct taxid given family
52|Tony Rondonuwu|mail title given middle family suffix
56|Bob's Burger Joint|
57|Squeaky Kleen Car Wash|
61|Smith Family Store|
"""

_GIVEN = ("Robin", "Alex", "Sam", "Jo", "Kim", "Lee", "Max", "Pat", "Chris", "Dana")
_FAMILY = ("Archer", "Baker", "Cooper", "Draper", "Fisher", "Gardner", "Hunter", "Mason", "Potter", "Taylor")
_CITIES = (("San Pablo", "CA", "94806"), ("Tucson", "AZ", "85719"), ("Fairview", "CA", "94541"))


def _details(number: int, name: str, flags: set[str]) -> dict[str, Any]:
    """The made-up details that ``flags`` ask for."""
    city, state, zip_code = _CITIES[number % len(_CITIES)]
    address = {"Line1": f"{number} Cedar Lane", "City": city, "CountrySubDivisionCode": state, "PostalCode": zip_code}
    if "country" in flags:
        address["Country"] = "USA"

    def phone(last: int) -> dict[str, str]:
        return {"FreeFormNumber": f"(555) 555-{last:02d}{number:02d}"}

    possible: dict[str, tuple[str, Any]] = {
        "title": ("Title", "Ms."),
        "given": ("GivenName", _GIVEN[number % 10]),
        "middle": ("MiddleName", "J."),
        "family": ("FamilyName", _FAMILY[number % 7]),
        "suffix": ("Suffix", "Jr."),
        "company": ("CompanyName", name),
        "bill": ("BillAddr", address),
        "ship": ("ShipAddr", dict(address)),
        "phone": ("PrimaryPhone", phone(1)),
        "mobile": ("Mobile", phone(2)),
        "fax": ("Fax", phone(3)),
        "web": ("WebAddr", {"URI": f"http://www.number{number}.example"}),
        "mail": ("PrimaryEmailAddr", {"Address": f"number{number}@people.example"}),
        "acct": ("AcctNum", f"77{number:04d}"),
        "taxid": ("TaxIdentifier", f"99-55501{number:02d}"),
        "term": ("TermRef", {"value": "1"}),
    }
    return dict(part for flag, part in possible.items() if flag in flags)


def _people(text: str) -> list[tuple[str, dict[str, Any], set[str]]]:
    found = []
    for line in text.strip().splitlines():
        identifier, name, flags = line.split("|")
        marks = set(flags.split())
        found.append((identifier, {"DisplayName": name, **_details(int(identifier), name, marks)}, marks))
    return found


def customer_bodies() -> list[tuple[str, dict[str, Any]]]:
    """(id, create body) for each customer, parents before their jobs."""
    found = []
    for identifier, body, flags in _people(CUSTOMERS):
        body["Taxable"] = "taxable" in flags
        if "code" in flags:
            body["DefaultTaxCodeRef"] = {"value": "2"}
        parents = [flag.removeprefix("parent=") for flag in flags if flag.startswith("parent=")]
        if parents:
            body |= {"Job": True, "ParentRef": {"value": parents[0]}, "BillWithParent": identifier == "64"}
        found.append((identifier, body))
    return sorted(found, key=lambda entry: "ParentRef" in entry[1])


def vendor_bodies() -> list[tuple[str, dict[str, Any]]]:
    """(id, create body) for each vendor."""
    return [(identifier, body) for identifier, body, _ in _people(VENDORS)]
