"""Alembic's way in: `database.engine` hands over a connection whose one transaction holds the whole upgrade."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
