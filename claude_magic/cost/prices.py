"""What tokens cost: dated data, and the one place that reads it.

Rates are US dollars per million tokens. What is not known is `None`, never a guess. Sums are exact,
as fractions, and rounded once, at their end.

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

from .figures import UnknownCount, count, inner, mappings

Corrections = Mapping[str, Mapping[str, Any]]
_NONE: Corrections = {}

SEARCHES = 10  # web searches of a tool without `max_uses`, which the API does not limit; recorded replies had up to 10

_LATEST = re.compile(r"-latest\Z")
_DATE = re.compile(r"[-@][0-9]{8}\Z")
_FIRST_OF_4 = re.compile(r"(claude-(?:sonnet|opus)-4)[-@]20250514\Z")  # their names without a date end in -0


def as_of() -> str:
    """The day that the prices are of, in ISO 8601."""
    return str(_data()["as_of"])


def priced_models() -> list[str]:
    """The models with a price, as the API names them."""
    return list(_data()["models"])


def rates(model: str, corrections: Corrections = _NONE) -> Mapping[str, Any]:
    """What is known of a model's prices, US dollars per million tokens; empty if nothing is."""
    try:
        return _rates(model, corrections)
    except UnknownCount:
        return {}


def cost_usd(
    model: str, usage: Mapping[str, Any], *, corrections: Corrections = _NONE, batch: bool = False
) -> float | None:
    """US dollars of one finished reply.

    Args:
        model: As it was asked for, or as the reply names it; a date or `-latest` at its end does not matter.
        usage: The API's JSON; its `input_tokens` are those that the cache has no share in.
        corrections: By model, US dollars per million tokens, as {"input": 1, "output": 2}: laid over what is known.
        batch: Whether it is of a batch; `service_tier` says so too.

    Returns:
        `None` if it is unknown: the model is, or a rate that is needed, or how much it was, or at what terms
        (`service_tier: "priority"` is paid beforehand; compaction and fallbacks are billed beside these counts).

    Source: https://docs.anthropic.com/en/docs/about-claude/pricing
    """
    try:
        return float(_token_cost(_rates(model, corrections), usage, batch))
    except UnknownCount:
        return None


def highest_cost(body: Mapping[str, Any], *, sent: int, corrections: Corrections = _NONE) -> float | None:
    """The most US dollars that a request can cost when its input is `sent` tokens.

    What web searches find is more input than was sent, and not in it: only the searches are.

    Args:
        body: The request, as the API's JSON.
        sent: Input tokens, cached ones among them.
        corrections: As for `usd`.

    Returns:
        `None` if it is unknown; whether it is does not depend on `sent`.

    Source: https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching
    """
    try:
        return float(_upper_bound(_rates(body.get("model"), corrections), body, count({"sent": sent}, "sent")))
    except UnknownCount:
        return None


