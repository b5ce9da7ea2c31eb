"""Where an order stands: one SQL expression that lists, overview and runs share, so that they can't disagree.

An order is in the worst column any of its documents is in. Before there are documents, the order's problem, its
mapping outcome, or the mere fact that nothing has come back yet says where it is.
"""

from api.columns import NEVER_SYNCED, WAITING_PREFIX, Column

LOOKS_ONCE = """(c.settings @> '{"follow_changes": false}'
    AND coalesce(c.settings -> 'order_statuses', '[]') = '[]')"""
"""Whether the connection's orders are looked at only when they are new: nothing comes of their later revisions."""

ORDER_STATE = f"""
SELECT o.*, c.company_id, s.set_key, s.source_revision AS mapped_revision, s.outcome, s.column_alone,
    s.documents AS documents_wanted,
    coalesce(d.seen, 0) AS documents_seen,
    coalesce(d.in_ledger, 0) AS documents_in_ledger, coalesce(d.notices, 0) AS documents_with_notices,
    d.last_attempt_at,
    CASE
        WHEN o.problem_code LIKE '{WAITING_PREFIX}%' THEN '{Column.WAITING}'
        WHEN o.problem_code IN {NEVER_SYNCED} THEN '{Column.OUT_OF_SCOPE}'
        WHEN o.problem_code IS NOT NULL THEN
            CASE WHEN hidden THEN '{Column.DISMISSED}' ELSE '{Column.WARNINGS}' END
        WHEN c.settings IS NULL THEN '{Column.NOT_TRIED}'
        WHEN s.set_key IS NULL OR (s.source_revision < o.revision AND NOT {LOOKS_ONCE}) THEN '{Column.IN_PROGRESS}'
        WHEN s.outcome = 'filtered' THEN '{Column.OUT_OF_SCOPE}'
        WHEN coalesce(d.seen, 0) = 0 THEN
            CASE WHEN hidden AND s.column_alone = '{Column.WARNINGS}' THEN '{Column.DISMISSED}' ELSE s.column_alone END
        WHEN d.warnings > 0 THEN '{Column.WARNINGS}'
        WHEN d.waiting > 0 THEN '{Column.WAITING}'
        WHEN d.in_progress > 0 OR d.current < s.documents THEN '{Column.IN_PROGRESS}'
        WHEN d.not_tried > 0 THEN '{Column.NOT_TRIED}'
        WHEN d.dismissed > 0 THEN '{Column.DISMISSED}'
        WHEN d.in_ledger > 0 THEN '{Column.IN_LEDGER}'
        ELSE '{Column.OUT_OF_SCOPE}'
    END AS column_name,
    coalesce(o.problem, d.reason, s.reason) AS reason
FROM orders o
JOIN connections c ON c.connection_id = o.connection_id AND c.tenant_id = o.tenant_id
LEFT JOIN sets s ON s.set_key = c.company_id || '/' || o.connection_id || '/order/' || o.external_id
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
        (array_agg(x.reason ORDER BY x.column_name <> '{Column.WARNINGS}', x.blocked_by IS NOT NULL, x.document_key)
            FILTER (WHERE x.reason IS NOT NULL))[1] AS reason
    FROM documents x
    WHERE x.connection_id = o.connection_id AND x.source_kind = 'order' AND x.source_id = o.external_id
      AND x.company_id = c.company_id
) AS d ON true
"""
