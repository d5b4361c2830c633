"""Prompts that people save: rows that never change, named by the hash of what they say.

saved = save_prompt("short", prompt)
saved.label                          # "short@1"; the next save under this name is short@2
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Row, insert, select

from pricer.database import engine, prompts
from pricer.errors import PricerError
from pricer.llm.prompts import PROMPTS, Prompt

LONGEST_NAME = 80


@dataclass(frozen=True)
class SavedPrompt:
    """One version of a name."""

    name: str
    version: int
    prompt: Prompt
    created_at: datetime

    @property
    def label(self) -> str:
        return f"{self.name}@{self.version}"


def save_prompt(name: str, prompt: Prompt) -> SavedPrompt:
    """Save a prompt as the next version of its name.

    The same prompt under the same name is not saved again, so a second click changes nothing. PricerError if the name
    cannot be one, or the prompt stands under another name already.
    """
    name = _checked_name(name)
    preset = next((known for known, each in PROMPTS.items() if each == prompt), None)
    if preset:
        raise PricerError(f"this is the preset {preset!r} to the letter: change something, or use that")
    with engine().begin() as connection:  # no other writer is beside it
        same = connection.execute(select(prompts).where(prompts.c.id == prompt.id)).first()
        if same:
            if same.name != name:
                raise PricerError(f"this prompt is saved already, as {same.name}@{same.version}")
            return _read(same)
        versions = select(prompts.c.version).where(prompts.c.name == name).order_by(prompts.c.version.desc())
        saved = SavedPrompt(name, (connection.execute(versions).scalar() or 0) + 1, prompt, datetime.now(UTC))
        connection.execute(
            insert(prompts).values(
                id=prompt.id,
                name=name,
                version=saved.version,
                body=prompt.canonical().decode(),
                created_at=saved.created_at,
            )
        )
    return saved


def list_prompts(name: str | None = None) -> list[SavedPrompt]:
    """The newest version of every name, or all versions of one; the last saved first."""
    query = select(prompts).order_by(prompts.c.created_at.desc(), prompts.c.version.desc())
    with engine().begin() as connection:
        rows = connection.execute(query if name is None else query.where(prompts.c.name == name)).all()
    newest: dict[str, Row] = {}
    for row in rows:
        if row.name not in newest or row.version > newest[row.name].version:
            newest[row.name] = row
    return [_read(row) for row in rows if name is not None or newest[row.name] is row]


def open_prompt(label: str) -> SavedPrompt:
    """Find a saved prompt by NAME (its newest version), NAME@2 or its id; PricerError if there is none."""
    name, at, version = label.strip().partition("@")
    named = (prompts.c.name == name) | (prompts.c.id == name)
    if at:
        named &= prompts.c.version == (int(version) if re.fullmatch("[0-9]{1,9}", version) else 0)
    row = None
    if label.isprintable():  # or a database would not take it
        with engine().begin() as connection:
            row = connection.execute(select(prompts).where(named).order_by(prompts.c.version.desc())).first()
    if row is None:
        known = [*PROMPTS, *(saved.label for saved in list_prompts())]
        raise PricerError(f"there is no prompt {label!r}; there are {', '.join(known)}")
    return _read(row)


def _read(row: Row) -> SavedPrompt:
    return SavedPrompt(row.name, row.version, Prompt.model_validate_json(row.body), row.created_at)


def _checked_name(name: str) -> str:
    stripped = name.strip()
    if not 1 <= len(stripped) <= LONGEST_NAME or "@" in stripped or not stripped.isprintable():
        raise PricerError(f"a prompt's name must have 1 to {LONGEST_NAME} characters and no @, got {name!r}")
    if stripped in PROMPTS:
        raise PricerError(f"{stripped!r} is a preset: choose another name")
    return stripped
