"""Customers and vendors of the full seed. Numbers of recorded exchanges point at these ids."""

from __future__ import annotations

from typing import Any

CUSTOMERS = """
1|Amy's Bird Sanctuary|Amy|Lauterbach|4581 Finch St.|Bayshore|CA|94326|(650) 555-3311|birds@birds.example|taxable
2|Bill's Windsurf Shop|Bill|Lucchini|12 Ocean Dr.|Half Moon Bay|CA|94213|(415) 444-6538|surf@surf.example|
3|Cool Cars|Grace|Pariente|65 Ocean Dr.|Half Moon Bay|CA|94213|(415) 555-9933|cars@cars.example|taxable
4|Diego Rodriguez|Diego|Rodriguez|321 Channing|Palo Alto|CA|94303|(650) 555-4477|diego@rodriguez.example|
5|Dukes Basketball Camp|Peter|Dukes|25 Court St.|Tucson|AZ|85719|(520) 420-5638|dukes@dukes.example|taxable
6|Dylan Sollfrank|Dylan|Sollfrank||||||
7|Freeman Sporting Goods|Kirby|Freeman|370 Easy St.|Middlefield|CA|94482|(650) 555-0987|goods@freeman.example|
8|0969 Ocean View Road|Sasha|Tillou|370 Easy St.|Middlefield|CA|94482|(415) 555-9933|goods@freeman.example|parent=7
9|55 Twin Lane|Amelia||370 Easy St.|Middlefield|CA|94482|(650) 555-0987|goods@freeman.example|parent=7
10|Geeta Kalapatapu|Geeta|Kalapatapu|1987 Main St.|Middlefield|CA|94303|(650) 555-0022|geeta@kalapatapu.example|
11|Gevelber Photography|Lisa|Gevelber|1103 Main St.|Middlefield|CA|94303|(415) 222-4345|photo@gevelber.example|
12|Jeff's Jalopies|Jeff|Chin|12 Willow Rd.|Menlo Park|CA|94305|(650) 555-8989|jalopies@jeff.example|taxable
13|John Melton|John|Melton|85 Pine St.|Menlo Park|CA|94304|(650) 557-5252|john@melton.example|taxable
14|Kate Whelan|Kate|Whelan|45 First St.|Menlo Park|CA|94304|(650) 554-8822|kate@whelan.example|
15|Pye's Cakes|Karen|Pye|350 Mountain View Dr.|South Orange|NJ|07079|(973) 555-2652|cakes@pye.example|
16|Kookies by Kathy|Kathy|Kuplis|789 Sugar Lane|Middlefield|CA|94303|(650) 555-7896|kookies@kathy.example|
17|Mark Cho|Mark|Cho|36 Willow Rd|Menlo Park|CA|94304|(650) 554-1479|mark@cho.example|
18|Paulsen Medical Supplies|Kathy|Paulsen|900 Main St.|Middlefield|CA|94303|(650) 557-8569|medical@paulsen.example|
19|Rago Travel Agency|Louis|Rago|753 Spring St.|Middlefield|CA|94303|(650) 555-5596|travel@rago.example|
20|Red Rock Diner|Stephanie|Martini|500 Red Rock Rd.|Bayshore|CA|94326|(650) 555-4973|diner@redrock.example|
21|Rondonuwu Fruit and Vegi|Tony|Rondonuwu|847 California Ave.|San Jose|CA|95021|(650) 555-2645|fruit@rondonuwu.example|
22|Shara Barnett|Shara|Barnett|19 Main St.|Middlefield|CA|94303|(650) 557-1289|shara@barnett.example|
23|Barnett Design|Shara|Barnett|19 Main St.|Middlefield|CA|94303|(650) 557-1289|design@barnett.example|parent=22
24|Sonnenschein Family Store|Russ|Sonnenschein|5647 Cypress Hill|Middlefield|CA|94303|(650) 557-8463|store@sonnenschein.example|taxable
25|Sushi by Katsuyuki|Katsuyuki|Yanagawa|898 Elm St.|Maplewood|NJ|07040|(505) 570-0147|sushi@katsuyuki.example|
26|Travis Waldron|Travis|Waldron|78 First St.|Monlo Park|CA|94304|(650) 557-9977|travis@waldron.example|taxable
27|Video Games by Dan|Daniel|Green|1987 Main St.|Middlefield|CA|94303|(650) 555-3456|dan@games.example|
28|Wedding Planning by Whitney|Whitney|Cohen|135 Broadway|Menlo Park|CA|94304|(650) 557-2473|whitney@weddings.example|
29|Weiskopf Consulting|Nicola|Weiskopf|45612 Main St.|Bayshore|CA|94326|(650) 555-1423|consulting@weiskopf.example|
58|Jane Doe|Jane|Doe||||||
59|John Doe|John|Doe||||||
60|Jack Doe|Jack|Doe||||||
62|Doe, Jack|||||||
63|Doe, Jane|||||||
64|Jack Doe Jobs|||||||parent=62
65|To be Deleted Later|||||||
66|To be Deleted Later 2|||||||
67|Araborn|||||||
68|Doe2, Jane|||||||taxable
69|Doe4, Jane|||||||
70|Doe5, Jane|||||||
"""

