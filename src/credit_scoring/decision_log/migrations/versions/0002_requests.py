"""An index on the ids of requests."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the index, of records that belong to a request."""
    told = sa.text("request_id IS NOT NULL")
    op.create_index(
        "records_by_request", "records", ["request_id", "sequence"], sqlite_where=told, postgresql_where=told
    )


def downgrade() -> None:
    """Remove the index."""
    op.drop_index("records_by_request", "records")
