"""`/v1/organizations/…`: who, workspaces, members, invites, keys, rate limits, usage and cost, as an admin key sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from tests.scripted_api.reports import Reports
from tests.scripted_api.wire import Asked, after_id_page, cursor_page, error, json_answer
from tests.server import Answer

_ROOT = "/v1/organizations"
ME = {"id": "12345678-1234-5678-1234-567812345678", "type": "organization", "name": "Example Org"}


class Organization:
    """One organization, with its state.

    Attributes:
        incomplete: Whether the next workspace is created without an answer that says so: a 503.
        unknown_outcome: How many updates are answered 503 `change_outcome_unknown` before one is answered.
        page_size: The most items on a page of a list.
        reports: Usage and cost; `cost` and `usage` are rows of the newest two, as the API gives them.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.incomplete = False
        self.unknown_outcome = 0
        self.workspaces = [workspace(f"wrkspc_{number:02d}", f"Team {number}") for number in range(1, 4)]
        self.users = [user(f"user_{number:02d}") for number in range(1, 46)]
        self.invites: list[dict[str, Any]] = []
        self.members: dict[str, list[dict[str, Any]]] = {}
        self.keys = [api_key("apikey_01", "ci", "wrkspc_01"), api_key("apikey_02", "notebooks", None)]
        self.rate_limits = [rate_limit(f"rl_{number:02d}") for number in range(1, 4)]
        self.workspace_limits: dict[str, list[dict[str, Any]]] = {}
        self.page_size = 1000
        self.reports = Reports()
        self.deleted: list[str] = []

    @property
    def cost(self) -> list[dict[str, Any]]:
        return self.reports.rows.setdefault("cost", [])

    @cost.setter
    def cost(self, rows: list[dict[str, Any]]) -> None:
        self.reports.rows["cost"] = rows

    def answer(self, asked: Asked) -> Answer | None:
        if not asked.path.startswith(f"{_ROOT}/"):
            return None
        if asked.match("GET", f"{_ROOT}/me"):
            return json_answer(ME)
        return (
            self._workspaces(asked)
            or self._members(asked)
            or self._invites(asked)
            or self._lists(asked)
            or self._keys(asked)
            or self.reports.answer(asked)
        )

    def _workspaces(self, asked: Asked) -> Answer | None:
        if asked.match("GET", f"{_ROOT}/workspaces"):
            archived = asked.value("include_archived") == "true"
            return self._list([w for w in self.workspaces if archived or w["archived_at"] is None], asked)
        if asked.match("POST", f"{_ROOT}/workspaces"):
            made = workspace(f"wrkspc_{len(self.workspaces) + 1:02d}", str(asked.json["name"]))
            self.workspaces.append(made)
            if self.incomplete:
                self.incomplete = False
                said = "The workspace was created, but is not complete."
                return error(503, "api_error", said, code="workspace_created_incomplete", workspace_id=made["id"])
            return json_answer(made)
        if found := asked.match("POST", f"{_ROOT}/workspaces/{{}}/archive"):
            return self._change("workspace", self.workspaces, found[1], {"archived_at": _text(self._now())})
        if found := asked.match("GET", f"{_ROOT}/workspaces/{{}}"):
            return self._change("workspace", self.workspaces, found[1], {})
        if found := asked.match("POST", f"{_ROOT}/workspaces/{{}}"):
            if self.unknown_outcome:
                self.unknown_outcome -= 1
                return error(503, "api_error", "Part of the change may be saved.", code="change_outcome_unknown")
            return self._change("workspace", self.workspaces, found[1], asked.json)
        return None

    def _members(self, asked: Asked) -> Answer | None:
        if found := asked.match("GET", f"{_ROOT}/workspaces/{{}}/rate_limits"):
            return cursor_page(self.workspace_limits.get(found[1], []), asked)
        if found := asked.match("GET", f"{_ROOT}/workspaces/{{}}/members"):
            return self._list(self.members.get(found[1], []), asked)
        if found := asked.match("POST", f"{_ROOT}/workspaces/{{}}/members"):
            made = {"type": "workspace_member", "workspace_id": found[1], **asked.json}
            self.members.setdefault(found[1], []).append(made)
            return json_answer(made)
        if found := asked.match("POST", f"{_ROOT}/workspaces/{{}}/members/{{}}"):
            return self._change("member", self.members.get(found[1], []), found[2], asked.json, name="user_id")
        if found := asked.match("DELETE", f"{_ROOT}/workspaces/{{}}/members/{{}}"):
            several = self.members.get(found[1], [])
            gone = {"type": "workspace_member_deleted", "user_id": found[2], "workspace_id": found[1]}
            return self._delete("member", several, found[2], gone, name="user_id")
        return None

    def _invites(self, asked: Asked) -> Answer | None:
        if asked.match("GET", f"{_ROOT}/invites"):
            wanted = asked.values("statuses[]")
            return self._list([each for each in self.invites if not wanted or each["status"] in wanted], asked)
        if asked.match("POST", f"{_ROOT}/invites"):
            made = {
                "id": f"invite_{len(self.invites) + 1:02d}",
                "type": "invite",
                "status": "pending",
                "invited_at": _text(self._now()),
                "expires_at": "2026-12-19T12:00:00Z",
                "accepted_at": None,
                "rbac_group_ids": [],
                **asked.json,
            }
            self.invites.append(made)
            return json_answer(made)
        if found := asked.match("DELETE", f"{_ROOT}/invites/{{}}"):
            return self._delete("invite", self.invites, found[1], {"id": found[1], "type": "invite_deleted"})
        return None

    def _lists(self, asked: Asked) -> Answer | None:
        if asked.match("GET", f"{_ROOT}/users"):
            wanted = asked.values("roles[]")
            return self._list([each for each in self.users if not wanted or each["role"] in wanted], asked)
        if found := asked.match("POST", f"{_ROOT}/users/{{}}"):
            return self._change("user", self.users, found[1], asked.json)
        if found := asked.match("DELETE", f"{_ROOT}/users/{{}}"):
            return self._delete("user", self.users, found[1], {"id": found[1], "type": "user_deleted"})
        if asked.match("GET", f"{_ROOT}/rate_limits"):
            return cursor_page(self.rate_limits, asked)
        if asked.match("GET", f"{_ROOT}/api_keys"):
            return self._list(self.keys, asked)
        return None

    def _keys(self, asked: Asked) -> Answer | None:
        if found := asked.match("GET", f"{_ROOT}/api_keys/{{}}"):
            return self._change("api_key", self.keys, found[1], {})
        if found := asked.match("POST", f"{_ROOT}/api_keys/{{}}"):
            return self._change("api_key", self.keys, found[1], asked.json)
        return None

    def _list(self, items: list[dict[str, Any]], asked: Asked) -> Answer:
        limit = min(self.page_size, int(asked.value("limit", "20")))
        query = [*(pair for pair in asked.query if pair[0] != "limit"), ("limit", str(limit))]
        return after_id_page(items, replace(asked, query=query))

    def _delete(
        self, kind: str, several: list[dict[str, Any]], wanted: str, gone: dict[str, Any], *, name: str = "id"
    ) -> Answer:
        found = next((each for each in several if each[name] == wanted), None)
        if found is None:
            return error(404, "not_found_error", f"{kind} not found: {wanted}")
        several.remove(found)
        self.deleted.append(wanted)
        return json_answer(gone)

    def _change(
        self, kind: str, several: list[dict[str, Any]], wanted: str, change: dict[str, Any], *, name: str = "id"
    ) -> Answer:
        found = next((each for each in several if each[name] == wanted), None)
        if found is None:
            return error(404, "not_found_error", f"{kind} not found: {wanted}")
        found.update(change)
        return json_answer(found)


