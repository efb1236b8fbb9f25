"""The two of Google Cloud: Vertex AI (`vertex`), and Claude managed by Anthropic there (`google-cloud`).

Their addresses and environment variables are those of the official SDKs.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import partial
from urllib.parse import quote, urlsplit

from ...errors import SettingsError
from ...settings import Claude, check_url
from ...wire import Request
from ..credentials import Signer
from . import google_credentials, vertex
from .data import load
from .google_advice import advice
from .platform import Platform

_CLAUDE = "https://claude.googleapis.com/v1/projects"
_OF_ORGANIZATION = ("/v1/organizations/", "/v1/user_profiles/")  # these need no workspace
_PLACE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.:-]*[A-Za-z0-9])?")
_VERTEX_HOSTS = {
    "global": "https://aiplatform.googleapis.com/v1",
    "us": "https://aiplatform.us.rep.googleapis.com/v1",
    "eu": "https://aiplatform.eu.rep.googleapis.com/v1",
}
_UNKNOWN = {"project": "PROJECT", "region": "REGION", "workspace": "WORKSPACE"}  # where nothing is sent


def platform(settings: Claude, *, offline: bool = False, asks: bool = True) -> Platform:
    """The platform of Google Cloud that `Claude.provider` names.

    Args:
        offline: Whether nothing is sent, so that project, region and workspace may be missing.
        asks: Whether credentials may be asked for their project; else only what a file says counts.

    Raises:
        SettingsError: One of them is missing or wrong.
    """
    return (_vertex if settings.provider == "vertex" else _google_cloud)(settings, offline=offline, asks=asks)


def _vertex(settings: Claude, *, offline: bool, asks: bool) -> Platform:
    region = _place("region", settings.region, ("CLOUD_ML_REGION",)) or _missing(
        "region", "Vertex AI", "CLOUD_ML_REGION", "'global' or 'europe-west1'", offline=offline
    )
    project = _project(settings, ("ANTHROPIC_VERTEX_PROJECT_ID",), "Vertex AI", offline=offline, asks=asks)
    override = os.environ.get("ANTHROPIC_VERTEX_BASE_URL", "").strip().rstrip("/")
    root = override or _VERTEX_HOSTS.get(region, f"https://{region}-aiplatform.googleapis.com/v1")
    data = load("vertex")
    return Platform(
        data=data,
        base_url=check_url(root, allow_http=settings.allow_http),
        settings={"region": region, "project": project},
        address_settings="$ANTHROPIC_VERTEX_BASE_URL" if override else "Claude.region",
        find_credential=_find_credential,
        rewrite=partial(vertex.rewrite, root=f"{root}/projects/{quote(project)}/locations/{region}"),
        advise=partial(advice, data=data, project=project, region=region),
    )


def _google_cloud(settings: Claude, *, offline: bool, asks: bool) -> Platform:
    region = _place("region", settings.region, ("ANTHROPIC_GOOGLE_CLOUD_LOCATION",)) or "global"
    variables = ("ANTHROPIC_GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_PROJECT")
    override = os.environ.get("ANTHROPIC_GOOGLE_CLOUD_BASE_URL", "").strip()
    known = offline or bool(override)
    project = _project(settings, variables, "Claude on Google Cloud", offline=known, asks=asks and not known)
    workspace = _place("workspace", settings.workspace, ("ANTHROPIC_GOOGLE_CLOUD_WORKSPACE_ID",))
    location = f"{_CLAUDE}/{quote(project)}/locations/{region}"
    base_url = f"{location}/workspaces/{quote(workspace or _UNKNOWN['workspace'])}/invoke"
    data = load("google-cloud")
    found = Platform(
        data=data,
        base_url=check_url(override, allow_http=settings.allow_http) if override else base_url,
        settings={"region": region, "project": project, **({"workspace": workspace} if workspace else {})},
        address_settings="$ANTHROPIC_GOOGLE_CLOUD_BASE_URL" if override else "Claude.project",
        find_credential=_find_credential,
        advise=partial(advice, data=data, project=project, region=region),
    )
    if override:
        return found
    return replace(found, rewrite=partial(_at_organization, location=location, workspace=workspace, offline=offline))


def _find_credential() -> Signer:
    return google_credentials.find()


def _at_organization(request: Request, location: str, workspace: str, offline: bool) -> Request:
    """The request where the organization is served, if it is for it; else it needs a workspace.

    Raises:
        SettingsError: There is none.
    """
    if f"{request.endpoint.rstrip('/')}/".startswith(_OF_ORGANIZATION):
        query = urlsplit(request.url).query
        url = f"{location}/claudeOrganization/invoke{request.endpoint}"
        return replace(request, url=f"{url}?{query}" if query else url)
    if not workspace and not offline:
        _missing(
            "workspace",
            "Claude on Google Cloud",
            "ANTHROPIC_GOOGLE_CLOUD_WORKSPACE_ID",
            "'wrkspc_01...'",
            offline=False,
        )
    return request


def _project(settings: Claude, variables: tuple[str, ...], title: str, *, offline: bool, asks: bool) -> str:
    """The project of the setting, else of the environment, else of the credentials."""
    project = _place("project", settings.project, variables)
    if not project:
        project = google_credentials.project() if asks else google_credentials.project_of_file()
    return project or _missing("project", title, variables[0], "'my-project'", offline=offline)


def _place(setting: str, value: str, variables: tuple[str, ...]) -> str:
    """A setting, else the first of the environment variables that is not empty; `""` if there is none.

    Raises:
        SettingsError: It cannot stand in an address.
    """
    source = f"Claude.{setting}"
    for name in () if value else variables:
        if not value:
            source, value = f"${name}", os.environ.get(name, "").strip()
    if value and not _PLACE.fullmatch(value):
        raise SettingsError(f"{source} is no {setting} of Google Cloud: {value[:40]!r}. It must be one name.")
    return value


def _missing(setting: str, title: str, variable: str, example: str, *, offline: bool) -> str:
    if offline:
        return _UNKNOWN[setting]
    raise SettingsError(
        f"no {setting}: {title} needs one, and ${variable} is empty. Set it, or Claude.{setting}, such as {example}."
    )
