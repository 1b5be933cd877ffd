"""The journal of attribute edits, so that a transformation that fails can take them back.

Values of States need none: they stay in the frame until the transformation has succeeded.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

Journal = list[tuple[Any, str, Any]]  # (node, attribute, old value), in the order of the edits
_journal: ContextVar[Journal | None] = ContextVar("brainstate_journal", default=None)


def record(node: Any, name: str, old: Any) -> None:
    """Note an edit, if some transformation is under way."""
    journal = _journal.get()
    if journal is not None:
        journal.append((node, name, old))


def undo(journal: Journal) -> None:
    """Take back the edits of a journal, the last one first."""
    while journal:
        node, name, old = journal.pop()
        node._restore_attribute(name, old)


@contextlib.contextmanager
def transaction() -> Iterator[Journal]:
    """Take back all attribute edits made inside if an exception leaves the block."""
    outer, journal = _journal.get(), Journal()
    token = _journal.set(journal)
    try:
        yield journal
    except BaseException:
        undo(journal)
        raise
    else:
        if outer is not None:
            outer.extend(journal)
    finally:
        _journal.reset(token)
