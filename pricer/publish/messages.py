"""Files for hosted fine-tuning: JSON lines with messages, chosen, written and checked without asking anybody.

A host truncates an example that is too long and trains on it all the same, so it is refused here. Tokens are counted by
Llama 3's tokenizer, which differs from a host's own by some percent.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import orjson
import polars as pl

from pricer.catalogue.roles import BANDS
from pricer.catalogue.tokens import llama3
from pricer.curation.dataset import Dataset
from pricer.draws import ROLE_STREAM, draw
from pricer.errors import PricerError
from pricer.files import write_whole
from pricer.llm.prompts import CHATS

LEAST_ROWS = 10
MOST_BYTES = 512 * 1024 * 1024
PARTS = ("train", "validation")
_ROLES = ("system", "user", "assistant")
_KEYS = {"role", "content", "name", "weight"}
_TOKENS_A_MESSAGE, _TOKENS_A_ROW = 4, 3  # what the form of a chat adds
_MOST_PROBLEMS = 100

Choice = Literal["first", "balanced"]


@dataclass(frozen=True)
class Limits:
    """What a model takes, and what it costs."""

    most_tokens: int = 65_536  # in one example
    dollars_per_million: float = 3.0
    epochs: int = 1


@dataclass(frozen=True)
class Problem:
    """What is wrong, and in which line, from 1; line 0 is the file as a whole."""

    line: int
    reason: str


@dataclass
class FileCheck:
    """What a file holds, and every problem with it; the first hundred are kept."""

    name: str
    bytes: int
    rows: int = 0
    tokens: int = 0
    longest_tokens: int = 0
    bad_lines: int = 0
    cost_dollars: float | None = None  # of training; None for a file that cannot be sent
    problems: list[Problem] = field(default_factory=list)

    @property
    def can_be_sent(self) -> bool:
        return not self.problems

    def complain(self, line: int, reason: str) -> None:
        self.bad_lines += line > 0
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem(line, reason))


# Choosing and writing


def choose_items(items: pl.DataFrame, count: int, choice: Choice) -> pl.DataFrame:
    """The first `count` items in a random order that is theirs for ever, or as many from every price band in turn.

    The order is that of the draw for roles, which no recipe has looked at; so the first n are a fair sample of a train.
    """
    order = np.lexsort((items["key"].to_numpy(), draw(items["key"].to_numpy(), ROLE_STREAM, seed=0)))
    if choice == "balanced":
        band = np.searchsorted(BANDS, items["price"].to_numpy()[order], side="right")
        rank = np.empty(len(order), dtype=np.int64)
        for number in np.unique(band):
            rank[band == number] = np.arange((band == number).sum())
        order = order[np.lexsort((band, rank))]
    return items[order[:count]]


def rows_of(items: pl.DataFrame, prompt: str) -> list[dict]:
    """The examples of some items, with the price as the assistant's answer."""
    chat = CHATS[prompt]
    return [{"messages": chat.example(text, price)} for text, price in items.select("text", "price").iter_rows()]


def message_files(dataset: Dataset, counts: Mapping[str, int], choice: Choice, prompt: str) -> dict[str, bytes]:
    """The content of both files by name; PricerError where fewer than ten rows are wished, or there are."""
    if prompt not in CHATS:
        raise PricerError(f"prompt must be {' or '.join(CHATS)}, got {prompt!r}")
    files = {}
    for part in PARTS:
        table = getattr(dataset, part)().select("key", "text", "price").collect()
        if min(counts[part], len(table)) < LEAST_ROWS:
            raise PricerError(
                f"hosts want at least {LEAST_ROWS} rows in {part}, got {counts[part]:,} of the {len(table):,} that "
                f"{dataset.name} has"
            )
        rows = rows_of(choose_items(table, counts[part], choice), prompt)
        files[f"{part}.jsonl"] = b"".join(orjson.dumps(row) + b"\n" for row in rows)
    return files


def write_messages(
    dataset: Dataset, folder: Path, counts: Mapping[str, int], choice: Choice = "first", prompt: str = "notebook-1"
) -> list[Path]:
    """Write train.jsonl and validation.jsonl into a folder, each whole."""
    files = message_files(dataset, counts, choice, prompt)
    if folder.exists() and not folder.is_dir():
        raise PricerError(f"{folder} is a file; name a folder")
    for name, content in files.items():
        write_whole(folder / name, content)
    return [folder / name for name in files]


# Checking


def check_file(path: Path, limits: Limits = Limits()) -> FileCheck:
    """Check a file on disk; PricerError where there is none."""
    if not path.is_file():
        raise PricerError(f"{path}: there is no such file")
    if path.stat().st_size > MOST_BYTES:
        check = FileCheck(path.name, path.stat().st_size)
        check.complain(0, f"{check.bytes:,} bytes, and a host takes at most {MOST_BYTES:,}")
        return check
    return check_content(path.name, path.read_bytes(), limits)


def check_together(folder: Path, limits: Limits = Limits()) -> list[FileCheck]:
    """Check both files of a folder, and that validation has nothing of train."""
    contents = {f"{part}.jsonl": (folder / f"{part}.jsonl").read_bytes() for part in PARTS}
    return check_both(contents, limits)


