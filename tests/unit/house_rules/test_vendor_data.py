"""The vendors' data is looked for in one place, whatever the folder the tests are started in."""

from pathlib import Path

from tests import vendor_data

TESTS = Path(vendor_data.__file__).parent


def test_one_file_knows_where_the_vendors_data_lies() -> None:
    name = "TILLBOOK_" + "VENDOR_DATA"
    assert [path for path in TESTS.rglob("*.py") if name in path.read_text()] == [TESTS / "vendor_data.py"]
