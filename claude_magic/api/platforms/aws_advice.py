"""What to do about an error of AWS, by its name and its text; most of them say only that something is wrong."""

from __future__ import annotations

from .data import PlatformData
from .platform import Refusal

_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired")
_UNKNOWN = ("UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch")
_THROTTLED = ("throttlingexception", "toomanyrequestsexception", "servicequotaexceededexception")


def advice(refusal: Refusal, data: PlatformData, region: str) -> str | None:
    """A sentence; `None` where the general advice fits."""
    kind, text = refusal.kind, refusal.message.lower()
    source = refusal.credential.source if refusal.credential else "nowhere: there are none"
    if "signature not yet current" in text or "signature expired" in text or "clock" in text:
        return "The clock of this machine is wrong: set it (a signature holds for five minutes)."
    if kind in _EXPIRED or ("expired" in text and refusal.status in (400, 401, 403)):
        return f"The credentials have ended; they came from {source}. Renew them, such as with `aws sso login`."
    if "web identity federation is disabled" in text:
        return "Have an administrator of the AWS account turn on outbound web identity federation."
    if kind in _UNKNOWN or "signature" in text:
        return f"AWS does not accept the credentials from {source}, for region {region}: check both."
    if "on-demand throughput" in text:
        return f"Call it by an inference profile: -m {_profiles(refusal.model)}, or by a profile's ARN."
    if "access to the model" in text or "model access" in text or "is not authorized to invoke" in text:
        return f"Enable the model for the account in the console of Bedrock, region {region}."
    if refusal.status == 403 or kind.startswith("AccessDenied"):
        return f"The credentials came from {source}: have their policy allow this; docs/clouds.md has the least."
    if "model identifier is invalid" in text or refusal.status == 404:
        return f"Region {region} may not have this model: see its model catalog, or choose another with -m."
    if kind.lower() in _THROTTLED or refusal.status == 429:
        return "The quota of the account for this model is used up: wait, or have it raised in Service Quotas."
    return None


def _profiles(model: str) -> str:
    """The names to try, as the user would write them."""
    base = model if model.startswith("anthropic.") else model.rpartition("/")[2]
    return " or ".join(f"{route}.{base}" for route in ("global", "us", "eu", "jp", "apac"))
