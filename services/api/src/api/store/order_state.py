"""Where an order stands: one SQL expression that lists, overview and runs share, so that they can't disagree.

An order is in the worst column any of its documents is in. Before there are documents, the order's problem, its
mapping outcome, or the mere fact that nothing has come back yet says where it is. A message about its newest revision
that was set aside is a warning whatever else is known: nothing more comes of the order until a person does something.
"""

from api.columns import NEVER_SYNCED, WAITING_PREFIX, Column
from common.messages.base import State
from common.messages.fetching import OrderListed
from common.messages.orders import Order
from common.messages.transactions import SetOutcome, TransactionSet, TransactionsListed

MESSAGE_PARKED = "MESSAGE_PARKED"
SETTINGS_NEEDED = "SETTINGS_NEEDED"

LOOKS_ONCE = """(c.settings @> '{"follow_changes": false}'
    AND coalesce(c.settings -> 'order_statuses', '[]') = '[]')"""
"""Whether the connection's orders are looked at only when they are new: nothing comes of their later revisions."""

_UNMAPPED = f"(s.set_key IS NULL OR (s.source_revision < o.revision AND NOT {LOOKS_ONCE}))"
_SET_KEY = "c.company_id || '/' || o.connection_id || '/order/' || o.external_id"

_OF_ORDERS = f"('{Order.type}', '{OrderListed.type}')"
_OF_SETS = f"('{TransactionSet.type}', '{TransactionsListed.type}')"


def _letters(entity: str, sent: type[State], listed: type[State]) -> str:
    """Per entity: what was set aside and is not on its way again. Joined whole, as letters are few and orders are many.

    What failed and where is in the letters, for operators alone: of that, only the number of attempts is told.
    """
    return f"""
SELECT letter_tenant, entity AS {entity}, max(attempts) AS attempts, max(last_failed_at) AS at,
    bool_or(status = 'unresolved') AS is_open,
    max(revision) FILTER (WHERE type = '{sent.type}') AS sent,
    max(revision) FILTER (WHERE type = '{listed.type}') AS listed
FROM dead_letters WHERE status <> 'replayed' AND type IN ('{sent.type}', '{listed.type}')
GROUP BY letter_tenant, entity
"""


_SET_LISTED_LATER = "ls.listed > coalesce(s.revision, 0)"
_STUCK = f"""(lo.at IS NOT NULL OR (ls.at IS NOT NULL AND ({_SET_LISTED_LATER}
    OR (s.outcome = 'mapped' AND d.current < s.documents) OR (ls.is_open AND d.seen > 0))))"""
"""Whether nothing has come of a letter. A set whose letter was archived may have come by another message."""

_STUCK_REASON = f"""jsonb_build_object(
    'code', '{MESSAGE_PARKED}', 'severity', 'error',
    'text', 'A message about this order was set aside after '
        || CASE greatest(lo.attempts, ls.attempts) WHEN 1 THEN 'one attempt.'
            ELSE greatest(lo.attempts, ls.attempts) || ' attempts.' END,
    'cure', CASE WHEN lo.is_open OR ls.is_open
        THEN 'Resend it once the cause is mended, or let the operator replay it: POST /v1/dead-letters/replays.'
        ELSE 'It was archived. Resend it, or let the operator fill the mirror it was for:'
            || ' POST /v1/tenants/{{tenant_id}}/rebuild.' END)
"""

_SETTINGS_NEEDED_REASON = f"""jsonb_build_object(
    'code', '{SETTINGS_NEEDED}', 'severity', 'warning',
    'text', 'The connection has no settings yet: its orders are kept, and nothing is decided about them.',
    'cure', 'Save them: PUT /v1/connections/' || c.connection_id || '/settings. The orders follow by themselves.')
"""

_ALONE = (
    f"""CASE WHEN hidden AND s.column_alone = '{Column.WARNINGS}' THEN '{Column.DISMISSED}' ELSE s.column_alone END"""
)
_HELD = f"(CASE WHEN s.outcome = '{SetOutcome.HELD}' THEN {_ALONE} END)"
"""Column of an order that is held: documents that were written before stay, and say nothing of it."""