VENDORS = """
30|Books by Bessie||15 Main St.|Palo Alto|CA|94303|(650) 555-7745
31|Brosnahan Insurance Agency|7653412|P.O. Box 5|Middlefield|CA|94482|(650) 555-9912
32|Cal Telephone||10 Main St.|Palo Alto|CA|94303|(650) 555-1616
33|Chin's Gas and Oil||||||
34|Cigna Health Care|123456789|||||(520) 555-9874
35|Computers by Jenni||1515 Main St.|Middlefield|CA|94482|(650) 555-8721
36|Diego's Road Warrior Bodyshop||||||
37|EDD||||||
38|Ellis Equipment Rental||45896 Main St.|Middlefield|CA|94303|(650) 555-3333
39|Fidelity||||||
40|Hall Properties|55642|P.O. Box 357|South Orange|NJ|07079|(973) 555-3827
41|Hicks Hardware||42 Main St.|Middlefield|CA|94303|(650) 554-1973
42|Lee Advertising||53 Main St.|Middlefield|CA|94303|(650) 554-4622
43|Mahoney Mugs||||||(650) 555-8899
44|Met Life Dental||||||
45|National Eye Care|72643|123 Anywhere Ave|Tucson|AZ|85719|
46|Norton Lumber and Building Materials||4528 Country Road|Middlefield|CA|94303|(650) 363-6578
47|Pam Seitz|26321|P.O. Box 15|Bayshore|CA|94326|(650) 557-8855
48|PG&E||4 Main St.|Palo Alto|CA|94303|(888) 555-9465
49|Robertson & Associates||||||(650) 557-1111
50|Tania's Nursery||1111 Lilac Ln.|Middlefield|CA|94303|
51|Tim Philip Masonry||3948 Elm St.|Middlefield|CA|94482|(800) 556-1254
52|Tony Rondonuwu||||||
53|United States Treasury||||||
56|Bob's Burger Joint||||||
57|Squeaky Kleen Car Wash||||||
61|Smith Family Store||||||
"""


def customer_bodies() -> list[tuple[str, dict[str, Any]]]:
    """(id, create body) for each customer, parents before their jobs."""
    found = []
    for text in CUSTOMERS.strip().splitlines():
        parts = (text.split("|") + [""] * 11)[:11]
        identifier, name, given, family, street, city, state, zip_code, phone, mail, flag = parts
        body: dict[str, Any] = {"DisplayName": name, "Taxable": flag == "taxable"}
        if given:
            body |= {"GivenName": given, "FamilyName": family or None}
        if street:
            body["CompanyName"] = name
            address = {"Line1": street, "City": city, "CountrySubDivisionCode": state, "PostalCode": zip_code}
            body |= {"BillAddr": address, "ShipAddr": dict(address)}
        if phone:
            body["PrimaryPhone"] = {"FreeFormNumber": phone}
        if mail:
            body["PrimaryEmailAddr"] = {"Address": mail}
        if flag == "taxable":
            body["DefaultTaxCodeRef"] = {"value": "2"}
        if flag.startswith("parent="):
            body |= {"Job": True, "ParentRef": {"value": flag[7:]}}
        found.append((identifier, body))
    return sorted(found, key=lambda entry: "ParentRef" in entry[1])


def vendor_bodies() -> list[tuple[str, dict[str, Any]]]:
    """(id, create body) for each vendor."""
    found = []
    for text in VENDORS.strip().splitlines():
        identifier, name, number, street, city, state, zip_code, phone = (text.split("|") + [""] * 8)[:8]
        body: dict[str, Any] = {"DisplayName": name, "CompanyName": name, "AcctNum": number or None}
        if street:
            body["BillAddr"] = {
                "Line1": street,
                "City": city,
                "CountrySubDivisionCode": state,
                "PostalCode": zip_code,
            }
        if phone:
            body["PrimaryPhone"] = {"FreeFormNumber": phone}
        found.append((identifier, body))
    return found
