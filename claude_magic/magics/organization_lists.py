"""The lists of the organization, as the API had them when they were asked for; displayed, tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..api.known_models import nearest
from ..errors import CellError, ExchangeError, did_you_mean
from ..session.endpoint_pages import list_notes
from .changes import change
from .endpoints import request
from .organization_items import Invite, Item, Key, Member, Workspace

if TYPE_CHECKING:
    from .claude import ClaudeHandle

_T = TypeVar("_T", bound=Item)
_UNPAGED = ("page", "limit", "after_id", "before_id")


class Listing(Sequence[_T], Generic[_T]):
    """All items of a list: a number, an id or a name finds one, a call asks again with parameters of the API.

    Raises:
        SettingsError: There is no admin key.
        ExchangeError: The API refused.
    """

    def __init__(self, handle: ClaudeHandle, kind: type[_T], path: str, query: Mapping[str, Any] | None = None) -> None:
        self._handle = handle
        self._kind = kind
        self._path = path
        how = {"query": {**_most(path), **(query or {})}}
        exchange = request(handle, "GET", path, how, all_pages=True, save=None, yes=False)
        found = exchange.json["data"] if isinstance(exchange.json, Mapping) else []
        self._items = [kind(handle, each) for each in found if isinstance(each, Mapping)]
        if len(self._items) < len(found):
            raise ExchangeError(f"{path} answered with a list of something else than objects: {str(found)[:100]}.")
        self._notes = list_notes(exchange)

    def __call__(self, **query: Any) -> Listing[_T]:
        """The list with parameters of the API, such as `include_archived=True` or `roles=["admin"]`.

        Raises:
            CellError: There is no such parameter.
        """
        known = {name.removesuffix("[]"): name for name in _parameters(self._path) if name not in _UNPAGED}
        for name in query:
            if name not in known:
                raise CellError(f"{self._path} has no parameter {name!r}. It has {', '.join(known) or 'none'}.")
        named = {known[name]: value for name, value in query.items()}
        return Listing(self._handle, self._kind, self._path, named)

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: Any) -> Any:
        return self._find(index) if isinstance(index, str) else self._items[index]

    def _find(self, name: str) -> _T:
        for field in self._kind.names:
            found = [each for each in self._items if each.get(field) == name]
            if len(found) > 1:
                ids = ", ".join(repr(each.id) for each in found[:5])
                raise CellError(f"{len(found)} have the {field} {name!r}. Use an id: {ids}.")
            if found:
                return found[0]
        names = [str(each[field]) for each in self._items for field in self._kind.names if each.get(field)]
        near = did_you_mean(map(repr, nearest(name, names)))
        raise CellError(f"nothing here is called {name!r}.{near} The list has {len(self):,}.")

    def frame(self) -> Any:
        """The list as a DataFrame of pandas, one column a field.

        Raises:
            SettingsError: pandas is not installed.
        """
        from ..display.answers.data_frame import frame_of

        return frame_of([dict(each) for each in self._items])

    def __repr__(self) -> str:
        return self._repr_mimebundle_()["text/plain"]

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from ..display.answers.item_table import item_table
        from ..display.text.excerpt import plain_line

        if not self._items:
            return {"text/html": "<div>an empty list</div>", "text/plain": "an empty list"}
        more = {name for each in self._items for name in each} - {"type", *self._kind.columns}
        hidden = f"also {', '.join(sorted(more)[:20])}: .frame() has all" if self._kind.columns and more else ""
        notes = " · ".join(filter(None, (hidden, *self._notes)))
        return item_table([each.row() for each in self._items], note=plain_line(notes, 500))


class Workspaces(Listing[Workspace]):
    """The workspaces."""

    def __init__(self, handle: ClaudeHandle) -> None:
        super().__init__(handle, Workspace, Workspace.path)

    def create(self, name: str, *, yes: bool = False, **fields: Any) -> Workspace | None:
        """Create a workspace; further fields of the API, such as `tags`, by name.

        Returns:
            It; `None` if you are asked first: the answer appears under the cell.

        Raises:
            APIError: The API refused. After `workspace_created_incomplete` it exists: do not create it again.
        """
        found = change(self._handle, "POST", self._path, {"name": name, **fields}, yes=yes)
        return None if found is None else Workspace(self._handle, found)


class Members(Listing[Member]):
    """The members of the organization."""

    def __init__(self, handle: ClaudeHandle) -> None:
        super().__init__(handle, Member, Member.path)


class Invites(Listing[Invite]):
    """The invites."""

    def __init__(self, handle: ClaudeHandle) -> None:
        super().__init__(handle, Invite, Invite.path)

    def create(self, email: str, role: str = "user", *, yes: bool = False, **fields: Any) -> Invite | None:
        """Invite someone, with a role such as `developer`.

        Returns:
            The invite; `None` if you are asked first: the answer appears under the cell.
        """
        found = change(self._handle, "POST", self._path, {"email": email, "role": role, **fields}, yes=yes)
        return None if found is None else Invite(self._handle, found)


class Keys(Listing[Key]):
    """The API keys."""

    def __init__(self, handle: ClaudeHandle) -> None:
        super().__init__(handle, Key, Key.path)


def _parameters(path: str) -> Sequence[str]:
    from ..api.endpoints.catalog import find

    endpoint = find("GET", path)
    return endpoint.query if endpoint is not None else ()


def _most(path: str) -> dict[str, int]:
    """The largest page, for what pages by ids; others give all at once without a limit."""
    return {"limit": 1000} if "after_id" in _parameters(path) else {}
