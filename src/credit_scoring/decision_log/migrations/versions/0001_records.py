"""Chained records, personal data beside them, and triggers that let nobody change either."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SQLITE = (
    "CREATE TRIGGER records_{name} BEFORE {name} ON records "
    "BEGIN SELECT RAISE(ABORT, 'records are appended, never changed'); END",
    "CREATE TRIGGER personal_update BEFORE UPDATE ON personal "
    "BEGIN SELECT RAISE(ABORT, 'personal data are written or erased, never changed'); END",
    "CREATE TRIGGER personal_delete BEFORE DELETE ON personal "
    "WHEN NOT EXISTS (SELECT 1 FROM records WHERE kind = 'erased' AND decision_id = OLD.decision_id) "
    "BEGIN SELECT RAISE(ABORT, 'personal data are erased with a record of it'); END",
)
_POSTGRESQL = """
CREATE FUNCTION decision_log_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is appended to, never changed', TG_TABLE_NAME;
END $$;
CREATE FUNCTION decision_log_erase() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM records WHERE kind = 'erased' AND decision_id = OLD.decision_id) THEN
    RAISE EXCEPTION 'personal data are erased with a record of it';
  END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER records_change BEFORE UPDATE OR DELETE OR TRUNCATE ON records
  FOR EACH STATEMENT EXECUTE FUNCTION decision_log_refuse();
CREATE TRIGGER personal_change BEFORE UPDATE OR TRUNCATE ON personal
  FOR EACH STATEMENT EXECUTE FUNCTION decision_log_refuse();
CREATE TRIGGER personal_delete BEFORE DELETE ON personal FOR EACH ROW EXECUTE FUNCTION decision_log_erase();
"""


def upgrade() -> None:
    """Make the tables; written out, so that later changes of `tables` leave this step as it was."""
    op.create_table(
        "records",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.String(32), nullable=False, unique=True),
        sa.Column("time", sa.String(27), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("decision_id", sa.String(32), nullable=False),
        sa.Column("actor", sa.String(128)),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("channel", sa.String(32)),
        sa.Column("request_id", sa.String(128)),
        sa.Column("language", sa.String(8)),
        sa.Column("model_digest", sa.String(64)),
        sa.Column("model_id", sa.String(64)),
        sa.Column("run_id", sa.String(64)),
        sa.Column("code_version", sa.String(64)),
        sa.Column("probability", sa.Double),
        sa.Column("cut_off", sa.Double),
        sa.Column("review_low", sa.Double),
        sa.Column("review_high", sa.Double),
        sa.Column("decision", sa.String(16)),
        sa.Column("gaps", sa.Text),
        sa.Column("milliseconds", sa.Double),
        sa.Column("facts", sa.Text),
        sa.Column("content_digest", sa.String(64)),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    op.create_index("records_by_decision", "records", ["decision_id", "sequence"])
    op.create_index("records_by_kind", "records", ["kind", "decision", "sequence"])
    op.create_index("records_by_time", "records", ["time"])
    op.create_table(
        "personal",
        sa.Column("record_id", sa.String(32), primary_key=True),
        sa.Column("decision_id", sa.String(32), nullable=False),
        sa.Column("applicant", sa.String(64)),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_personal_decision_id", "personal", ["decision_id"])
    op.create_index("ix_personal_applicant", "personal", ["applicant"])
    if op.get_bind().dialect.name == "sqlite":
        refusals, *rest = _SQLITE
        for statement in (*(refusals.format(name=name) for name in ("UPDATE", "DELETE")), *rest):
            op.execute(statement)
    else:
        op.execute(_POSTGRESQL)


def downgrade() -> None:
    """Refuse: what was recorded is not thrown away by a change of version."""
    raise NotImplementedError("The decision log has no version before this one.")
