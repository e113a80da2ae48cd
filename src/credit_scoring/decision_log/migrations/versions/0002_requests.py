"""An index on the ids of requests."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the index, of records that belong to a request."""
    told = {f"{kind}_where": sa.text("request_id IS NOT NULL") for kind in ("sqlite", "postgresql")}
    op.create_index("records_by_request", "records", ["request_id", "sequence"], **told)


def downgrade() -> None:
    """Remove the index."""
    op.drop_index("records_by_request", "records")
