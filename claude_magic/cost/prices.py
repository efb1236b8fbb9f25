"""Prices of tokens: dated data, and the functions that read it.

Rates are US dollars per million tokens. An unknown price is `None`, never a guess. Sums are exact fractions, which
are rounded once, at the end.

Source: https://docs.anthropic.com/en/docs/about-claude/pricing
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from importlib import resources
from typing import Any

from .figures import UnknownCount, count, object_field, object_list

Corrections = Mapping[str, Mapping[str, Any]]
_NO_CORRECTIONS: Corrections = {}

# Assumed for a web search tool without `max_uses`, which the API does not limit; recorded replies had up to 10.
DEFAULT_SEARCHES = 10

TOKEN_RATES = ("input", "output", "cache_write_5m", "cache_write_1h", "cache_read")
_LATEST = re.compile(r"-latest\Z")
_DATE = re.compile(r"[-@][0-9]{8}\Z")
_FIRST_CLAUDE_4 = re.compile(r"(claude-(?:sonnet|opus)-4)[-@]20250514\Z")  # their names without a date end in -0


def as_of() -> str:
    """The date of the prices, in ISO 8601."""
    return str(_data()["as_of"])


def models_with_price() -> list[str]:
    """The names of the models with a known price."""
    return list(_data()["models"])


def rates(model: str, corrections: Corrections = _NO_CORRECTIONS) -> Mapping[str, Any]:
    """The known prices of a model, in US dollars per million tokens; empty if there are none."""
    try:
        return _rates(model, corrections)
    except UnknownCount:
        return {}


def cost_usd(
    model: str, usage: Mapping[str, Any], *, corrections: Corrections = _NO_CORRECTIONS, batch: bool = False
) -> float | None:
    """The cost of a complete reply, in US dollars.

    Args:
        model: As in the request or in the reply; a date or `-latest` at its end makes no difference.
        usage: The API's JSON; its `input_tokens` do not include tokens written to or read from the cache.
        corrections: By model, rates such as {"input": 1, "output": 2}, which replace known ones.
        batch: Whether the reply is part of a batch; also if `service_tier` says so.

    Returns:
        `None` if the model, a rate, a count or the terms are unknown (`service_tier: "priority"` is paid in advance;
        compaction and fallbacks are billed in addition to these counts).

    Source: https://docs.anthropic.com/en/docs/about-claude/pricing
    """
    try:
        return float(_reply_cost(_rates(model, corrections), usage, batch))
    except UnknownCount:
        return None


def highest_cost(
    body: Mapping[str, Any], *, sent: int, corrections: Corrections = _NO_CORRECTIONS, batch: bool = False
) -> float | None:
    """The highest cost of a request with `sent` input tokens, in US dollars.

    It includes the price of web searches, but not that of the input tokens which their results add.

    Args:
        body: The request, as the API's JSON.
        sent: Input tokens, including those in the cache.
        corrections: As in `cost_usd`.
        batch: Whether it is sent in a batch.

    Returns:
        `None` if it is unknown; whether it is does not depend on `sent`.

    Source: https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching
    """
    try:
        rates, tokens = _rates(body.get("model"), corrections), count({"sent": sent}, "sent")
        return float(_upper_bound(rates, body, tokens, batch))
    except UnknownCount:
        return None


@functools.cache
def _data() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("prices.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


def _rates(model: object, corrections: Corrections) -> Mapping[str, Any]:
    """The known rates of a model, corrected field by field."""
    rates = {**_entry(_data()["models"], model)}
    for name, value in _entry(corrections, model).items():
        before = rates.get(name)
        rates[name] = {**before, **value} if isinstance(before, Mapping) and isinstance(value, Mapping) else value
    if not rates:
        raise UnknownCount
    return rates


def _entry(models: Mapping[str, Any], model: object) -> Mapping[str, Any]:
    """The entry of the first possible name of a model; empty if there is none."""
    names = _possible_names(model) if isinstance(model, str) else ()
    return next((models[name] for name in names if name in models), {})


@functools.lru_cache(maxsize=100)
def _possible_names(model: str) -> tuple[str, ...]:
    return model, _DATE.sub("", model), _LATEST.sub("", model), _FIRST_CLAUDE_4.sub(r"\1-0", model)


def _reply_cost(rates: Mapping[str, Any], usage: Mapping[str, Any], batch: bool) -> Fraction:
    if not _is_at_list_price(usage):
        raise UnknownCount
    tokens = _tokens(usage)
    prompt = sum(tokens.values()) - tokens["output"]
    *_, tier = (tier for above, tier in _tiers(rates) if prompt > above)
    millionths = sum((count * _rate(tier, name) for name, count in tokens.items() if count), Fraction())
    if batch or usage.get("service_tier") == "batch":
        millionths *= _rate(_data(), "batch_multiplier")
    searches = count(object_field(usage, "server_tool_use"), "web_search_requests")
    return millionths * _multiplier(rates, usage) / 1_000_000 + _search_cost(searches)


def _is_at_list_price(usage: Mapping[str, Any]) -> bool:
    """Whether list prices apply, and all tokens are in `usage`."""
    return (
        usage.get("service_tier") in (None, "standard", "batch")
        and usage.get("speed") in (None, "standard", "fast")
        and usage.get("fallback_credit") is None
        and all(each.get("type") == "message" for each in object_list(usage, "iterations"))
    )


def _tokens(usage: Mapping[str, Any]) -> dict[str, int]:
    """The number of tokens at each rate."""
    details = object_field(usage, "cache_creation")
    write_1h = count(details, "ephemeral_1h_input_tokens")
    write_all = count(usage, "cache_creation_input_tokens")
    return {
        "input": count(usage, "input_tokens", required=True),
        "cache_write_5m": max(count(details, "ephemeral_5m_input_tokens"), write_all - write_1h),
        "cache_write_1h": write_1h,
        "cache_read": count(usage, "cache_read_input_tokens"),
        "output": count(usage, "output_tokens", required=True),
    }


def _upper_bound(rates: Mapping[str, Any], body: Mapping[str, Any], sent: int, batch: bool) -> Fraction:
    if body.get("fallbacks"):  # another model may answer
        raise UnknownCount
    limit = "max_tokens_to_sample" if "prompt" in body else "max_tokens"
    names, output = _input_rates(body), count(body, limit, required=True)
    tiers = [
        (above, sent * max(_rate(tier, name) for name in names) + output * _rate(tier, "output"))
        for above, tier in _tiers(rates)
    ]
    millionths = max(cost for above, cost in tiers if sent > above)
    if batch:
        millionths *= _rate(_data(), "batch_multiplier")
    return millionths * _multiplier(rates, body) / 1_000_000 + _search_cost(_searches(body))


def _input_rates(body: Mapping[str, Any]) -> list[str]:
    """The names of the rates that input can be billed at."""
    ttls = [control.get("ttl") for control in cache_controls(body)]
    names = ["input", "cache_read", "cache_write_5m"] if ttls else ["input"]
    return [*names, "cache_write_1h"] if "1h" in ttls else names


def cache_controls(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The marks for prompt caching in a request."""
    rest: list[Any] = [body]
    while rest:
        value = rest.pop()
        if isinstance(value, Mapping):
            control = value.get("cache_control")
            if isinstance(control, Mapping):
                yield control
            rest.extend(value.values())
        elif isinstance(value, list | tuple):
            rest.extend(value)


