"""What `tillbook status` says in plain words."""

from cli.commands.status import where_to_start


def test_where_to_start_names_the_row_and_what_may_go_away_with_it() -> None:
    assert where_to_start("sales_receipts", 0) == "Start with the warnings in the row 'sales receipts'."
    assert where_to_start("customers", 1) == (
        "Start with the warnings in the row 'customers'; the 1 warning in the rows under it may go away with them."
    )
    assert "the 7 warnings in the rows under it" in where_to_start("customers", 7)
