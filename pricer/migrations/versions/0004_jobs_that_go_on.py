"""Jobs that are tried again, go on from a checkpoint, or were deleted so that they can be brought back."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("deleted_at", sa.DateTime(timezone=True)))
    op.add_column("jobs", sa.Column("continues", sa.String(24)))
    op.add_column("jobs", sa.Column("crash", sa.String(16)))
    op.add_column("jobs", sa.Column("why", sa.Text))