ORDER_STATE = f"""
SELECT o.*, c.company_id, s.set_key, s.source_revision AS mapped_revision, s.outcome, s.column_alone,
    s.documents AS documents_wanted,
    coalesce(d.warnings, 0) AS documents_warning,
    coalesce(d.in_ledger, 0) AS documents_in_ledger, coalesce(d.notices, 0) AS documents_with_notices,
    d.last_attempt_at, CASE WHEN o.problem IS NULL AND {_STUCK} THEN greatest(lo.at, ls.at) END AS parked_at,
    CASE
        WHEN o.problem_code IS NOT NULL THEN o.said_at
        WHEN {_STUCK} THEN greatest(lo.at, ls.at)
        WHEN d.warned_at < s.changed_at THEN NULL
        ELSE least(o.said_at, s.said_at, d.warned_at)
    END AS answered_at,
    CASE
        WHEN o.problem_code LIKE '{WAITING_PREFIX}%' THEN '{Column.WAITING}'
        WHEN o.problem_code IN {NEVER_SYNCED} THEN '{Column.OUT_OF_SCOPE}'
        WHEN o.problem_code IS NOT NULL THEN
            CASE WHEN hidden THEN '{Column.DISMISSED}' ELSE '{Column.WARNINGS}' END
        WHEN c.settings IS NULL THEN '{Column.NOT_TRIED}'
        WHEN {_STUCK} THEN CASE WHEN hidden THEN '{Column.DISMISSED}' ELSE '{Column.WARNINGS}' END
        WHEN {_UNMAPPED} THEN '{Column.IN_PROGRESS}'
        WHEN s.outcome = 'filtered' THEN '{Column.OUT_OF_SCOPE}'
        WHEN coalesce(d.seen, 0) = 0 THEN {_ALONE}
        WHEN d.warnings > 0 OR {_HELD} = '{Column.WARNINGS}' THEN '{Column.WARNINGS}'
        WHEN d.waiting > 0 OR {_HELD} = '{Column.WAITING}' THEN '{Column.WAITING}'
        WHEN d.in_progress > 0 OR d.current < s.documents THEN '{Column.IN_PROGRESS}'
        WHEN d.not_tried > 0 THEN '{Column.NOT_TRIED}'
        WHEN d.dismissed > 0 OR {_HELD} = '{Column.DISMISSED}' THEN '{Column.DISMISSED}'
        WHEN d.in_ledger > 0 THEN '{Column.IN_LEDGER}'
        ELSE '{Column.OUT_OF_SCOPE}'
    END AS column_name,
    coalesce(
        o.problem,
        CASE WHEN c.settings IS NULL THEN {_SETTINGS_NEEDED_REASON} WHEN {_STUCK} THEN {_STUCK_REASON} END,
        CASE WHEN {_HELD} IS NOT NULL AND d.warnings = 0 THEN s.reason END, d.reason, s.reason) AS reason
FROM orders o
JOIN connections c ON c.connection_id = o.connection_id AND c.tenant_id = o.tenant_id
LEFT JOIN sets s ON s.set_key = {_SET_KEY}
LEFT JOIN ({_letters("order_key", Order, OrderListed)}) AS lo
    ON lo.letter_tenant = o.tenant_id AND lo.order_key = o.order_key
    AND (lo.listed > o.revision OR (lo.sent >= o.revision AND {_UNMAPPED}))
LEFT JOIN ({_letters("set_key", TransactionSet, TransactionsListed)}) AS ls
    ON ls.letter_tenant = o.tenant_id AND ls.set_key = {_SET_KEY}
    AND ({_SET_LISTED_LATER} OR (ls.sent >= s.revision AND NOT {_UNMAPPED}))
LEFT JOIN LATERAL (
    SELECT true FROM dismissals x
    WHERE x.subject = o.order_key AND x.is_order AND x.dismissed AND x.order_revision = o.revision
) AS dismissal (hidden) ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS seen,
        count(*) FILTER (WHERE x.source_revision >= s.source_revision) AS current,
        count(*) FILTER (WHERE x.column_name = '{Column.WARNINGS}') AS warnings,
        count(*) FILTER (WHERE x.column_name = '{Column.WAITING}') AS waiting,
        count(*) FILTER (WHERE x.column_name = '{Column.IN_PROGRESS}') AS in_progress,
        count(*) FILTER (WHERE x.column_name = '{Column.NOT_TRIED}') AS not_tried,
        count(*) FILTER (WHERE x.column_name = '{Column.DISMISSED}') AS dismissed,
        count(*) FILTER (WHERE x.column_name = '{Column.IN_LEDGER}') AS in_ledger,
        count(*) FILTER (WHERE x.column_name = '{Column.IN_LEDGER}' AND x.has_notices) AS notices,
        max(x.last_attempt_at) AS last_attempt_at,
        min(x.said_at) FILTER (WHERE x.column_name = '{Column.WARNINGS}') AS warned_at,
        (array_agg(x.reason ORDER BY x.column_name <> '{Column.WARNINGS}', x.blocked_by IS NOT NULL, x.document_key)
            FILTER (WHERE x.reason IS NOT NULL))[1] AS reason
    FROM documents x
    WHERE x.connection_id = o.connection_id AND x.source_kind = 'order' AND x.source_id = o.external_id
      AND x.company_id = c.company_id
) AS d ON true
"""

_WITH_LETTERS = f"""
SELECT CASE WHEN type IN {_OF_ORDERS} THEN entity ELSE regexp_replace(entity, '^[^/]*/([^/]*)/order/', '\\1/') END
FROM dead_letters WHERE status <> 'replayed' AND (type IN {_OF_ORDERS} OR type IN {_OF_SETS})
"""

# The last condition says nothing new, and lets the database leave the documents of all other orders alone.
WARNS_ITSELF = f"""(column_name = '{Column.WARNINGS}' AND (documents_warning = 0 OR parked_at IS NOT NULL)
    AND (problem_code IS NOT NULL OR column_alone = '{Column.WARNINGS}' OR order_key IN ({_WITH_LETTERS})))"""
"""Of a row of `ORDER_STATE`: the order is a warning, and none of its documents says why."""

ALONE_A_WARNING = f"""(column_name IN ('{Column.WARNINGS}', '{Column.DISMISSED}')
    AND (parked_at IS NOT NULL OR problem_code IS NOT NULL OR column_alone = '{Column.WARNINGS}'))"""
"""Of a row of `ORDER_STATE`: it is a warning, hidden or not, and would be one without its documents too."""
