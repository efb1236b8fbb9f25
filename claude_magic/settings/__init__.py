"""The defaults of every cell: `%config Claude`, or `c.Claude` in `ipython_config.py`.

No credential is a setting: `%config` would show it.
"""

from __future__ import annotations

import difflib
import functools
import math
import os
import re
from typing import Any
from urllib.parse import urlsplit

from traitlets import Bool, Dict, Enum, Float, HasTraits, Int, TraitError, Unicode, validate
from traitlets.config import Configurable

from ..errors import SettingsError, did_you_mean
from ..hosts import is_loopback
from . import project

ANTHROPIC = "https://api.anthropic.com"
PLATFORMS = ("bedrock", "bedrock-mantle", "aws", "vertex", "google-cloud", "foundry")
"""The clouds that host Claude, by the names of `Claude.provider`."""
PROVIDERS = ("auto", "anthropic", "local", *PLATFORMS)
_PLACE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.:-]*[A-Za-z0-9])?")  # it becomes a part of a host or of a path
AT_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")  # one label of a host


class InvalidSetting(SettingsError, TraitError):
    """An invalid value of a setting; it is refused when it is assigned."""


_VERSION_AND_ENDPOINT = re.compile(r"/*(/v1(/+messages)?)?/*$")
_OTHER_APIS = ("/chat/completions", "/v1/completions", "/v1/responses", "/api/generate", "/api/chat")


class URL(Unicode):  # type: ignore[type-arg]
    """A URL that follows `$ANTHROPIC_BASE_URL` until a value is assigned."""

    def get(self, obj: HasTraits, cls: type[Any] | None = None) -> str:
        return self.assigned_value(obj, cls) or os.environ.get("ANTHROPIC_BASE_URL", "").strip() or ANTHROPIC

    def assigned_value(self, obj: HasTraits, cls: type[Any] | None = None) -> str:
        """The value that was assigned; `""` if none was."""
        return super().get(obj, cls) or ""


class OldSettingName(Bool):  # type: ignore[type-arg]
    """An old name of a setting, which still reads and sets it.

    Attributes:
        new: The new name.
    """

    def __init__(self, new: str, *, help: str) -> None:
        super().__init__(False, help=help)
        self.new = new

    def get(self, obj: HasTraits, cls: type[Any] | None = None) -> Any:
        return getattr(obj, self.new)


