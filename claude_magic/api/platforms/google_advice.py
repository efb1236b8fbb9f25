"""What to do about an error of Google Cloud."""

from __future__ import annotations

from .data import PlatformData
from .platform import Refusal


def advice(refusal: Refusal, data: PlatformData, project: str, region: str) -> str | None:
    """A sentence; `None` where the general advice fits."""
    kind, text = refusal.kind, refusal.message.lower()
    source = refusal.credential.source if refusal.credential else "nowhere: there are none"
    if "billing" in text and refusal.status == 403:
        return f"Turn on billing for project {project}, in the console of Google Cloud."
    if "quota project" in text:
        return f"Run `gcloud auth application-default set-quota-project {project}`."
    if "has not been used in project" in text or "it is disabled" in text or kind == "SERVICE_DISABLED":
        return f"Enable the API for project {project}: `gcloud services enable {_service(data)}`."
    if refusal.status == 401 or kind == "UNAUTHENTICATED":
        return (
            f"The token came from {source}, and Google does not accept it. "
            "Sign in again, such as with `gcloud auth application-default login`, and look at this machine's clock."
        )
    if "organization policy" in text or "org policy" in text or "allowedmodels" in text:
        return f"A policy of the organization forbids this model in project {project}: ask its administrator."
    if refusal.status == 403 or kind == "PERMISSION_DENIED":
        return (
            f"The credentials are {source}: give them the least that docs/clouds.md names in project {project}"
            f"{', and accept the terms of the model in Model Garden' * _has_garden(data)}."
        )
    if refusal.status == 404 or kind == "NOT_FOUND" or "publisher model" in text:
        return _where_models_are(data, region)
    if refusal.status == 429 or kind == "RESOURCE_EXHAUSTED":
        return f"The quota of project {project} for this model in {region} is used up: wait, or ask for more there."
    return None


def _where_models_are(data: PlatformData, region: str) -> str:
    if not _has_garden(data):
        return f"Is the model offered in {region}? `claude.models` lists those that are."
    elsewhere = "" if region == "global" else " The region 'global' has most of them."
    return f"Is the model enabled in Model Garden, and offered in {region}?{elsewhere}"


def _has_garden(data: PlatformData) -> bool:
    """Whether models are enabled one by one in Model Garden."""
    return data.name == "vertex"


def _service(data: PlatformData) -> str:
    return "aiplatform.googleapis.com" if data.name == "vertex" else "claude.googleapis.com"
