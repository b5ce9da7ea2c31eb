"""The query language: every clause, and what each mistake is called."""

from typing import Any

import pytest


@pytest.fixture(scope="module")
def shop(stand_in: Any) -> Any:
    """A company with a few customers and invoices that the queries below name."""
    company = stand_in.new_company()
    for name in ("Zoë & Söhne", "O'Neil \\ Co", "100% Cotton", "plus + more"):
        company.make("Customer", {"DisplayName": name})
    for number in range(12):
        company.make("Invoice", company.form(company.line(100 + number), DocNumber=f"Q-{number:02d}"))
    return company


def ids(shop: Any, text: str, entity: str = "Invoice") -> list[str]:
    return [doc["Id"] for doc in shop.query(text).get(entity, [])]


def names(shop: Any, text: str) -> list[str]:
    return [doc["DisplayName"] for doc in shop.query(text).get("Customer", [])]


def test_attachments_are_found_by_what_they_hang_on(shop: Any) -> None:
    invoices = ids(shop, "SELECT Id FROM Invoice WHERE DocNumber LIKE 'Q-%'")
    made = []
    for invoice in invoices[:2]:
        target = {"EntityRef": {"type": "Invoice", "value": invoice}}
        made.append(shop.make("Attachable", {"Note": "a note", "AttachableRef": [target]})["Id"])
    hanging = "SELECT * FROM Attachable WHERE AttachableRef.EntityRef.Type = 'invoice'"
    assert ids(shop, f"{hanging} AND AttachableRef.EntityRef.value = '{invoices[1]}'", "Attachable") == made[1:]
    assert sorted(ids(shop, hanging, "Attachable")) == sorted(made)
    assert ids(shop, hanging.replace("invoice", "bill"), "Attachable") == []


def test_a_company_without_budgets_says_so(shop: Any) -> None:
    assert shop.query("SELECT * FROM Budget") == {}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (r"DisplayName = 'Amy\'s Bird Sanctuary'", ["Amy's Bird Sanctuary"]),
        ("displayname = 'AMY''S bird sanctuary'", ["Amy's Bird Sanctuary"]),
        (r"DisplayName = 'O\'Neil \\ Co'", ["O'Neil \\ Co"]),
        ("DisplayName = 'Zoë & Söhne'", ["Zoë & Söhne"]),
        ("DisplayName = 'plus + more'", ["plus + more"]),
        ("DisplayName LIKE '%Cotton'", ["100% Cotton"]),
        ("DisplayName like 'cool%'", ["Cool Cars"]),
        ("DisplayName LIKE '%windsurf%' AND Active = true", ["Bill's Windsurf Shop"]),
        ("DisplayName IN ('Cool Cars', 'cool cars', 'Nobody')", ["Cool Cars"]),
        ("Id IN ('10', '9', '2') ORDERBY Id", ["Bill's Windsurf Shop", "55 Twin Lane", "Geeta Kalapatapu"]),
        ("Id = '2' AND Taxable = true", []),
        ("PrimaryEmailAddr = 'NUMBER2@people.example'", ["Bill's Windsurf Shop"]),
        ("ParentRef = '7' ORDER BY DisplayName DESC", ["55 Twin Lane", "0969 Ocean View Road"]),
    ],
)
def test_conditions_find_what_they_say(shop: Any, condition: str, expected: list[str]) -> None:
    assert names(shop, f"select * from Customer where {condition}") == expected


def test_pages_cover_everything_once(shop: Any) -> None:
    seen: list[str] = []
    start = 1
    while page := ids(shop, f"SELECT * FROM Invoice ORDERBY Id STARTPOSITION {start} MAXRESULTS 5"):
        seen += page
        start += 5
    assert len(seen) == shop.query("SELECT COUNT(*) FROM Invoice")["totalCount"]
    assert seen == sorted(set(seen), key=int)


