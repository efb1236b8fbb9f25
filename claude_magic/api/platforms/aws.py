"""The three of AWS: Amazon Bedrock (`bedrock` and `bedrock-mantle`), and Claude Platform on AWS (`aws`).

Their addresses and environment variables are those of the official SDKs.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from functools import partial

from ...errors import SettingsError
from ...settings import Claude, check_url
from ...wire import Headers, Request
from ..credentials import Signer
from . import aws_credentials, bedrock
from .aws_advice import advice, has_ended
from .data import load
from .platform import Platform

_ANY_REGION = "REGION"  # where nothing is sent, and none is set
_REGION = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


@dataclass(frozen=True, kw_only=True)
class _Service:
    """One of the three services.

    Attributes:
        host: With a place for the region.
        service: Its name in signatures.
        base_url: The environment variable with another address.
        keys: The environment variables with a key that is sent instead of a signature, first to last.
    """

    host: str
    service: str
    base_url: str
    keys: tuple[str, ...]


_SERVICES = {
    "bedrock": _Service(
        host="https://bedrock-runtime.{region}.amazonaws.com",
        service="bedrock",
        base_url="ANTHROPIC_BEDROCK_BASE_URL",
        keys=("AWS_BEARER_TOKEN_BEDROCK",),
    ),
    "bedrock-mantle": _Service(
        host="https://bedrock-mantle.{region}.api.aws/anthropic",
        service="bedrock-mantle",
        base_url="ANTHROPIC_BEDROCK_MANTLE_BASE_URL",
        keys=("AWS_BEARER_TOKEN_BEDROCK", "ANTHROPIC_AWS_API_KEY"),
    ),
    "aws": _Service(
        host="https://aws-external-anthropic.{region}.api.aws",
        service="aws-external-anthropic",
        base_url="ANTHROPIC_AWS_BASE_URL",
        keys=("ANTHROPIC_AWS_API_KEY",),
    ),
}


def platform(settings: Claude, *, offline: bool = False, asks: bool = True) -> Platform:
    """The platform of AWS that `Claude.provider` names.

    Args:
        offline: Whether nothing is sent, so that region and workspace may be missing.

    Raises:
        SettingsError: The region or the workspace is missing.
    """
    name, service = settings.provider, _SERVICES[settings.provider]
    region = _region(settings, offline=offline)
    override = os.environ.get(service.base_url, "").strip()
    base_url = check_url(override, allow_http=settings.allow_http) if override else service.host.format(region=region)
    data = load(name)
    place = {"region": region, **({"aws_profile": settings.aws_profile} if settings.aws_profile else {})}
    if name == "aws":
        place["workspace"] = _workspace(settings, offline=offline)
    found = Platform(
        data=data,
        base_url=base_url,
        settings=place,
        address_settings=f"${service.base_url}" if override else "Claude.region",
        find_credential=partial(_credential, service, region, settings.aws_profile),
        known_credential=partial(_known_credential, service, region, settings.aws_profile),
        advise=partial(advice, data=data, region=region),
        has_ended=has_ended,
    )
    if name == "bedrock":
        return replace(found, rewrite=partial(bedrock.rewrite, data=data), read=bedrock.read)
    return replace(found, rewrite=partial(_in_workspace, workspace=place.get("workspace", "")))


def _credential(service: _Service, region: str, profile: str) -> Signer:
    return aws_credentials.find(service=service.service, region=region, profile=profile, keys=service.keys)


def _known_credential(service: _Service, region: str, profile: str) -> Signer | None:
    known = aws_credentials.is_in_environment(profile, service.keys)
    return _credential(service, region, profile) if known else None


def _region(settings: Claude, *, offline: bool) -> str:
    """The region of the setting, else of the environment, else of AWS's own files."""
    region = (
        settings.region
        or os.environ.get("AWS_REGION", "").strip()
        or os.environ.get("AWS_DEFAULT_REGION", "").strip()
        or ("" if offline else aws_credentials.region_of(settings.aws_profile))
    )
    if not region and offline:
        return _ANY_REGION
    if not region:
        raise SettingsError(
            "no AWS region: $AWS_REGION is empty, and the AWS files name none. "
            "Set it, or Claude.region, such as 'us-east-1'."
        )
    if not _REGION.fullmatch(region):
        raise SettingsError(f"not an AWS region: {region[:40]!r}. Set Claude.region to one such as 'us-east-1'.")
    return region


def _workspace(settings: Claude, *, offline: bool) -> str:
    workspace = settings.workspace or os.environ.get("ANTHROPIC_AWS_WORKSPACE_ID", "").strip()
    if workspace and not (workspace.isascii() and workspace.isprintable() and " " not in workspace):
        raise SettingsError(f"not a workspace: {workspace[:40]!r}. Look at $ANTHROPIC_AWS_WORKSPACE_ID.")
    if not workspace and not offline:
        raise SettingsError(
            "no workspace: Claude Platform on AWS needs one, and $ANTHROPIC_AWS_WORKSPACE_ID is empty. "
            "Set it, or Claude.workspace, such as 'wrkspc_01...'."
        )
    return workspace


def _in_workspace(request: Request, workspace: str) -> Request:
    """The request with the header that names its workspace, unless it names one itself."""
    if not workspace or "anthropic-workspace-id" in request.headers:
        return request
    return replace(request, headers=Headers([*request.headers.items(), ("anthropic-workspace-id", workspace)]))
