"""Programs for the clouds that host Claude: their clients in the official SDKs, and what opens them without one.

Source: https://platform.claude.com/docs/en/cli-sdks-libraries/overview
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..errors import CellError
from ..wire import Headers, Request
from ..wire.request import Hosting
from .literals import javascript_text, python_text

if TYPE_CHECKING:
    from .call import Call

_SDK_VERSION = "2026-10-21"  # sent by the SDKs where a platform wants it in the body
_MISSING = re.compile(
    r"\b(?:REGION|PROJECT|WORKSPACE|RESOURCE)\b"
)  # in an address, of which nobody has said what it is
_SCOPE = re.compile(r"Credential=\*\*\*/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")


@dataclass(frozen=True, kw_only=True)
class PlatformClient:
    """The client of one platform in the SDKs.

    Attributes:
        python: Its class in the SDK for Python.
        arguments: By setting, the argument of that class.
        package: What has it for TypeScript; `""` if there is none.
        typescript: Its class there.
        options: By setting, the option of that class.
        token: The command that prints a token, for programs without a client.
        service: The name that AWS has for it in signatures.
    """

    python: str
    arguments: Mapping[str, str]
    package: str = ""
    typescript: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    token: str = ""
    service: str = ""


_AWS = {"region": "aws_region", "aws_profile": "aws_profile"}
_GCLOUD = "gcloud auth print-access-token"
CLIENTS = {
    "bedrock": PlatformClient(
        python="AnthropicBedrock",
        arguments=_AWS,
        package="@anthropic-ai/bedrock-sdk",
        typescript="AnthropicBedrock",
        options={"region": "awsRegion"},
        service="bedrock",
    ),
    "bedrock-mantle": PlatformClient(
        python="AnthropicBedrockMantle",
        arguments=_AWS,
        package="@anthropic-ai/bedrock-sdk",
        typescript="AnthropicBedrockMantle",
        options={"region": "awsRegion"},
        service="bedrock-mantle",
    ),
    "aws": PlatformClient(
        python="AnthropicAWS",
        arguments={**_AWS, "workspace": "workspace_id"},
        package="@anthropic-ai/aws-sdk",
        typescript="AnthropicAws",
        options={"region": "awsRegion", "workspace": "workspaceId"},
        service="aws-external-anthropic",
    ),
    "vertex": PlatformClient(
        python="AnthropicVertex",
        arguments={"region": "region", "project": "project_id"},
        package="@anthropic-ai/vertex-sdk",
        typescript="AnthropicVertex",
        options={"region": "region", "project": "projectId"},
        token=_GCLOUD,
    ),
    "google-cloud": PlatformClient(
        python="AnthropicGoogleCloud",
        arguments={"project": "project", "region": "location", "workspace": "workspace_id"},
        token=_GCLOUD,
    ),
    "foundry": PlatformClient(
        python="AnthropicFoundry",
        arguments={"resource": "resource"},
        package="@anthropic-ai/foundry-sdk",
        typescript="AnthropicFoundry",
        options={"resource": "resource"},
        token="az account get-access-token --scope https://ai.azure.com/.default --query accessToken --output tsv",  # noqa: S106
    ),
}


def of_sdk(request: Request) -> Request:
    """A hosted request as the SDK's client takes it: like one of the API, with what only the platform's form has."""
    wire = request.on_wire
    body = dict(request.body or {})
    extra = {name: value for name, value in (wire.body or {}).items() if name not in body}
    if extra.get("anthropic_version") == _SDK_VERSION:
        del extra["anthropic_version"]
    headers = [pair for pair in request.headers.items() if pair[0] in wire.headers]
    return replace(request, body={**body, **extra} if request.body is not None else None, headers=Headers(headers))


def of_wire(request: Request) -> Request:
    """A hosted request as it is sent."""
    return replace(request.on_wire, hosting=request.hosting, upload=request.upload, files=request.files)


def client(call: Call) -> PlatformClient:
    """The client of the platform that a request goes to.

    Raises:
        CellError: No program is known for it.
    """
    assert call.hosting is not None  # noqa: S101  the caller looks
    found = CLIENTS.get(call.hosting.platform)
    if found is None:
        raise CellError(f"no program is known for {call.hosting.platform}. Look at claude.last.request.on_wire.")
    return found


def python_arguments(call: Call) -> Iterator[tuple[str, str]]:
    """The arguments of the client's class."""
    if call.hosting is None:
        return
    found = client(call)
    for name, value in call.hosting.settings.items():
        if value and name in found.arguments:
            yield found.arguments[name], python_text(value)


def typescript_arguments(call: Call) -> Iterator[tuple[str, str]]:
    """The options of the client's class.

    Raises:
        CellError: There is no client for TypeScript.
    """
    if call.hosting is None:
        return
    found = client(call)
    if not found.package:
        raise CellError(f"no TypeScript program: {found.python} is known for Python only. Export it as python or curl.")
    for name, value in call.hosting.settings.items():
        if value and name in found.options:
            yield found.options[name], javascript_text(value)


def typescript_class(call: Call) -> tuple[str, str]:
    """What is imported for TypeScript, and the package that has it."""
    found = client(call)
    is_named = found.python.startswith("AnthropicBedrock")
    return f"{{ {found.typescript} }}" if is_named else found.typescript, found.package


def signature_scope(request: Request) -> tuple[str, str] | None:
    """Region and service of the signature of AWS that opens a request; `None` if it has none."""
    opened = request.headers.get("authorization", "")
    match = _SCOPE.search(opened)
    if match is not None:
        return match[1], match[2]
    hosting = request.hosting
    known = None if hosting is None else CLIENTS.get(hosting.platform)
    if opened or known is None or hosting is None or not known.service:
        return None
    return hosting.settings.get("region", ""), known.service  # no credentials were there yet


def note(call: Call, comment: str) -> str:
    """The lines that say what a program without a client needs; `""` for nothing.

    Args:
        comment: What begins a comment.
    """
    if call.hosting is None:
        return ""
    lines = []
    if call.credential[1].name == "ACCESS_TOKEN" and signature_scope(call.request) is None:
        lines.append(f"ACCESS_TOKEN is what this prints: {client(call).token}")
    if call.hosting.platform == "aws" and "anthropic-workspace-id" not in call.request.headers:
        lines.append("It needs the header anthropic-workspace-id too: here no workspace was set.")
    if returns_frames(call):
        lines.append("The reply is an event stream of AWS: binary frames, each with an event in base64.")
    return "".join(f"{comment} {line}\n" for line in lines)


def missing(hosting: Hosting) -> str:
    """Which settings a program still needs, in a sentence; `""` if the address is known."""
    names = [*dict.fromkeys(_MISSING.findall(hosting.request.url))]
    if not names:
        return ""
    settings = ", ".join(f"Claude.{name.lower()}" for name in names)
    return f"{' and '.join(names)} must be filled in: {settings} {'is' if len(names) == 1 else 'are'} not set."


def returns_frames(call: Call) -> bool:
    """Whether the answer is AWS's event stream."""
    return call.hosting is not None and call.url.endswith("/invoke-with-response-stream")


def refuse_openai(call: Call) -> None:
    """Refuses a program for OpenAI's SDK.

    Raises:
        CellError: A platform is asked, which has no such endpoint for Claude.
    """
    if call.hosting is not None:
        raise CellError(
            f"no OpenAI program: {call.hosting.platform} has no endpoint of that kind for Claude. "
            "Export it as python, curl or requests."
        )