def test_a_page_says_where_it_starts_and_how_much_it_holds(shop: Any) -> None:
    answer = shop.query("select * from Customer maxresults 2 startposition 3")
    assert (answer["startPosition"], answer["maxResults"]) == (3, 2)
    assert shop.query("select * from Customer startposition 900") == {}
    assert len(shop.query("select * from Customer where Active in (true, false)")["Customer"]) == 45


def test_amounts_and_dates_are_compared_as_such(shop: Any) -> None:
    assert len(ids(shop, "select * from Invoice where TotalAmt > '109.00' and DocNumber like 'Q-%'")) == 2
    assert len(ids(shop, "select * from Invoice where TotalAmt >= 109 and DocNumber like 'Q-%'")) == 3
    assert len(ids(shop, "select * from Invoice where TxnDate < '2015-10-01'")) == 2


def test_many_numbers_are_looked_up_in_one_query(shop: Any) -> None:
    listed = ", ".join(f"'q-{number:02d}'" for number in range(30))
    assert len(ids(shop, f"select Id, DocNumber from Invoice where DocNumber in ({listed}) maxresults 1000")) == 12


def test_a_projection_holds_only_what_was_asked_for(shop: Any) -> None:
    answer = shop.query("select Id, DisplayName from Customer where Id = '2'")["Customer"][0]
    assert answer == {"Id": "2", "DisplayName": "Bill's Windsurf Shop", "domain": "QBO", "sparse": True}


def test_a_time_filter_finds_recent_changes_only(shop: Any) -> None:
    changed = shop.make("Customer", {"DisplayName": "Just Now"})
    stamp = changed["MetaData"]["LastUpdatedTime"]
    assert changed["Id"] in ids(shop, f"select * from Customer where MetaData.LastUpdatedTime >= '{stamp}'", "Customer")
    assert ids(shop, "select * from Term where MetaData.LastUpdatedTime >= '2099-01-01T00:00:00Z'", "Term") == []


def test_a_statement_may_be_posted(shop: Any) -> None:
    url = f"{shop.base}/v3/company/{shop.realm}/query"
    headers = {**shop.headers, "Content-Type": "application/text"}
    answer = shop.http.post(url, content="select count(*) from Term", headers=headers)
    assert answer.json()["QueryResponse"] == {"totalCount": 4}


def test_inactive_objects_are_left_out_unless_asked_for(shop: Any) -> None:
    made = shop.make("Customer", {"DisplayName": "Soon Gone"})
    shop.make("Customer", {"Id": made["Id"], "SyncToken": "0", "sparse": True, "Active": False})
    assert names(shop, f"select * from Customer where Id = '{made['Id']}'") == []
    assert names(shop, f"select * from Customer where Id = '{made['Id']}' and Active in (true, false)") == [
        "Soon Gone (deleted)"
    ]
    assert names(shop, f"select * from Customer where Id = '{made['Id']}' and Active = false") != []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "4000"),
        ("selct * from Item", "4000"),
        ("select * Item", "4000"),
        ("select * from Item where", "4000"),
        ("select * from Item where Name 'x'", "4000"),
        ("select * from Item where Name = Pump", "4000"),
        ("select * from Item where Name = 'x' or Name = 'y'", "4000"),
        ("select * from Item where Name = 'unfinished", "4000"),
        ("select * from Item orderby", "4000"),
        ("select * from Item maxresults many", "4000"),
        ("select * from Item group by Name", "4000"),
        ("select * from Item, Customer", "4000"),
        ("select * from Itme", "4001"),
        ("select * from Item where Colour = 'x'", "4001"),
        ("select Colour from Item", "4001"),
        ("select * from Item orderby Colour", "4001"),
        ("select * from Item startposition 0", "4001"),
        ("select * from Item maxresults 1001", "4001"),
        ("select * from Item where UnitPrice > 'cheap'", "4001"),
        ("select * from Item where MetaData.LastUpdatedTime > 'yesterday'", "4001"),
    ],
)
def test_a_mistake_has_its_code(shop: Any, text: str, code: str) -> None:
    answer = shop.get("query", query=text)
    assert answer.status_code == 400
    assert answer.json()["Fault"]["Error"][0]["code"] == code
