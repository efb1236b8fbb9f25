"""Microsoft Foundry (`foundry`): the API's own form, with the name of a deployment instead of the model.

Source: https://platform.claude.com/docs/en/build-with-claude/claude-in-microsoft-foundry
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial

from ...errors import SettingsError
from ...settings import AT_HOST, Claude, check_url
from ...wire import Request
from . import azure_credentials
from .data import load
from .platform import Platform, Refusal

_RESOURCE = "ANTHROPIC_FOUNDRY_RESOURCE"
_BASE_URL = "ANTHROPIC_FOUNDRY_BASE_URL"
_OWN_NETWORK = ("public access", "private endpoint", "virtual network", "firewall")


def platform(settings: Claude, *, offline: bool = False, asks: bool = True) -> Platform:
    """Microsoft Foundry.

    Args:
        offline: Whether nothing is sent, so that the resource may be missing.

    Raises:
        SettingsError: The resource is missing or wrong, or there is an address too.
    """
    resource, override = _resource(settings), os.environ.get(_BASE_URL, "").strip()
    if resource and override:
        raise SettingsError(f"both a resource ({resource}) and ${_BASE_URL}: Foundry takes one of them. Remove one.")
    if not resource and not override and not offline:
        raise SettingsError(f"no resource: ${_RESOURCE} is empty. Set it, or Claude.resource, such as 'my-resource'.")
    host = f"https://{resource or 'RESOURCE'}.services.ai.azure.com/anthropic"
    return Platform(
        data=load("foundry"),
        base_url=check_url(override, allow_http=settings.allow_http) if override else host,
        settings={
            **({"resource": resource} if resource else {}),
            **({"deployment": settings.deployment} if settings.deployment else {}),
        },
        address_settings=f"${_BASE_URL}" if override else "Claude.resource",
        find_credential=azure_credentials.find,
        known_credential=azure_credentials.key,
        rewrite=partial(_to_deployment, deployment=settings.deployment),
        advise=partial(_advice, resource=resource or override),
    )


def _resource(settings: Claude) -> str:
    resource: str = settings.resource or os.environ.get(_RESOURCE, "").strip()
    if resource and not AT_HOST.fullmatch(resource):
        raise SettingsError(f"not a resource of Foundry: {resource[:40]!r}. Look at ${_RESOURCE}: it is one name.")
    return resource


def _to_deployment(request: Request, deployment: str) -> Request:
    """The request for the deployment, if one is set: it has a name of its own."""
    if not deployment or "model" not in (request.body or {}):
        return request
    return replace(request, body={**(request.body or {}), "model": deployment})


def _advice(refusal: Refusal, resource: str) -> str | None:
    """What to do about an error, in a sentence; `None` where the general advice fits."""
    source = refusal.credential.source if refusal.credential else "nowhere: there is none"
    if refusal.kind == "DeploymentNotFound" or refusal.status == 404:
        return (
            f"Resource {resource} has no deployment of this name: see its deployments in the Foundry portal, "
            "and choose one with -m or Claude.deployment."
        )
    if refusal.status == 401:
        return f"The credential came from {source}: is it of resource {resource}?"
    if refusal.status == 403 and any(words in refusal.message.lower() for words in _OWN_NETWORK):
        return f"Resource {resource} answers only within a network of its own: ask from there, or have it opened."
    if refusal.status == 403:
        return f"The credential came from {source}: give it the role that docs/clouds.md names on resource {resource}."
    if refusal.status == 429:
        return (
            f"The quota of the deployment in resource {resource} is used up: wait, or raise it in the Foundry portal."
        )
    return None
