"""One workspace, member, invite, key or limit of the organization: the API's JSON, with what can be done to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..errors import CellError, ExchangeError
from .changes import change

if TYPE_CHECKING:
    from .claude import ClaudeHandle
    from .organization_lists import Listing

ROOT = "/v1/organizations"


class Item(Mapping[str, Any]):
    """The JSON that the API gave, as a mapping; displayed, a row of a table."""

    names: tuple[str, ...] = ("id", "name")  # the fields by which it is found
    columns: tuple[str, ...] = ()  # the fields that a table shows; () for all
    path = ""

    def __init__(self, handle: ClaudeHandle, body: Mapping[str, Any]) -> None:
        self._handle = handle
        self._body = body

    @property
    def id(self) -> str:
        """Its id at the API."""
        return str(self._body.get("id", ""))

    def row(self) -> Mapping[str, Any]:
        """What a table shows of it."""
        return {name: brief_name(self._body.get(name)) for name in self.columns} or self._body

    def __getitem__(self, name: str) -> Any:
        return self._body[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._body)

    def __len__(self) -> int:
        return len(self._body)

    def __repr__(self) -> str:
        return self._repr_mimebundle_()["text/plain"]

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from ..display.answers.item_table import item_table

        return item_table([self.row()])

    def _address(self) -> str:
        if not self.id:
            raise CellError("the API gave no id, so that nothing can be done to this. Nothing was sent.")
        return f"{self.path}/{quote(self.id, safe='')}"

    def _change(self, body: Mapping[str, Any] | None, *, yes: bool, method: str = "POST", tail: str = "") -> Any:
        found = change(self._handle, method, self._address() + tail, body, yes=yes)
        kind = type(self) if method == "POST" else Item
        return found if found is None else kind(self._handle, found)


class Workspace(Item):
    """A workspace."""

    path = f"{ROOT}/workspaces"
    columns = ("id", "name", "created_at", "archived_at", "tags", "data_residency")

    def rename(self, name: str, *, yes: bool = False) -> Any:
        """Give it another name."""
        return self._change({"name": name}, yes=yes)

    def change(self, *, yes: bool = False, **fields: Any) -> Any:
        """Change fields of it, such as `display_color` or `tags`."""
        return self._change(fields, yes=yes)

    def archive(self, *, yes: bool = False) -> Any:
        """Archive it: its keys stop working, and it cannot be undone."""
        return self._change(None, yes=yes, tail="/archive")

    @property
    def members(self) -> Listing[WorkspaceMember]:
        """Its members."""
        from .organization_lists import Listing

        return Listing(self._handle, WorkspaceMember, f"{self._address()}/members")

    @property
    def rate_limits(self) -> Listing[RateLimit]:
        """Its own rate limits; `(include_inherited=True)` also those of the organization."""
        from .organization_lists import Listing

        return Listing(self._handle, RateLimit, f"{self._address()}/rate_limits")

    def add_member(self, user: Any, role: str = "workspace_user", *, yes: bool = False) -> Any:
        """Add a member of the organization, by id or as `claude.organization.members` has it."""
        body = {"user_id": user.id if isinstance(user, Item) else user, "workspace_role": role}
        found = change(self._handle, "POST", f"{self._address()}/members", body, yes=yes)
        return found if found is None else WorkspaceMember(self._handle, found)


class WorkspaceMember(Item):
    """A member of a workspace."""

    names = ("user_id",)

    @property
    def id(self) -> str:
        """The id of the user."""
        return str(self._body.get("user_id", ""))

    def _address(self) -> str:
        workspace = str(self._body.get("workspace_id", ""))
        return f"{ROOT}/workspaces/{quote(workspace, safe='')}/members/{quote(self.id, safe='')}"

    def set_role(self, role: str, *, yes: bool = False) -> Any:
        """Give another role, such as `workspace_developer`."""
        return self._change({"workspace_role": role}, yes=yes)

    def remove(self, *, yes: bool = False) -> Any:
        """Remove the member from the workspace."""
        return self._change(None, yes=yes, method="DELETE")


class Member(Item):
    """A member of the organization."""

    names = ("id", "email", "name")
    path = f"{ROOT}/users"

    def set_role(self, role: str, *, yes: bool = False) -> Any:
        """Give another role, such as `developer`."""
        return self._change({"role": role}, yes=yes)

    def remove(self, *, yes: bool = False) -> Any:
        """Remove the member from the organization."""
        return self._change(None, yes=yes, method="DELETE")


class Invite(Item):
    """An invite."""

    names = ("id", "email")
    columns = ("id", "email", "role", "status", "invited_at", "expires_at")
    path = f"{ROOT}/invites"

    def delete(self, *, yes: bool = False) -> Any:
        """Withdraw it."""
        return self._change(None, yes=yes, method="DELETE")


class Key(Item):
    """An API key: its name, status and hint, never the key."""

    path = f"{ROOT}/api_keys"
    columns = ("id", "name", "status", "partial_key_hint", "scope", "created_by", "created_at", "expires_at")

    def rename(self, name: str, *, yes: bool = False) -> Any:
        """Give it another name."""
        return self._change({"name": name}, yes=yes)

    def set_status(self, status: str, *, yes: bool = False) -> Any:
        """`inactive` stops it, `active` lets it work again."""
        return self._change({"status": status}, yes=yes)

    def archive(self, *, yes: bool = False) -> Any:
        """Stop it for good: it cannot be undone."""
        return self._change({"status": "archived"}, yes=yes)


class RateLimit(Item):
    """The rate limits of a group of models or endpoints."""

    def row(self) -> Mapping[str, Any]:
        """The group, and a column for each limit."""
        group = self._body.get("group")
        group = group if isinstance(group, Mapping) else {}
        limits = self._body.get("limits")
        values = [each for each in limits if isinstance(each, Mapping)] if isinstance(limits, list) else []
        return {
            "id": self._body.get("id", self._body.get("rate_limit_id")),
            "group": group.get("display_name", group.get("type")),
            "models": ", ".join(map(str, self._body.get("models") or ())),
            **{str(each.get("type")): each.get("value") for each in values},
        }


def brief_name(value: Any) -> Any:
    """What an object refers to, such as a workspace or a user, by its id; other values as they are."""
    if not isinstance(value, Mapping) or "type" not in value:
        return value
    ids = [value[name] for name in value if name == "id" or name.endswith("_id")]
    return ids[0] if ids else value["type"]


def get(handle: ClaudeHandle, path: str, *, all_pages: bool = False, query: Mapping[str, Any] | None = None) -> Any:
    """The JSON of a GET.

    Raises:
        ClaudeError: It cannot be sent, or failed, or the answer is no object.
    """
    from .endpoints import request

    exchange = request(handle, "GET", path, {"query": query or {}}, all_pages=all_pages, save=None, yes=False)
    if not isinstance(exchange.json, Mapping):
        raise ExchangeError(f"{path} answered with something else than an object: {str(exchange.json)[:100]}.")
    return exchange.json