class Claude(Configurable):
    """Defaults of all `%%claude` cells."""

    model = Unicode("claude-opus-5-5", help="The model that answers.").tag(config=True)
    max_tokens = Int(4096, min=1, help="Longest reply, in tokens (1 or more).").tag(config=True)
    system = Unicode("", help="System prompt; empty: none is sent.").tag(config=True)
    base_url = URL("", help="Where the API is; default: $ANTHROPIC_BASE_URL, else https://api.anthropic.com.").tag(
        config=True
    )
    api_version = Unicode("2023-06-01", help="The `anthropic-version` header.").tag(config=True)
    timeout = Float(600.0, min=0.01, help="Read timeout, in seconds (0.01 or more).").tag(config=True)
    connect_timeout = Float(10.0, min=0.01, help="Connect timeout, in seconds (0.01 or more).").tag(config=True)
    max_retries = Int(2, min=0, max=20, help="How often a failed try is repeated (0 to 20).").tag(config=True)
    stream = Bool(True, help="Show the reply while it is written.").tag(config=True)
    panel = Bool(True, help="Show the panel with headers, usage, request and response.").tag(config=True)
    conversation = Unicode("", help="The conversation that cells continue; empty: each cell stands alone.").tag(
        config=True
    )
    provider = Enum(
        PROVIDERS,
        "auto",
        help="Who answers; auto: the API if there is a key or a base_url, else the local model; or a cloud.",
    ).tag(config=True)
    region = Unicode("", help="Region of a cloud; empty: its own environment variable, such as $AWS_REGION.").tag(
        config=True
    )
    project = Unicode("", help="Project of Google Cloud; empty: its own environment variable.").tag(config=True)
    workspace = Unicode("", help="Workspace at Anthropic, on aws and google-cloud; empty: its own variable.").tag(
        config=True
    )
    resource = Unicode("", help="Resource of Foundry; empty: $ANTHROPIC_FOUNDRY_RESOURCE.").tag(config=True)
    deployment = Unicode("", help="Deployment of Foundry that answers; empty: the one named like the model.").tag(
        config=True
    )
    aws_profile = Unicode("", help="Profile of the AWS files with the credentials; empty: AWS's own order.").tag(
        config=True
    )
    table_rows = Int(50, min=1, help="Rows of a table that a prompt shows (1 or more).").tag(config=True)
    value_chars = Int(20_000, min=1, help="Characters of a value that a prompt shows (1 or more).").tag(config=True)
    local_model = Unicode("", help="Path of a .gguf file; empty: the small model that is installed.").tag(config=True)
    concurrency = Int(
        8, min=1, max=256, help="How many requests of a map or comparison are sent at once (1 to 256)."
    ).tag(config=True)
    journal = Unicode(
        None, allow_none=True, help="Path of the journal; None: in your data folder; empty: no journal is kept."
    ).tag(config=True)
    replay = Enum(
        ("off", "on", "only"),
        "off",
        help="Recorded answers: off: not used; on: used where there is one, else sent; only: nothing is ever sent.",
    ).tag(config=True)
    replay_speed = Float(10.0, min=0, help="How many times as fast as recorded (0 or more); 0: without waits.").tag(
        config=True, number="a number"
    )
    reuse_on_run_all = Bool(
        False, help="Answer a cell from the journal if it would repeat the request whose reply its output shows."
    ).tag(config=True)
    confirm_run_all = OldSettingName("reuse_on_run_all", help="The old name of reuse_on_run_all.").tag(config=True)
    prices = Dict(help="Prices of models, in US dollars per million tokens: {'name': {'input': 1, 'output': 2}}.").tag(
        config=True
    )
    budget_usd = Float(None, allow_none=True, min=0, help="The most that this kernel may spend, in US dollars.").tag(
        config=True, number="a number of US dollars, or None"
    )
    budget_usd_per_day = Float(
        None, allow_none=True, min=0, help="The most that all notebooks may spend in a day, in US dollars."
    ).tag(config=True, number="a number of US dollars, or None")
    confirm_above_usd = Float(
        None,
        allow_none=True,
        min=0,
        help="Ask before claude.map and claude.batch send what may cost more, in US dollars; None never asks.",
    ).tag(config=True, number="a number of US dollars, or None")
    unpriced = Enum(
        ("refuse", "allow"), "refuse", help="Under a budget: what to do with a model whose price is unknown."
    ).tag(config=True)
    max_tool_steps = Int(
        10, min=1, max=1000, help="The most requests of a turn in which tools are called (1 to 1000)."
    ).tag(config=True)
    allow_http = Bool(False, help="Allow http:// to other machines: others on the network can read it.").tag(
        config=True
    )

    def __init__(self, **values: Any) -> None:
        self._assigned: set[str] = set()
        super().__init__(**values)

    def __setattr__(self, name: str, value: Any) -> None:
        trait = self.traits().get(name)
        name = trait.new if isinstance(trait, OldSettingName) else name
        if not name.startswith("_") and not hasattr(type(self), name):
            near = did_you_mean(difflib.get_close_matches(name, self.trait_names(config=True), n=1))
            raise InvalidSetting(f"no setting {name}; nothing was set.{near} %config Claude lists them.")
        try:
            if isinstance(value, bool) and isinstance(self.traits().get(name), Int | Float):
                raise TraitError  # to Python, True is a number
            super().__setattr__(name, value)
            if self.has_trait(name) and name != "config":
                self._assigned.add(name)
        except InvalidSetting:
            raise
        except TraitError:
            raise InvalidSetting(
                f"Claude.{name} = {value!r} is refused. It must be {_expectation(self.traits()[name])}."
            ) from None

    @validate("model", "api_version")
    def _valid_word(self, proposal: dict[str, Any]) -> str:
        value: str = proposal["value"].strip()
        if not value.isprintable() or not value.isascii() or not value:
            raise InvalidSetting(f"Claude.{proposal['trait'].name} = {value!r} is refused. It must be one word.")
        return value

    @validate("region", "project", "workspace", "resource", "deployment")
    def _valid_place(self, proposal: dict[str, Any]) -> str:
        name, value = proposal["trait"].name, proposal["value"].strip()
        form = AT_HOST if name in ("region", "resource") else _PLACE
        if value and not form.fullmatch(value):
            raise InvalidSetting(f"Claude.{name} = {value[:80]!r} is refused. It must be one name, not an address.")
        return str(value)

    @validate("aws_profile")
    def _valid_profile(self, proposal: dict[str, Any]) -> str:
        value: str = proposal["value"].strip()
        if not value.isprintable():
            raise InvalidSetting(f"Claude.aws_profile = {value[:80]!r} is refused. It must be the name of a profile.")
        return value

    @validate("timeout", "connect_timeout", "replay_speed", "budget_usd", "budget_usd_per_day", "confirm_above_usd")
    def _valid_number(self, proposal: dict[str, Any]) -> float | None:
        value: float | None = proposal["value"]
        if value is not None and not math.isfinite(value):
            raise InvalidSetting(
                f"Claude.{proposal['trait'].name} = {value} is refused. It must be {_number(proposal['trait'])}."
            )
        return value

    @validate("prices")
    def _valid_prices(self, proposal: dict[str, Any]) -> dict[str, dict[str, Any]]:
        value: dict[str, Any] = proposal["value"]
        for model, rates in value.items():
            if not isinstance(model, str) or not isinstance(rates, dict) or not all(map(_is_rate, rates.values())):
                raise InvalidSetting(
                    f"Claude.prices of {model!r} is refused: {rates!r}. "
                    "Write it like {'input': 1.0, 'output': 5.0}, in US dollars per million tokens."
                )
        return value

    @validate("base_url")
    def _valid_url(self, proposal: dict[str, Any]) -> str:
        value: str = proposal["value"].strip()
        return check_url(value, allow_http=True) if value else value

    def effective(self, profile: str = "", provider: str = "") -> tuple[Claude, dict[str, str]]:
        """The settings of one cell, and the source of each that is not a built-in default.

        A profile overrides assigned values, and these override the project's settings.

        Args:
            provider: What the option `--provider` says; `""` for the setting's value.

        Raises:
            InvalidSetting: A value of the project's file is invalid, or the profile does not exist.
        """
        loaded = project.load_project()
        if not profile and not provider and not loaded.values:
            return self, dict.fromkeys(self._assigned, "%config")
        layers = [(loaded.values, str(loaded.path)), ({n: getattr(self, n) for n in self._assigned}, "%config")]
        if profile:
            layers.append((_profile(loaded, profile), f"profile {profile}"))
        if provider:
            layers.append(({"provider": provider}, "--provider"))
        settings, sources = Claude(), {}
        for values, source in layers:
            for name, value in values.items():
                if not _may_set(name, source, str(loaded.path)):
                    raise InvalidSetting(f"{source}: {name!r} is not a project setting. {_not_allowed_hint(name)}")
                setattr(settings, name, value)
                sources[name] = source
        return settings, sources

    def is_assigned(self, name: str) -> bool:
        """Whether a value was set, by `%config`, a configuration file or the project."""
        return name in self._assigned

    def assigned_values(self) -> dict[str, Any]:
        """The values that somebody set, by name; also prices that were added in place."""
        values = self.trait_values(config=True)
        return {name: value for name, value in values.items() if self.is_assigned(name) or (name == "prices" and value)}

    @property
    def base_url_is_configured(self) -> bool:
        """Whether an endpoint is set, here or in the environment."""
        return bool(type(self).base_url.assigned_value(self) or os.environ.get("ANTHROPIC_BASE_URL", "").strip())


