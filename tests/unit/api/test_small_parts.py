"""Cursors, ids, schedules, masks: small pure parts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api import cursors
from api.ids import new_id, order_id, order_key_of
from api.masking import MASK, mask, mask_headers
from api.schedules import InvalidSchedule, Schedule, next_run
from api.security import key_text, new_secret, split_key

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@settings(deadline=None)
@given(
    st.datetimes(timezones=st.just(UTC)),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=50),
)
def test_a_cursor_gives_back_what_it_was_made_of(moment: datetime, identity: str) -> None:
    cursor = cursors.encode("orders", moment, identity)
    assert cursors.decode("orders", cursor, (datetime, str)) == (moment, identity)


@settings(deadline=None)
@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda raw: raw.hex()))
def test_a_forged_cursor_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(cursors.InvalidCursor):
        cursors.decode("orders", text, (datetime, str))


def test_a_cursor_of_another_list_or_shape_is_refused() -> None:
    cursor = cursors.encode("orders", NOW, "a")
    for name, kinds in (("runs", (datetime, str)), ("orders", (datetime,)), ("orders", (int, str))):
        with pytest.raises(cursors.InvalidCursor):
            cursors.decode(name, cursor, kinds)
    for values in (("2026-11-20T12:00:00", "naive"), ("never", "x"), (True, "x"), (2**63 - 1, "x")):
        with pytest.raises(cursors.InvalidCursor):
            cursors.decode("orders", cursors.encode("orders", *values), (datetime, str))


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=100))
def test_an_order_id_is_one_path_segment_and_leads_back(external_id: str) -> None:
    key = f"con_1/{external_id}"
    identifier = order_id(key)
    assert identifier.replace("-", "").replace("_", "").isalnum()
    assert order_key_of(identifier) == key


@pytest.mark.parametrize("text", ["", "é", "====", "AA", "_-_", "a" * 5])
def test_what_is_no_order_id_leads_nowhere(text: str) -> None:
    assert order_key_of(text) is None


def test_a_seed_gives_the_same_id_and_none_gives_a_new_one() -> None:
    assert new_id("run", "a") == new_id("run", "a") != new_id("run", "b")
    assert new_id("run", "a") != new_id("con", "a").replace("con", "run")
    assert new_id("run") != new_id("run")


def test_a_key_splits_into_id_and_secret_and_nothing_else_does() -> None:
    secret = new_secret()
    assert split_key(key_text("key_12ab", secret)) == ("key_12ab", secret)
    for text in ("", "tb", "tb__", "tb_1_", "xx_1_2", "tb_1_2_3", "tb_1 _2", "tb_1_" + "a" * 300):
        assert split_key(text) is None


def test_an_interval_counts_from_now_so_that_late_runs_are_not_made_up_for() -> None:
    assert next_run(Schedule(interval_s=3600), NOW) == NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("45 5 * * *", datetime(2026, 11, 21, 5, 45, tzinfo=UTC)),
        ("0 12 * * *", datetime(2026, 11, 21, 12, 0, tzinfo=UTC)),
        ("*/15 * * * *", datetime(2026, 11, 20, 12, 15, tzinfo=UTC)),
        ("0 0 29 2 *", datetime(2028, 2, 29, 0, 0, tzinfo=UTC)),
    ],
)
def test_cron_gives_the_next_moment_after_now(cron: str, expected: datetime) -> None:
    assert next_run(Schedule(cron=cron), NOW) == expected


@pytest.mark.parametrize("cron", ["", "61 * * * *", "* * *", "0 0 30 2 *", "x"])
def test_a_cron_that_never_comes_true_is_refused(cron: str) -> None:
    with pytest.raises(InvalidSchedule):
        next_run(Schedule(cron=cron), NOW)


@pytest.mark.parametrize(
    ("interval_s", "cron"), [(None, None), (60, "* * * * *"), (59, None), (31 * 24 * 3600 + 1, None)]
)
def test_a_schedule_is_one_of_two_and_within_bounds(interval_s: int | None, cron: str | None) -> None:
    with pytest.raises(InvalidSchedule):
        Schedule(interval_s, cron)


def test_masking_keeps_shape_ids_and_amounts_and_hides_people() -> None:
    body = {
        "states": [
            {
                "c": "run_1",
                "s": {
                    "connection_id": "con_1",
                    "total": "19.90",
                    "customer": {"first_name": "Jane", "emails": ["jane@example.com"]},
                    "billing_address": {"line1": "1 Road", "company": "Jane Ltd", "postal_code": 12345},
                    "note": "call Jane",
                    "lines": [{"name": "Gift for Jane", "quantity": "1", "taxable": True}],
                    "unknown_field": "Jane",
                },
            }
        ]
    }
    shown = mask(body)
    assert "Jane" not in str(shown)
    assert "jane@example.com" not in str(shown)
    assert "12345" not in str(shown)
    state = shown["states"][0]["s"]
    assert (state["connection_id"], state["total"]) == ("con_1", "19.90")
    assert state["lines"] == [{"name": MASK, "quantity": "1", "taxable": True}]


def test_headers_show_only_what_we_wrote() -> None:
    assert mask_headers({"x-tillbook-queue": "q", "authorization": "Bearer x"}) == {
        "x-tillbook-queue": "q",
        "authorization": MASK,
    }
