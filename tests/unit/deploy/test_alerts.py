"""The alerts as Prometheus reads them: they fire for what they are there for, and are silent otherwise."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.deploy.rendering import named, site

UP = [
    {"series": f'up{{namespace="tillbook", service="{service}"}}', "values": "1x120"}
    for service in ("ingest", "mapper", "ledger-writer", "api")
]
MINE = 'namespace="tillbook", service="mapper"'
CASES: dict[str, tuple[str, str, dict[str, str]]] = {
    "TillbookOutboxOld": (f"tillbook_outbox_oldest_seconds{{{MINE}}}", "0+60x120", {"service": "mapper"}),
    "TillbookConsumerPaused": (
        f'tillbook_consumer_paused{{{MINE}, queue="mapper.order-normalized"}}',
        "1x120",
        {"service": "mapper", "queue": "mapper.order-normalized"},
    ),
    "TillbookStatesParked": (
        f'tillbook_states_handled_total{{{MINE}, queue="mapper.order-normalized", outcome="parked"}}',
        "0+1x120",
        {"service": "mapper", "queue": "mapper.order-normalized"},
    ),
    "TillbookFault": (
        f'tillbook_faults_total{{{MINE}, event="source_set_aside"}}',
        "0+1x120",
        {"service": "mapper", "event": "source_set_aside"},
    ),
    "TillbookDeadLettersNotCollected": (
        'rabbitmq_detailed_queue_messages{vhost="tillbook", queue="mapper.dead"}',
        "3x120",
        {"queue": "mapper.dead"},
    ),
    "TillbookPrivacyRequestForNobody": (
        'tillbook_ingest_privacy_requests_for_nobody_total{namespace="tillbook", kind="data_request"}',
        "0x30 1x90",
        {"kind": "data_request"},
    ),
    "TillbookMirrorDiffers": (
        'tillbook_mirror_difference{namespace="tillbook", mirror="mapper", entity="order.normalized.v1"}',
        "2x120",
        {"mirror": "mapper", "entity": "order.normalized.v1"},
    ),
    "TillbookLaneStuck": (
        'tillbook_lane_stuck_total{namespace="tillbook", service="ledger-writer"}',
        "0+1x120",
        {"service": "ledger-writer", "namespace": "tillbook"},
    ),
    "TillbookNoticesWaiting": (
        'tillbook_reconnect_notices_waiting{namespace="tillbook", service="ledger-writer"}',
        "2x120",
        {},
    ),
}
"""Alert → (a series, its values by the minute, the labels it fires with)."""


@pytest.fixture
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed")
    return found


def run(promtool: str, folder: Path, tests: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
    """Run rule tests in a folder of their own."""
    rules = named(site("production"), "PrometheusRule", "tillbook")["spec"]
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules))
    (folder / "tests.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "tests": tests}))
    command = [promtool, "test", "rules", str(folder / "tests.yaml")]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def firing(alert: str, expected: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"eval_time": "60m", "alertname": alert, "exp_alerts": expected}]


def expected_alert(alert: str, labels: dict[str, str], *, annotated: dict[str, str]) -> dict[str, Any]:
    rule = next(
        r
        for r in named(site("production"), "PrometheusRule", "tillbook")["spec"]["groups"][0]["rules"]
        if r["alert"] == alert
    )
    action = re.sub(r"{{ \$labels\.(\w+) }}", lambda found: labels[found[1]], rule["annotations"]["action"])
    annotations = {**rule["annotations"], "action": action, **annotated}
    return {"exp_labels": {**labels, **rule["labels"]}, "exp_annotations": annotations}


SUMMARIES = {
    "TillbookOutboxOld": "mapper could not publish for 1h 0m 0s",
    "TillbookConsumerPaused": "mapper.order-normalized is not consumed: mapper has lost the database or the broker",
    "TillbookStatesParked": "15 states of mapper.order-normalized went to the dead letters in 15 minutes",
    "TillbookFault": "mapper met a bug 15 times in 15 minutes and went on without what it was about",
    "TillbookDeadLettersNotCollected": "mapper.dead is not emptied: api collects no dead letters",
    "TillbookMirrorDiffers": "mapper is not what the owner of order.normalized.v1 has, 2 times",
    "TillbookPrivacyRequestForNobody": (
        "Privacy requests (data_request) came of shops that nobody has connected: 1 in a day"
    ),
    "TillbookLaneStuck": "A company file can't be got at",
    "TillbookNoticesWaiting": "Nobody could be told for half an hour that 2 company files need a sign-in",
}


@pytest.mark.parametrize("alert", CASES)
def test_an_alert_fires_for_what_it_is_there_for(promtool: str, tmp_path: Path, alert: str) -> None:
    series, values, labels = CASES[alert]
    expected = expected_alert(alert, labels, annotated={"summary": SUMMARIES[alert]})
    case = {
        "interval": "1m",
        "input_series": [*UP, {"series": series, "values": values}],
        "alert_rule_test": firing(alert, [expected]),
    }
    done = run(promtool, tmp_path, [case])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", CASES)
def test_an_alert_is_silent_while_all_is_well(promtool: str, tmp_path: Path, alert: str) -> None:
    series, _, _ = CASES[alert]
    case = {
        "interval": "1m",
        "input_series": [*UP, {"series": series, "values": "0x120"}],
        "alert_rule_test": firing(alert, []),
    }
    done = run(promtool, tmp_path, [case])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("down", [True, False], ids=["down", "gone"])
def test_a_service_without_a_replica_is_missed(promtool: str, tmp_path: Path, down: bool) -> None:
    labels = {"namespace": "tillbook", "service": "mapper"}
    expected = expected_alert("TillbookServiceMissing", labels, annotated={"summary": "No replica of mapper answers"})
    left = [one for one in UP if "mapper" not in one["series"]]
    dead = [{"series": 'up{namespace="tillbook", service="mapper"}', "values": "0x120"}] if down else []
    case = {
        "interval": "1m",
        "input_series": [*left, *dead],
        "alert_rule_test": firing("TillbookServiceMissing", [expected]),
    }
    done = run(promtool, tmp_path, [case])
    assert done.returncode == 0, done.stdout + done.stderr
