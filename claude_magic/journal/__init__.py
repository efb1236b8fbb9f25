"""Every exchange of this user, in one SQLite file; and recordings of a notebook, as text."""

from .journal import Journal
from .rows import Origin
from .writer import Entry, Limit

__all__ = ["Entry", "Journal", "Limit", "Origin"]