def check_both(contents: Mapping[str, bytes], limits: Limits = Limits()) -> list[FileCheck]:
    """As `check_together`, of the contents by name."""
    checks = [check_content(name, content, limits) for name, content in contents.items()]
    train, validation = (contents[f"{part}.jsonl"].splitlines() for part in PARTS)
    seen = {line: number for number, line in enumerate(train, start=1)}
    for number, line in enumerate(validation, start=1):
        if line in seen:
            checks[1].complain(number, f"it is line {seen[line]:,} of train.jsonl too")
    return checks


def check_content(name: str, content: bytes, limits: Limits = Limits()) -> FileCheck:
    """Check every line: its encoding, form, roles, answers and length; then the file as a whole."""
    check = FileCheck(name, len(content))
    if len(content) > MOST_BYTES:
        check.complain(0, f"{len(content):,} bytes, and a host takes at most {MOST_BYTES:,}")
    number = 0
    for number, line in _lines(content):
        try:
            tokens = _tokens_of(_checked(line))
        except _Wrong as wrong:
            check.complain(number, str(wrong))
            continue
        check.rows += 1
        check.tokens += tokens
        check.longest_tokens = max(check.longest_tokens, tokens)
        if tokens > limits.most_tokens:
            check.complain(number, f"{tokens:,} tokens, and the model takes at most {limits.most_tokens:,}")
    if number < LEAST_ROWS:
        check.complain(0, f"{number:,} rows, and a host wants at least {LEAST_ROWS}")
    if check.can_be_sent:
        check.cost_dollars = check.tokens * limits.epochs * limits.dollars_per_million / 1e6
    return check


class _Wrong(Exception):
    """This line is no example."""


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    lines = content.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()  # after the last line's end
    yield from enumerate(lines, start=1)


def _checked(line: bytes) -> list[dict]:
    """The messages of a line; _Wrong with the reason if it is no example."""
    row = _read(line)
    if not isinstance(row, dict):
        raise _Wrong(f"a line is an object with messages, got {_kind(row)}")
    if "messages" not in row:
        raise _Wrong(f"there is no messages; it has {', '.join(map(repr, list(row)[:5])) or 'nothing'}")
    if len(row) > 1:
        raise _Wrong(f"beside messages there is {next(key for key in row if key != 'messages')!r}")
    messages = row["messages"]
    if not isinstance(messages, list) or not messages:
        raise _Wrong(f"messages is a list with at least a question and an answer, got {_kind(messages)}")
    for place, message in enumerate(messages, start=1):
        _check_message(message, place)
    roles = [message["role"] for message in messages]
    if "system" in roles[1:]:
        raise _Wrong("a system message stands first, and once")
    if "user" not in roles:
        raise _Wrong("there is no user message")
    if roles[-1] != "assistant":
        raise _Wrong(f"the last message is the assistant's answer, got one of {roles[-1]}")
    if all(message.get("weight", 1) == 0 for message in messages if message["role"] == "assistant"):
        raise _Wrong("every answer has weight 0, so nothing would be learned")
    return messages


def _read(line: bytes) -> object:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _Wrong(f"byte {error.start + 1:,} is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise _Wrong("it begins with a byte order mark; save the file as plain UTF-8")
    if not text.strip():
        raise _Wrong("the line is empty")
    try:
        row = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise _Wrong(f"not JSON: {error.msg.lower().removesuffix(' at')} at character {error.pos + 1:,}") from None
    except RecursionError:
        raise _Wrong("not JSON that can be read: nested too deeply") from None
    except ValueError as error:
        raise _Wrong(f"not JSON that can be read: {str(error)[:80]}") from None
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise _Wrong("half of a surrogate pair (\\ud800 to \\udfff) is no character") from None
    return row


def _unique(pairs: list[tuple[str, object]]) -> dict:
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Wrong(f"{next(name for name in names if names.count(name) > 1)!r} stands twice in one object")
    return row


def _no_number(word: str) -> None:
    raise _Wrong(f"{word} is not JSON")


def _check_message(message: object, place: int) -> None:
    if not isinstance(message, dict):
        raise _Wrong(f"message {place} is an object with role and content, got {_kind(message)}")
    for key in ("role", "content"):
        if key not in message:
            raise _Wrong(f"message {place} has no {key}")
    if unknown := set(message) - _KEYS:
        raise _Wrong(f"message {place} has {sorted(unknown)[0]!r}, which no host knows")
    if message["role"] not in _ROLES:
        raise _Wrong(f"the role of message {place} is {' or '.join(_ROLES)}, got {message['role']!r}")
    if not isinstance(message["content"], str):
        raise _Wrong(f"the content of message {place} is text, got {_kind(message['content'])}")
    if not message["content"].strip():
        raise _Wrong(f"message {place}, of {message['role']}, is empty")
    if "weight" in message:
        if message["role"] != "assistant":
            raise _Wrong(f"message {place}, of {message['role']}, has a weight, which only answers have")
        if isinstance(message["weight"], bool) or message["weight"] not in (0, 1):
            raise _Wrong(f"the weight of message {place} is 0 or 1, got {str(message['weight'])[:40]!r}")


def _kind(value: object) -> str:
    if isinstance(value, list) and not value:
        return "an empty list"
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")


def _tokens_of(messages: list[dict]) -> int:
    texts = llama3().encode_ordinary_batch([message["content"] for message in messages], num_threads=1)
    return sum(map(len, texts)) + _TOKENS_A_MESSAGE * len(messages) + _TOKENS_A_ROW