def _searches(body: Mapping[str, Any]) -> int:
    """The number of web searches that a request allows, or is assumed to allow."""
    searches = 0
    for tool in object_list(body, "tools"):
        kind = str(tool.get("type"))
        if kind.startswith("advisor_"):  # another model answers too
            raise UnknownCount
        if kind.startswith("web_search_"):
            searches += DEFAULT_SEARCHES if tool.get("max_uses") is None else count(tool, "max_uses")
    return searches


def _search_cost(searches: int) -> Fraction:
    return searches * _rate(_data(), "web_search_usd_per_1000") / 1_000


def _multiplier(rates: Mapping[str, Any], terms: Mapping[str, Any]) -> Fraction:
    """The factor for speed and region, which are in the same fields of a usage and of a request."""
    if terms.get("speed") not in (None, "standard", "fast"):
        raise UnknownCount
    speed = _rate(rates, "fast_mode_multiplier") if terms.get("speed") == "fast" else Fraction(1)
    region = _rate(rates, "inference_geo_us_multiplier") if terms.get("inference_geo") == "us" else Fraction(1)
    return speed * region


def _tiers(rates: Mapping[str, Any]) -> Iterator[tuple[Fraction, Mapping[str, Any]]]:
    """The rates, each after the number of prompt tokens above which they apply; those of the longest prompts last."""
    yield Fraction(-1), rates
    tier = rates.get("long_prompt")
    if tier is not None:
        if not isinstance(tier, Mapping):
            raise UnknownCount
        yield _rate(tier, "threshold_prompt_tokens"), tier


def _rate(rates: Mapping[str, Any], name: str) -> Fraction:
    """A rate or a factor, exactly as written in the data."""
    value = rates.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise UnknownCount
    return _fraction(str(value))


_fraction = functools.lru_cache(maxsize=1_000)(Fraction)
