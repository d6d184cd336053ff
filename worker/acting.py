"""Who acts at this terminal: the operator whose token the environment holds, else the login."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync.store import Store


def acting(store: Store) -> str:
    """An operator's name, or os:<login> without a token.

    Raises UsageError for a token that does not count, or a viewer's."""
    from sync.operators import who_acts

    return who_acts(store, operator_token(), login())


def operator_token() -> str | None:
    """The operator's token, never taken from a flag: a command line is seen by everybody on the machine."""
    from sync.operators import token_from

    return token_from(os.environ)


def login() -> str:
    """The login of this process; its number where the system knows no name for it, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"