@functools.cache
def _data() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("prices.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


def _rates(model: object, corrections: Corrections) -> Mapping[str, Any]:
    """What is known of a model, and over it, field by field, what the user knows better."""
    rates = {**_entry(_data()["models"], model)}
    for name, value in _entry(corrections, model).items():
        before = rates.get(name)
        rates[name] = {**before, **value} if isinstance(before, Mapping) and isinstance(value, Mapping) else value
    if not rates:
        raise UnknownCount
    return rates


def _entry(models: Mapping[str, Any], model: object) -> Mapping[str, Any]:
    """The entry under the first of a model's names; empty if there is none."""
    names = _names(model) if isinstance(model, str) else []
    return next((models[name] for name in names if name in models), {})


def _names(model: str) -> list[str]:
    return [model, _DATE.sub("", model), _LATEST.sub("", model), _FIRST_OF_4.sub(r"\1-0", model)]


def _token_cost(rates: Mapping[str, Any], usage: Mapping[str, Any], batch: bool) -> Fraction:
    if not _is_at_list_price(usage):
        raise UnknownCount
    tokens = _tokens(usage)
    prompt = sum(tokens.values()) - tokens["output"]
    *_, tier = (tier for above, tier in _tiers(rates) if prompt > above)
    millionths = sum((count * _rate(tier, name) for name, count in tokens.items() if count), Fraction())
    if batch or usage.get("service_tier") == "batch":
        millionths *= _rate(_data(), "batch_multiplier")
    searches = count(inner(usage, "server_tool_use"), "web_search_requests")
    return millionths * _multiplier(rates, usage) / 1_000_000 + _search_cost(searches)


def _is_at_list_price(usage: Mapping[str, Any]) -> bool:
    """Whether tokens are sold one by one, and all of them are in `usage`."""
    return (
        usage.get("service_tier") in (None, "standard", "batch")
        and usage.get("speed") in (None, "standard", "fast")
        and usage.get("fallback_credit") is None
        and all(each.get("type") == "message" for each in mappings(usage, "iterations"))
    )


def _tokens(usage: Mapping[str, Any]) -> dict[str, int]:
    """How many tokens there are at each rate."""
    split = inner(usage, "cache_creation")
    for_an_hour = count(split, "ephemeral_1h_input_tokens")
    written = count(usage, "cache_creation_input_tokens")
    return {
        "input": count(usage, "input_tokens", needed=True),
        "cache_write_5m": max(count(split, "ephemeral_5m_input_tokens"), written - for_an_hour),
        "cache_write_1h": for_an_hour,
        "cache_read": count(usage, "cache_read_input_tokens"),
        "output": count(usage, "output_tokens", needed=True),
    }


def _upper_bound(rates: Mapping[str, Any], body: Mapping[str, Any], sent: int) -> Fraction:
    if body.get("fallbacks"):  # another model may answer
        raise UnknownCount
    names, received = _input_rates(body), count(body, "max_tokens", needed=True)
    tiers = [
        (above, sent * max(_rate(tier, name) for name in names) + received * _rate(tier, "output"))
        for above, tier in _tiers(rates)
    ]
    millionths = max(cost for above, cost in tiers if sent > above)
    return millionths * _multiplier(rates, body) / 1_000_000 + _search_cost(_searches(body))


def _input_rates(body: Mapping[str, Any]) -> list[str]:
    """The names of the rates that input can be billed at."""
    ttls = [mark.get("ttl") for mark in _cache_marks(body)]
    names = ["input", "cache_read", "cache_write_5m"] if ttls else ["input"]
    return [*names, "cache_write_1h"] if "1h" in ttls else names


def _cache_marks(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    rest: list[Any] = [body]
    while rest:
        value = rest.pop()
        if isinstance(value, Mapping):
            mark = value.get("cache_control")
            if isinstance(mark, Mapping):
                yield mark
            rest.extend(value.values())
        elif isinstance(value, list | tuple):
            rest.extend(value)


def _searches(body: Mapping[str, Any]) -> int:
    """How many web searches a request allows, or is taken to."""
    searches = 0
    for tool in mappings(body, "tools"):
        kind = str(tool.get("type"))
        if kind.startswith("advisor_"):  # another model answers too
            raise UnknownCount
        if kind.startswith("web_search_"):
            searches += SEARCHES if tool.get("max_uses") is None else count(tool, "max_uses")
    return searches


def _search_cost(searches: int) -> Fraction:
    return searches * _rate(_data(), "web_search_usd_per_1000") / 1_000


def _multiplier(rates: Mapping[str, Any], asked: Mapping[str, Any]) -> Fraction:
    """What speed and place make of a price; a usage and a request say them alike."""
    if asked.get("speed") not in (None, "standard", "fast"):
        raise UnknownCount
    fast = _rate(rates, "fast_mode_multiplier") if asked.get("speed") == "fast" else Fraction(1)
    place = _rate(rates, "inference_geo_us_multiplier") if asked.get("inference_geo") == "us" else Fraction(1)
    return fast * place


def _tiers(rates: Mapping[str, Any]) -> Iterator[tuple[Fraction, Mapping[str, Any]]]:
    """The number of prompt tokens above which rates hold, and they; those of the longest prompts last."""
    yield Fraction(-1), rates
    tier = rates.get("long_prompt")
    if tier is not None:
        if not isinstance(tier, Mapping):
            raise UnknownCount
        yield _rate(tier, "threshold_prompt_tokens"), tier


def _rate(rates: Mapping[str, Any], name: str) -> Fraction:
    """A rate or a factor, exactly as it is written."""
    value = rates.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise UnknownCount
    return _exact(str(value))


_exact = functools.lru_cache(maxsize=1_000)(Fraction)