def workspace(name: str, title: str) -> dict[str, Any]:
    return {
        "id": name,
        "type": "workspace",
        "name": title,
        "created_at": "2026-03-01T00:00:00Z",
        "archived_at": None,
        "display_color": "#6C5BB9",
        "compartment_id": "cmpt_01",
        "external_key_id": None,
        "tags": {},
        "data_residency": {
            "workspace_geo": "us",
            "allowed_inference_geos": "unrestricted",
            "default_inference_geo": "global",
        },
    }


def user(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "type": "user",
        "email": f"{name}@example.com",
        "name": name.replace("_", " ").title(),
        "role": "developer",
        "added_at": "2026-01-05T08:00:00Z",
    }


def api_key(name: str, title: str, workspace_id: str | None) -> dict[str, Any]:
    scope = {"type": "workspace", "workspace_id": workspace_id} if workspace_id else {"type": "organization"}
    return {
        "id": name,
        "type": "api_key",
        "name": title,
        "status": "active",
        "created_at": "2026-02-01T10:00:00Z",
        "created_by": {"id": "user_01", "type": "user"},
        "expires_at": None,
        "partial_key_hint": "sk-ant-api03-R2D...igAA",
        "principal": None,
        "scope": scope,
    }


def rate_limit(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "type": "rate_limit",
        "group": {"type": "model_group", "id": f"g_{name}", "display_name": "Claude Opus 5.x"},
        "models": ["claude-opus-5-5"],
        "limits": [{"type": "requests_per_minute", "value": 4000}],
    }


def _text(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
