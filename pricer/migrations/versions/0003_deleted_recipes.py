"""When a version of a recipe was deleted, so that it can be brought back."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("recipes", sa.Column("deleted_at", sa.DateTime(timezone=True)))
