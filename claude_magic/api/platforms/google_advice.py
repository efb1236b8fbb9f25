"""What to do about an error of Google Cloud."""

from __future__ import annotations

from .data import PlatformData
from .platform import Refusal


def advice(refusal: Refusal, data: PlatformData, project: str, region: str) -> str | None:
    """A sentence; `None` where the general advice fits."""
    kind, text = refusal.kind, refusal.message.lower()
    source = refusal.credential.source if refusal.credential else "nowhere: there are none"
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
            f"The credentials are {source}: give them the least that docs/clouds.md names in project {project}, "
            "and accept the model's terms in Model Garden."
        )
    if refusal.status == 404 or kind == "NOT_FOUND":
        return f"Is the model enabled in Model Garden, and offered in {region}? The region 'global' has most of them."
    if refusal.status == 429 or kind == "RESOURCE_EXHAUSTED":
        return f"The quota of project {project} for this model in {region} is used up: wait, or ask for more there."
    return None


def _service(data: PlatformData) -> str:
    return "aiplatform.googleapis.com" if data.name == "vertex" else "claude.googleapis.com"
