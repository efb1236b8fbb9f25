"""The clouds that host Claude: where requests go there, in which form, and what opens them."""

from __future__ import annotations

import importlib

from ...settings import Claude
from .data import PlatformData, load
from .platform import Platform

_MODULES = {
    **dict.fromkeys(("bedrock", "bedrock-mantle", "aws"), "aws"),
    **dict.fromkeys(("vertex", "google-cloud"), "google"),
    "foundry": "foundry",
}


def data_of(provider: str) -> PlatformData | None:
    """The dated data of the platform of this name; `None` if it is no platform."""
    return load(provider) if provider in _MODULES else None


def find(settings: Claude, *, offline: bool = False, asks: bool = True) -> Platform | None:
    """The platform that `Claude.provider` names; `None` if it is another provider.

    Args:
        offline: Whether nothing is sent, so that a region and the like may be missing.
        asks: Whether what no setting says may be asked of the network, such as the project of this machine.

    Raises:
        SettingsError: A setting is missing or wrong.
    """
    if settings.provider not in _MODULES:
        return None
    module = importlib.import_module(f"{__name__}.{_MODULES[settings.provider]}")
    found: Platform = module.platform(settings, offline=offline, asks=asks and not offline)
    return found
