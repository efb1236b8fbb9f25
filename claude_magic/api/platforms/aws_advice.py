"""What to do about an error of AWS, by its name and its text; most of them say only that something is wrong.

Names compare without case: within a stream AWS writes them otherwise than in a header.
"""

from __future__ import annotations

from .data import PlatformData, without_route
from .platform import Refusal

_EXPIRED = ("expiredtoken", "expiredtokenexception", "tokenrefreshrequired", "requestexpired")
_SKEWED = ("signature not yet current", "signature expired", "clock", "difference between the request time")
_UNKNOWN = ("unrecognizedclient", "invalidclienttokenid", "invalidsignature", "signaturedoesnotmatch")
_UNSIGNED = ("incompletesignature", "missingauthenticationtoken")
_THROTTLED = ("throttlingexception", "toomanyrequestsexception", "servicequotaexceededexception")
_FAILED = ("modelerrorexception", "modelstreamerrorexception", "modeltimeoutexception", "internalserverexception")


def has_ended(refusal: Refusal) -> bool:
    """Whether the credentials have ended, not the signature of one request."""
    kind, text = refusal.kind.lower(), refusal.message.lower()
    return kind in _EXPIRED or ("expired" in text and "signature" not in text and refusal.status in (400, 401, 403))


def advice(refusal: Refusal, data: PlatformData, region: str) -> str | None:
    """A sentence; `None` where the general advice fits."""
    kind, text = refusal.kind.lower(), refusal.message.lower()
    if any(words in text for words in _SKEWED) or kind == "requesttimetooskewed":
        return "The clock of this machine is wrong: set it (a signature holds for five minutes)."
    return _of_credentials(refusal, kind, text, region) or _of_model(refusal, kind, text, region)


def _of_credentials(refusal: Refusal, kind: str, text: str, region: str) -> str | None:
    source = refusal.credential.source if refusal.credential else "nowhere: there are none"
    if has_ended(refusal):
        return f"The credentials have ended; they came from {source}. {_renewal(source)}"
    if "web identity federation is disabled" in text:
        return "Have an administrator of the AWS account turn on outbound web identity federation."
    if kind.startswith((*_UNKNOWN, *_UNSIGNED)) or "signature" in text or refusal.status == 401:
        return f"AWS does not accept the credentials from {source}, for region {region}: check both."
    return None


def _renewal(source: str) -> str:
    """How credentials are renewed, which depends on where they come from."""
    if source.startswith("$"):
        return "Make a new key in the console, and set it."
    if "environment" in source or "credentials file" in source:
        return "Set new ones there, or remove them and sign in, such as with `aws sso login`."
    return "Renew them, such as with `aws sso login`."


def _of_model(refusal: Refusal, kind: str, text: str, region: str) -> str | None:
    if "on-demand throughput" in text:
        return f"Call it by an inference profile: -m {_profiles(refusal.model)}, or by a profile's ARN."
    if "payment_instrument" in text:
        return "The AWS account has no valid way to pay: see the payment methods in its billing console."
    if "use case details" in text:
        return f"Fill in Anthropic's form for the account once, in the console of Bedrock, region {region}."
    if "end of its life" in text:
        return "Choose a newer model with -m."
    if "access to the model" in text or "model access" in text or "is not authorized to invoke" in text:
        return f"Enable the model for the account in the console of Bedrock, region {region}."
    if refusal.status == 403 or kind.startswith("accessdenied"):
        source = refusal.credential.source if refusal.credential else "nowhere: there are none"
        return f"The credentials came from {source}: have their policy allow this; docs/clouds.md has the least."
    if "model identifier is invalid" in text or refusal.status == 404:
        return f"Region {region} may not have this model: see its model catalog, or choose another with -m."
    if kind == "modelnotreadyexception":
        return "The model is not ready yet: try again in a moment."
    if kind in _THROTTLED or refusal.status == 429:
        return "The quota of the account for this model is used up: wait, or have it raised in Service Quotas."
    if kind in _FAILED and refusal.status in (200, 424):
        return "The model failed while it answered: try again."
    return None


def _profiles(model: str) -> str:
    """The names to try, as the user would write them."""
    base = without_route(model.rpartition("/")[2])
    return " or ".join(f"{route}.{base}" for route in ("global", "us", "eu", "jp", "apac"))
