"""Whether the network may be asked."""

import os

OFFLINE = "CAUSALMIX_OFFLINE"
"""Set it to anything but 0, and no network is ever asked for weights."""


def is_offline() -> bool:
    """Return whether the user has said that no network is to be asked."""
    return os.environ.get(OFFLINE, "") not in ("", "0")