def _profile(loaded: project.Project, name: str) -> dict[str, Any]:
    if name not in loaded.profiles:
        known = ", ".join(loaded.profiles) or "none"
        raise InvalidSetting(f"no profile {name!r}. Known: {known}, in [tool.claude-magic.profiles] of pyproject.toml.")
    return loaded.profiles[name]


def _may_set(name: str, source: str, file: str) -> bool:
    """Whether a setting may come from there: the project's file decides nothing about where a key is sent."""
    if name in project.PROJECT_SETTINGS or source in ("%config", "--provider"):
        return True
    return source != file and name in project.PROFILE_SETTINGS


def _not_allowed_hint(name: str) -> str:
    if Claude.class_traits().get(name) is not None:
        return "A project's file must not decide where your key is sent: use %config."
    return f"Known: {', '.join(sorted(project.PROJECT_SETTINGS))}."


@functools.lru_cache(maxsize=100)
def check_url(url: str, *, allow_http: bool) -> str:
    """`url` without `/v1`, `/v1/messages` or a slash at its end, which requests add.

    Raises:
        InvalidSetting: It is not an http(s) URL, holds a password, a query or a fragment, leads to another API, or is
            unencrypted to another machine and that is not allowed.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not host or not url.isprintable() or " " in url:
        raise InvalidSetting(f"base_url is not a URL: {url[:200]!r}. Write it like {ANTHROPIC}.")
    if "@" in parts.netloc:
        raise InvalidSetting("base_url contains a user name or password. Leave it out: see claude.login().")
    if parts.query or parts.fragment:
        raise InvalidSetting(f"base_url ends in a query or fragment: {url[:200]!r}. Leave it out.")
    if parts.scheme == "http" and not allow_http and not is_loopback(host):
        raise InvalidSetting(
            f"http:// to {host} would let others on the network read the key and the text. "
            "Use https://, or set Claude.allow_http = True."
        )
    if parts.path.rstrip("/").endswith(_OTHER_APIS):
        raise InvalidSetting(f"base_url leads to another API: {url[:200]!r}. Leave out what follows the host.")
    return _VERSION_AND_ENDPOINT.sub("", url)


def _expectation(trait: Any) -> str:
    if isinstance(trait, Enum):
        return "one of " + ", ".join(map(repr, trait.values or ()))
    kind = {Int: "a whole number", Bool: "True or False", Dict: "a dict"}.get(type(trait), "text")
    kind = _number(trait) if isinstance(trait, Float) else kind
    low, high = getattr(trait, "min", None), getattr(trait, "max", None)
    limits = [f"at least {low}"] * (low is not None) + [f"at most {high}"] * (high not in (None, math.inf))
    return ", ".join([kind, *filter(None, [" and ".join(limits)])])


def _number(trait: Any) -> str:
    return str(trait.metadata.get("number", "a number of seconds"))


def _is_rate(value: Any) -> bool:
    """Whether `value` is a price, or a dict of the prices of long prompts."""
    if isinstance(value, dict):
        return all(isinstance(inner, int | float) and inner >= 0 for inner in value.values())
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
