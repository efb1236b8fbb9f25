"""Prices: what a reply cost, and what a request can cost at most; every number below was worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.cost import prices
from claude_magic.cost.prices import as_of, cost_usd, highest_cost, models_with_price
from claude_magic.cost.token_bounds import token_bound

PLAIN = {"input_tokens": 1_000, "output_tokens": 100}


def usage(input_tokens: int = 0, output_tokens: int = 0, **others: Any) -> dict[str, Any]:
    return {"input_tokens": input_tokens, "output_tokens": output_tokens, **others}


def written(total: int | None, short: int, long: int) -> dict[str, Any]:
    split = {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long}
    return {"cache_creation_input_tokens": total, "cache_creation": split}


def searched(count: int) -> dict[str, Any]:
    return {"server_tool_use": {"web_search_requests": count, "web_fetch_requests": 0}}


@pytest.mark.parametrize(
    ("model", "dollars"),
    [
        # 1,000 in and 100 out: (1,000 * in + 100 * out) / 1,000,000
        ("claude-fable-5-2", 0.012),  # 8,000 + 4,000
        ("claude-mythos-5-2", 0.012),  # the same
        ("claude-fable-5", 0.015),  # 10,000 + 5,000
        ("claude-opus-5-5", 0.006),  # 4,000 + 2,000
        ("claude-opus-5", 0.0075),  # 5,000 + 2,500
        ("claude-sonnet-5-5", 0.003),  # 2,000 + 1,000
        ("claude-sonnet-4-6", 0.0045),  # 3,000 + 1,500
        ("claude-haiku-5-5", 0.00015),  # 100 + 50
        ("claude-haiku-4-5", 0.0015),  # 1,000 + 500
        ("claude-opus-4-1", 0.0225),  # 15,000 + 7,500
        ("claude-opus-4-0", 0.0225),
    ],
)
def test_tokens_cost_what_their_model_costs(model: str, dollars: float) -> None:
    assert cost_usd(model, PLAIN) == dollars


@pytest.mark.parametrize(
    ("model", "dollars"),
    [
        ("claude-opus-5-5-20261001", 0.006),  # its date is left off: claude-opus-5-5
        ("claude-opus-5-5@20261001", 0.006),  # as Vertex writes a date
        ("claude-opus-5-5-latest", 0.006),
        ("claude-haiku-4-5-20251001", 0.0015),  # listed with its date
        ("claude-opus-4-1-20250805", 0.0225),
        ("claude-sonnet-4-20250514", 0.0045),  # claude-sonnet-4-0: 3,000 + 1,500
        ("claude-sonnet-4@20250514", 0.0045),
        ("claude-opus-4-20250514", 0.0225),  # claude-opus-4-0: 15,000 + 7,500
        ("claude-sonnet-4", None),  # nobody's name
        ("claude-sonnet-4-20250515", None),  # not the day of claude-sonnet-4-0
        ("claude-opus", None),
        ("claude-opus-5-5-2026100", None),  # seven digits are no date
        ("claude-opus-5-5-20261001-preview", None),
        ("claude-opus-5-5\n", None),
        ("anthropic.claude-opus-5-5", None),
        ("claude-3-opus-20240229", None),
        ("Claude-Opus-5-5", None),
        ("", None),
    ],
)
def test_a_model_is_found_under_its_own_names_and_no_others(model: str, dollars: float | None) -> None:
    assert cost_usd(model, PLAIN) == dollars


@pytest.mark.parametrize(
    ("model", "used", "dollars"),
    [
        # Input tokens exclude those of the cache. Opus 5.5: in 4, out 20, write 5 and 8, read 0.2.
        ("claude-opus-5-5", usage(0, 0), 0.0),
        ("claude-opus-5-5", usage(1, 0), 0.000004),
        ("claude-opus-5-5", usage(0, 1), 0.00002),
        ("claude-opus-5-5", usage(10, 10, cache_read_input_tokens=1_000), 0.00044),  # 40 + 200 + 200
        ("claude-opus-5-5", usage(10, 10, cache_creation_input_tokens=1_000), 0.00524),  # 40 + 200 + 5,000
        ("claude-opus-5-5", usage(10, 10, **written(1_000, 1_000, 0)), 0.00524),
        ("claude-opus-5-5", usage(10, 10, **written(1_000, 0, 1_000)), 0.00824),  # 40 + 200 + 8,000
        ("claude-opus-5-5", usage(10, 10, **written(1_000, 600, 400)), 0.00644),  # 40 + 200 + 3,000 + 3,200
        ("claude-opus-5-5", usage(0, 0, **written(1_000, 100, 400)), 0.0062),  # 400 * 8, and the other 600 * 5
        ("claude-opus-5-5", usage(0, 0, **written(100, 600, 400)), 0.0062),  # the split is more: 3,000 + 3,200
        ("claude-opus-5-5", usage(0, 0, **written(None, 600, 400)), 0.0062),  # the total is not told
        # The cache's rates differ by model.
        ("claude-fable-5-2", usage(0, 0, cache_read_input_tokens=1_000_000), 0.2),
        ("claude-fable-5-1", usage(0, 0, cache_read_input_tokens=1_000_000), 0.25),
        ("claude-fable-5", usage(0, 0, cache_read_input_tokens=1_000_000), 1.0),
        ("claude-sonnet-5-5", usage(0, 0, cache_read_input_tokens=1_000_000), 0.1),
        ("claude-sonnet-5", usage(0, 0, cache_read_input_tokens=1_000_000), 0.2),
        ("claude-opus-4-1", usage(0, 0, cache_creation_input_tokens=1_000_000), 18.75),
        # Numbers that floats add up wrongly: 3 * 0.1 is 0.30000000000000004.
        ("claude-haiku-5-5", usage(3, 0), 0.0000003),
        ("claude-haiku-5-5", usage(3, 0, cache_creation_input_tokens=7, cache_read_input_tokens=9), 0.000001265),
        # Thinking is in the output: 100 * 20
        ("claude-opus-5-5", usage(0, 100, output_tokens_details={"thinking_tokens": 90}), 0.002),
    ],
)
def test_the_cache_is_paid_at_its_own_rates(model: str, used: dict[str, Any], dollars: float) -> None:
    assert cost_usd(model, used) == dollars


@pytest.mark.parametrize(
    ("model", "used", "dollars"),
    [
        # Haiku 5.5: in 0.1, out 0.5, write 0.125 and 0.2, read 0.01; above 100,000 five times as much.
        ("claude-haiku-5-5", usage(99_999, 1_000), 0.0104999),  # 9,999.9 + 500
        ("claude-haiku-5-5", usage(100_000, 1_000), 0.0105),  # 10,000 + 500
        ("claude-haiku-5-5", usage(100_001, 1_000), 0.0525005),  # 50,000.5 + 2,500
        ("claude-haiku-5-5", usage(1, 0, cache_read_input_tokens=99_999), 0.00100009),  # 0.1 + 999.99
        ("claude-haiku-5-5", usage(2, 0, cache_read_input_tokens=99_999), 0.00500095),  # 1 + 4,999.95
        ("claude-haiku-5-5", usage(1, 0, **written(100_000, 0, 100_000)), 0.1000005),  # 0.5 + 100,000
        ("claude-haiku-5-5", usage(1, 0, **written(100_000, 100_000, 0)), 0.0625005),  # 0.5 + 62,500
        ("claude-haiku-5-5", usage(0, 0, **written(7, 60_000, 40_001)), 0.077501),  # 37,500 + 40,001: the split counts
        ("claude-haiku-5-5", usage(1, 1_000_000), 0.5000001),  # output is no prompt: 0.1 + 500,000
        # Sonnet 4.5: in 3, out 15; above 200,000: in 6, out 22.5.
        ("claude-sonnet-4-5", usage(200_000, 1_000), 0.615),  # 600,000 + 15,000
        ("claude-sonnet-4-5", usage(200_001, 1_000), 1.222506),  # 1,200,006 + 22,500
        # Opus 5.5 has one price for all lengths.
        ("claude-opus-5-5", usage(1_000_000, 1_000), 4.02),
    ],
)
def test_a_long_prompt_makes_every_token_dearer(model: str, used: dict[str, Any], dollars: float) -> None:
    assert cost_usd(model, used) == dollars


@pytest.mark.parametrize(
    ("model", "used", "dollars"),
    [
        # 6,000 millionths of Opus 5.5, times so much
        ("claude-opus-5-5", {**PLAIN, "service_tier": "standard"}, 0.006),
        ("claude-opus-5-5", {**PLAIN, "service_tier": None}, 0.006),
        ("claude-opus-5-5", {**PLAIN, "service_tier": "batch"}, 0.003),  # / 2
        ("claude-opus-5-5", {**PLAIN, "speed": "standard"}, 0.006),
        ("claude-opus-5-5", {**PLAIN, "speed": "fast"}, 0.012),  # * 2
        ("claude-opus-5-5", {**PLAIN, "inference_geo": "us"}, 0.0066),  # * 1.1
        ("claude-opus-5-5", {**PLAIN, "inference_geo": "global"}, 0.006),
        ("claude-opus-5-5", {**PLAIN, "inference_geo": "not_available"}, 0.006),
        ("claude-opus-5-5", {**PLAIN, "inference_geo": None}, 0.006),
        ("claude-opus-5-5", {**PLAIN, "speed": "fast", "inference_geo": "us"}, 0.0132),  # * 2 * 1.1
        ("claude-opus-5-5", {**PLAIN, "service_tier": "batch", "inference_geo": "us"}, 0.0033),  # / 2 * 1.1
        ("claude-haiku-5-5", usage(100_001, 1_000, service_tier="batch"), 0.02625025),  # 52,500.5 / 2
        # A web search is a cent, whatever the tokens cost; a fetch is free.
        ("claude-opus-5-5", {**PLAIN, **searched(3)}, 0.036),
        ("claude-opus-5-5", {**PLAIN, **searched(3), "service_tier": "batch"}, 0.033),  # 0.003 + 0.03
        ("claude-opus-5-5", {**PLAIN, **searched(3), "speed": "fast", "inference_geo": "us"}, 0.0432),  # 0.0132 + 0.03
        ("claude-opus-5-5", {**PLAIN, "server_tool_use": {"web_fetch_requests": 9}}, 0.006),
        ("claude-opus-5-5", {**PLAIN, "server_tool_use": None}, 0.006),
        ("claude-opus-5-5", {**PLAIN, "server_tool_use": {"web_search_requests": None}}, 0.006),
        ("claude-opus-5-5", {**PLAIN, "cache_creation": None, "cache_read_input_tokens": None}, 0.006),
        ("claude-opus-5-5", {**PLAIN, "iterations": [{"type": "message"}, {"type": "message"}]}, 0.006),
    ],
)
def test_the_terms_of_a_reply_change_its_price(model: str, used: dict[str, Any], dollars: float) -> None:
    assert cost_usd(model, used) == dollars


def test_a_batch_is_half_and_not_a_quarter() -> None:
    assert cost_usd("claude-opus-5-5", PLAIN, batch=True) == 0.003
    assert cost_usd("claude-opus-5-5", {**PLAIN, "service_tier": "batch"}, batch=True) == 0.003


@pytest.mark.parametrize(
    ("model", "used"),
    [
        ("claude-nobody-1", PLAIN),
        ("claude-opus-5-5", {}),
        ("claude-opus-5-5", {"input_tokens": 1}),
        ("claude-opus-5-5", {"output_tokens": 1}),
        ("claude-opus-5-5", {"input_tokens": None, "output_tokens": 1}),
        ("claude-opus-5-5", usage(-1, 1)),
        ("claude-opus-5-5", {"input_tokens": True, "output_tokens": 1}),
        ("claude-opus-5-5", {"input_tokens": 1.0, "output_tokens": 1}),
        ("claude-opus-5-5", {"input_tokens": "1", "output_tokens": 1}),
        ("claude-opus-5-5", {"input_tokens": 10**400, "output_tokens": 1}),
        ("claude-opus-5-5", {**PLAIN, "cache_read_input_tokens": -1}),
        ("claude-opus-5-5", {**PLAIN, "cache_creation_input_tokens": "12"}),
        ("claude-opus-5-5", {**PLAIN, "cache_creation": [1]}),
        ("claude-opus-5-5", {**PLAIN, "cache_creation": {"ephemeral_1h_input_tokens": False}}),
        ("claude-opus-5-5", {**PLAIN, "server_tool_use": {"web_search_requests": 1.5}}),
        ("claude-opus-5-5", {**PLAIN, "service_tier": "priority"}),
        ("claude-opus-5-5", {**PLAIN, "service_tier": "a new one"}),
        ("claude-opus-5-5", {**PLAIN, "speed": "a new one"}),
        ("claude-sonnet-5-5", {**PLAIN, "speed": "fast"}),  # has no fast mode
        ("claude-haiku-4-5", {**PLAIN, "inference_geo": "us"}),  # nor a price for one place
        ("claude-opus-5-5", {**PLAIN, "iterations": [{"type": "message"}, {"type": "compaction"}]}),
        ("claude-opus-5-5", {**PLAIN, "iterations": 7}),
        ("claude-opus-5-5", {**PLAIN, "fallback_credit": {"status": "redeemed"}}),
    ],
)
def test_what_is_not_known_is_not_guessed(model: str, used: dict[str, Any]) -> None:
    assert cost_usd(model, used) is None


@pytest.mark.parametrize(
    ("model", "used", "corrections", "dollars"),
    [
        ("my-model", PLAIN, {"my-model": {"input": 1, "output": 2}}, 0.0012),  # 1,000 + 200
        ("my-model", PLAIN, {"my-model": {"input": 0, "output": 0.0}}, 0.0),
        ("my-model", PLAIN, {"your-model": {"input": 1, "output": 2}}, None),
        ("my-model", PLAIN, {"my-model": {"input": 1}}, None),
        ("my-model", PLAIN, {"my-model": {}}, None),
        ("my-model", PLAIN, {"my-model": {"input": True, "output": 2}}, None),
        ("my-model", PLAIN, {"my-model": {"input": float("nan"), "output": 2}}, None),
        ("my-model", PLAIN, {"my-model": {"input": float("inf"), "output": 2}}, None),
        ("my-model", PLAIN, {"my-model": {"input": -1, "output": 2}}, None),
        ("my-model", usage(1, 1, cache_read_input_tokens=1), {"my-model": {"input": 1, "output": 2}}, None),
        ("my-model", usage(1, 1, cache_read_input_tokens=0), {"my-model": {"input": 1, "output": 2}}, 0.000003),
        ("my-model", usage(1, 1, cache_creation_input_tokens=1), {"my-model": {"input": 1, "output": 2}}, None),
        # 2,000 + 200: a date, and `-latest`, are left off here too
        ("my-model-20260101", PLAIN, {"my-model": {"input": 2, "output": 2}}, 0.0022),
        ("my-model-latest", PLAIN, {"my-model": {"input": 2, "output": 2}}, 0.0022),
        ("claude-sonnet-4-20250514", PLAIN, {"claude-sonnet-4-0": {"input": 2, "output": 2}}, 0.0022),
        # Over what is known, field by field: 3,000 + 100 * 20, then 4,000 + 100 * 30
        ("claude-opus-5-5", PLAIN, {"claude-opus-5-5": {"input": 3}}, 0.005),
        ("claude-opus-5-5-20261001", PLAIN, {"claude-opus-5-5": {"output": 30}}, 0.007),
        ("claude-haiku-4-5-20251001", PLAIN, {"claude-haiku-4-5": {"input": 2}}, 0.0025),  # 2,000 + 500
        ("claude-haiku-4-5", PLAIN, {"claude-haiku-4-5-20251001": {"input": 2}}, 0.0015),  # another name
        ("claude-opus-5-5", {**PLAIN, "speed": "fast"}, {"claude-opus-5-5": {"fast_mode_multiplier": 3}}, 0.018),
        # Within the prices of long prompts too: 100,001 * 0.6 + 1,000 * 2.5
        (
            "claude-haiku-5-5",
            usage(100_001, 1_000),
            {"claude-haiku-5-5": {"long_prompt": {"input": 0.6}}},
            0.0625006,
        ),
        ("my-model", PLAIN, {"my-model": {"input": 1, "output": 2, "long_prompt": {}}}, None),
        ("my-model", PLAIN, {"my-model": {"input": 1, "output": 2, "long_prompt": 3}}, None),
    ],
)
def test_what_the_user_knows_better_is_laid_over(
    model: str, used: dict[str, Any], corrections: dict[str, Any], dollars: float | None
) -> None:
    assert cost_usd(model, used, corrections=corrections) == dollars


RECORDED = {
    "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
    "inference_geo": "not_available",
    "service_tier": "standard",
}


@pytest.mark.parametrize(
    ("model", "used", "dollars"),
    [
        # chatlas, test_anthropic_file_lifecycle: 3 * 3 + 1,636 * 3.75 + 4 * 15 = 9 + 6,135 + 60
        (
            "claude-sonnet-4-6",
            {**RECORDED, **usage(3, 4), **written(1_636, 1_636, 0), "inference_geo": "global"},
            0.006204,
        ),
        # ruby_llm, citations: 672 + 39 * 5
        ("claude-haiku-4-5-20251001", {**RECORDED, **usage(672, 39)}, 0.000867),
        # pydantic-ai, a pause after ten searches: 404,500 * 6 + 943 * 22.5 = 2,427,000 + 21,217.5, and ten cents
        ("claude-sonnet-4-5-20250929", {**RECORDED, **usage(404_500, 943), **searched(10)}, 2.5482175),
        # and what followed: 482,529 * 6 + 1,310 * 22.5 = 2,895,174 + 29,475, and five cents
        ("claude-sonnet-4-5-20250929", {**RECORDED, **usage(482_529, 1_310), **searched(5)}, 2.974649),
        # pydantic-ai, code execution: 4,714 * 3 + 304 * 15 = 14,142 + 4,560
        ("claude-sonnet-4-6", {**RECORDED, **usage(4_714, 304), **searched(0)}, 0.018702),
        # pydantic-ai, thinking: 43 * 3 + 282 * 15 = 129 + 4,230
        ("claude-sonnet-4-20250514", {**RECORDED, **usage(43, 282)}, 0.004359),
        # llm-anthropic, adaptive thinking: 34 * 5 + 44 * 25 = 170 + 1,100
        ("claude-opus-4-6", {**RECORDED, **usage(34, 44), "inference_geo": "global"}, 0.00127),
        # llm-anthropic, thinking shown: 598 + 92 * 5
        ("claude-haiku-4-5-20251001", {**RECORDED, **usage(598, 92)}, 0.001058),
        # dd-trace-py and openllmetry: models that are no longer sold
        ("claude-3-opus-20240229", usage(27, 15), None),
        ("claude-3-7-sonnet-20250219", usage(52, 216), None),
    ],
)
def test_a_recorded_reply_has_its_price(model: str, used: dict[str, Any], dollars: float | None) -> None:
    assert cost_usd(model, used) == dollars


def body(**fields: Any) -> dict[str, Any]:
    question = {"role": "user", "content": "Hello"}
    return {"model": "claude-opus-5-5", "max_tokens": 100, "messages": [question], **fields}


def marked(**mark: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": "Hello", "cache_control": {"type": "ephemeral", **mark}}]


@pytest.mark.parametrize(
    ("asked", "sent", "dollars"),
    [
        # Opus 5.5: 1,000 * 4 + 100 * 20
        (body(), 1_000, 0.006),
        (body(max_tokens=0), 1_000, 0.004),
        (body(), 0, 0.002),
        (body(system="Be brief.", stream=True), 1_000, 0.006),
        # Marked for the cache: 1,000 * 5 + 2,000; for an hour: 1,000 * 8 + 2,000
        (body(cache_control={"type": "ephemeral"}), 1_000, 0.007),
        (body(cache_control={"type": "ephemeral", "ttl": "5m"}), 1_000, 0.007),
        (body(cache_control={"type": "ephemeral", "ttl": "1h"}), 1_000, 0.01),
        (body(cache_control=None), 1_000, 0.006),
        (body(system=marked()), 1_000, 0.007),
        (body(system=marked(ttl="1h")), 1_000, 0.01),
        (body(system=marked(ttl="1h"), cache_control={"type": "ephemeral"}), 1_000, 0.01),
        (
            body(tools=[{"name": "t", "input_schema": {}, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]),
            1_000,
            0.01,
        ),
        (body(messages=[{"role": "user", "content": marked(ttl="1h")}]), 1_000, 0.01),
        (
            body(
                messages=[
                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": marked()}]}
                ]
            ),
            1_000,
            0.007,
        ),
        # Terms: * 2, * 1.1, both
        (body(speed="fast"), 1_000, 0.012),
        (body(inference_geo="us"), 1_000, 0.0066),
        (body(inference_geo="us", speed="fast"), 1_000, 0.0132),
        (body(inference_geo=None, speed=None), 1_000, 0.006),
        # Haiku 5.5 around its 100,000: 10,000 + 50; 50,000.5 + 250; 100,001 * 0.625 + 250
        (body(model="claude-haiku-5-5"), 100_000, 0.01005),
        (body(model="claude-haiku-5-5"), 100_001, 0.0502505),
        (body(model="claude-haiku-5-5", system=marked()), 100_001, 0.062750625),
        # Searches, a cent each: three, ten if not limited, thirteen of two tools; fetches are free
        (body(tools=[{"type": "web_search_20250305", "name": "web_search", "max_uses": 3}]), 1_000, 0.036),
        (body(tools=[{"type": "web_search_20260318", "name": "web_search"}]), 1_000, 0.106),
        (
            body(tools=[{"type": "web_search_1", "max_uses": 3}, {"type": "web_search_2", "max_uses": None}]),
            1_000,
            0.136,
        ),
        (body(tools=[{"type": "web_search_1", "max_uses": 3}], speed="fast"), 1_000, 0.042),  # 0.012 + 0.03
        (body(tools=[{"type": "web_fetch_20260318", "max_uses": 3}]), 1_000, 0.006),
        # Unknown
        (body(model="claude-nobody-1"), 1_000, None),
        (body(model=None), 1_000, None),
        ({"model": "claude-opus-5-5"}, 1_000, None),
        (body(max_tokens="100"), 1_000, None),
        (body(), -1, None),
        (body(model="claude-sonnet-5-5", speed="fast"), 1_000, None),
        (body(model="claude-haiku-4-5", inference_geo="us"), 1_000, None),
        (body(speed="a new one"), 1_000, None),
        (body(tools=[{"type": "web_search_1", "max_uses": "3"}]), 1_000, None),
        (body(tools=[{"type": "advisor_20260301", "model": "claude-opus-5-5"}]), 1_000, None),
        (body(fallbacks=[{"model": "claude-opus-5"}]), 1_000, None),
    ],
)
def test_the_most_that_a_request_can_cost(asked: dict[str, Any], sent: int, dollars: float | None) -> None:
    assert highest_cost(asked, sent=sent) == dollars


def test_the_most_follows_what_the_user_knows_better() -> None:
    mine = {"my-model": {"input": 1, "output": 2}}
    assert highest_cost(body(model="my-model"), sent=1_000, corrections=mine) == 0.0012  # 1,000 + 200
    assert highest_cost(body(model="my-model", system=marked()), sent=1_000, corrections=mine) is None


def test_whether_the_most_is_known_does_not_depend_on_the_length() -> None:
    half = {"my-model": {"input": 1, "output": 2, "long_prompt": {"threshold_prompt_tokens": 10, "input": 2}}}
    assert [highest_cost(body(model="my-model"), sent=sent, corrections=half) for sent in (1, 10, 11)] == [
        None,
        None,
        None,
    ]


def test_long_prompts_that_are_cheaper_do_not_lower_the_most() -> None:
    odd = {"m": {"input": 2, "output": 2, "long_prompt": {"threshold_prompt_tokens": 10, "input": 1, "output": 1}}}
    assert highest_cost(body(model="m"), sent=1_000, corrections=odd) == 0.0022  # 2,000 + 200


IMAGE = {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}
TOOL = {"name": "t", "input_schema": {}}  # {"name": "t", "input_schema": {}}: 33 bytes of JSON


def said(*content: Any) -> dict[str, Any]:
    return body(messages=[{"role": "user", "content": list(content)}])


def document(**source: Any) -> dict[str, Any]:
    return {"type": "document", "source": source}


@pytest.mark.parametrize(
    ("asked", "tokens"),
    [
        # 100 for the request, 20 for each message
        (body(messages=[]), 100),
        (body(), 125),  # Hello: 5
        (body(system="Brief"), 130),
        (body(system=[{"type": "text", "text": "Brief"}]), 130),
        (body(messages=[{"role": "user", "content": "é"}]), 122),  # two bytes
        (body(messages=[{"role": "user", "content": "😀"}]), 124),  # four bytes
        (body(messages=[{"role": "user", "content": "\ud800"}]), 123),  # half a letter: three
        (body(messages=[{"role": "user", "content": "\ufdfa"}]), 153),  # one letter that stands for 18: 33 bytes
        (body(messages=[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]), 142),
        (said({"type": "text", "text": "Hello"}), 125),
        (said({"type": "text", "text": "Hello", "cache_control": {"type": "ephemeral"}}), 125),
        (said(IMAGE), 5_120),
        (said(IMAGE, IMAGE, {"type": "text", "text": "Hello"}), 10_125),
        (said({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 99_999}}), 5_120),
        (said({"type": "image", "source": {"type": "file", "file_id": "file_1"}}), 5_120),
        # {"type": "document", "source": null} is 36 bytes
        (said(document(type="text", media_type="text/plain", data="Hello")), 161),
        (said(document(type="content", content="Hello")), 161),
        (said(document(type="content", content=[{"type": "text", "text": "Hello"}, IMAGE])), 5_161),
        # {"type": "tool_result", "tool_use_id": "t", "content": null} is 60 bytes
        (said({"type": "tool_result", "tool_use_id": "t", "content": "Hello"}), 185),
        (said({"type": "tool_result", "tool_use_id": "t", "content": [IMAGE]}), 5_180),
        # {"type": "thinking", "thinking": "", "signature": "abc"} is 56 bytes
        (said({"type": "thinking", "thinking": "", "signature": "abc"}), 176),
        # 1,000 for tools
        (body(tools=[TOOL]), 1_158),
        (body(tools=[TOOL, TOOL]), 1_191),
        # {"type": "bash_20250124", "name": "bash"} is 41 bytes, and the API describes it: 1,000
        (body(tools=[{"type": "bash_20250124", "name": "bash"}]), 2_166),
        # {"type": "json_schema", "schema": {}} is 37 bytes, and the API asks to keep to it: 1,000
        (body(output_config={"format": {"type": "json_schema", "schema": {}}}), 1_162),
        (body(output_config={"effort": "high"}), 125),
        (body(temperature=0, container=None, mcp_servers=[]), 125),
        # Not seen here
        (said(document(type="base64", media_type="application/pdf", data="JVBERi0=")), None),
        (said(document(type="url", url="https://example.org/a.pdf")), None),
        (said(document(type="file", file_id="file_1")), None),
        (said({**document(type="text", data="Hello"), "citations": {"enabled": True}}), None),
        (said({"type": "tool_result", "tool_use_id": "t", "content": [document(type="file", file_id="f")]}), None),
        (said({"type": "container_upload", "file_id": "file_1"}), None),
        (said({"type": "web_search_tool_result", "tool_use_id": "t", "content": []}), None),
        (said({"type": "text"}), None),
        (said("Hello"), None),
        (body(messages=[{"role": "user", "content": 7}]), None),
        (body(container="container_1"), None),
        (body(mcp_servers=[{"type": "url", "url": "https://example.org"}]), None),
        (body(thread={"id": "thread_1"}), None),
        (body(tools=[{"type": "web_search_20250305", "name": "web_search"}]), None),
        (body(tools=[{"type": "web_fetch_20250910", "name": "web_fetch"}]), None),
        (body(tools=[{"type": "code_execution_20260521", "name": "code_execution"}]), None),
        (body(tools=[{"type": "computer_toolset_20260801"}]), None),
    ],
)
def test_a_request_has_no_more_tokens_than_its_bound(asked: dict[str, Any], tokens: int | None) -> None:
    assert token_bound(asked) == tokens


ARTICLE = {
    "name": "_structured_tool_call",
    "description": "Extract structured data",
    "input_schema": {
        "type": "object",
        "description": "",
        "properties": {
            "data": {
                "type": "object",
                "description": "",
                "properties": {
                    "title": {"type": "string", "description": "Content title"},
                    "author": {"type": "string", "description": "Name of the author"},
                },
                "required": ["title", "author"],
                "additionalProperties": False,
            }
        },
        "required": ["data"],
        "additionalProperties": False,
    },
}


@pytest.mark.parametrize(
    ("asked", "counted"),
    [
        # Real requests, and what the API counted of them: llm-anthropic, pydantic-ai, ellmer (three)
        (said({"type": "text", "text": "Two names for a pet pelican, be brief"}), 17),
        (said({"type": "text", "text": "What is this vegetable?"}, IMAGE), 296),
        (said({"type": "text", "text": "And tomorrow?"}), 13),
        (
            body(
                system=[{"type": "text", "text": "Answer succinctly"}],
                messages=[{"role": "user", "content": "What's the current date?"}],
            ),
            20,
        ),
        (
            body(
                tools=[ARTICLE],
                tool_choice={"type": "tool", "name": "_structured_tool_call"},
                messages=[{"role": "user", "content": "Apples are tasty. By Hadley Wickham."}],
            ),
            669,
        ),
    ],
)
def test_the_bound_is_above_what_the_api_counted(asked: dict[str, Any], counted: int) -> None:
    assert (token_bound(asked) or 0) >= counted


def test_the_prices_have_a_date() -> None:
    assert as_of() == "2026-11-22"


def test_the_models_with_a_price_are_known() -> None:
    assert models_with_price()[:3] == ["claude-fable-5-2", "claude-mythos-5-2", "claude-haiku-5-5"]
    assert [model for model in models_with_price() if cost_usd(model, PLAIN) is None] == []


def test_every_rate_of_every_model_is_there() -> None:
    path = Path(prices.__file__).with_name("prices.json")
    models = json.loads(path.read_text(encoding="utf-8"))["models"]
    rates = ["input", "output", "cache_write_5m", "cache_write_1h", "cache_read"]
    tiers = [tier for entry in models.values() for tier in (entry, entry.get("long_prompt", entry))]
    assert [tier for tier in tiers if not all(isinstance(tier[rate], int | float) for rate in rates)] == []


def test_a_read_from_the_cache_is_the_cheapest_input_and_an_hour_in_it_the_dearest() -> None:
    for model in models_with_price():
        read, plain, short, long = (
            cost_usd(model, {**usage(0, 0), **one}) or 0
            for one in ({"cache_read_input_tokens": 1}, {"input_tokens": 1}, written(1, 1, 0), written(1, 0, 1))
        )
        assert read < plain < short < long


COUNTS = st.integers(0, 3_000_000)
MARKS: dict[str, dict[str, Any]] = {
    "": {},
    "5m": {"cache_control": {"type": "ephemeral"}},
    "1h": {"cache_control": {"type": "ephemeral", "ttl": "1h"}},
}


@st.composite
def usages(draw: st.DrawFn, mark: str = "1h", count: st.SearchStrategy[int] = COUNTS) -> dict[str, Any]:
    """What the API may tell of a request with such a mark."""
    short = draw(count) if mark else 0
    long = draw(count) if mark == "1h" else 0
    read = draw(count) if mark else 0
    return {
        **usage(draw(count), draw(count)),
        **written(short + long + (draw(count) if mark else 0), short, long),
        "cache_read_input_tokens": read,
        **searched(draw(st.integers(0, 10))),
        "service_tier": draw(st.sampled_from([None, "standard", "batch"])),
    }


@given(model=st.sampled_from(models_with_price()), used=usages(), batch=st.booleans())
def test_no_reply_costs_less_than_nothing(model: str, used: dict[str, Any], batch: bool) -> None:
    cost = cost_usd(model, used, batch=batch)
    assert cost is not None
    assert cost >= 0


@given(
    model=st.sampled_from(models_with_price()),
    used=usages(count=st.integers(0, 15_000)),
    field=st.sampled_from(
        ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "long", "short"]
    ),
    more=st.integers(1, 10_000),
)
def test_more_tokens_cost_more(model: str, used: dict[str, Any], field: str, more: int) -> None:
    names = {"long": "ephemeral_1h_input_tokens", "short": "ephemeral_5m_input_tokens"}
    if field in names:
        split = used["cache_creation"]
        grown = {
            **used,
            "cache_creation": {**split, names[field]: split[names[field]] + more},
            "cache_creation_input_tokens": used["cache_creation_input_tokens"] + more,
        }
    else:
        grown = {**used, field: used[field] + more}
    assert (cost_usd(model, grown) or 0) > (cost_usd(model, used) or 0)


@given(
    data=st.data(),
    model=st.sampled_from(models_with_price()),
    mark=st.sampled_from(sorted(MARKS)),
    more=st.integers(0, 200_000),
)
def test_no_reply_costs_more_than_the_most(data: st.DataObject, model: str, mark: str, more: int) -> None:
    used = data.draw(usages(mark))
    sent = sum(used[n] for n in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")) + more
    tool = {"type": "web_search_20260318", "name": "web_search"}
    asked = body(model=model, max_tokens=used["output_tokens"] + more, tools=[tool], **MARKS[mark])
    cost, limit = cost_usd(model, used), highest_cost(asked, sent=sent)
    assert cost is not None
    assert limit is not None
    assert cost <= limit


@given(text=st.text(), system=st.text())
def test_the_bound_grows_with_the_text(text: str, system: str) -> None:
    asked = body(system=system, messages=[{"role": "user", "content": text}])
    assert (token_bound(asked) or 0) >= 120 + len(text.encode("utf-8", "surrogatepass")) + len(system)


@pytest.mark.timeout(10)
def test_a_long_row_of_accents_is_bounded_at_once() -> None:
    accents = "\u0300" * 500_000 + "\u0323" * 500_000  # two bytes each
    assert token_bound(body(messages=[{"role": "user", "content": accents}])) == 2_000_120


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["type", "tools", "content", "text"]) | st.text(), inner)
    ),
    max_leaves=12,
)
NAMES = ["input_tokens", "output_tokens", "cache_creation", "server_tool_use", "iterations", "service_tier", "speed"]
FIELDS = ["system", "tools", "messages", "cache_control", "output_config", "max_tokens", "speed", "inference_geo"]


@given(used=st.dictionaries(st.sampled_from(NAMES), JSON), asked=st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_whatever_json_comes_nothing_is_raised(used: dict[str, Any], asked: dict[str, Any]) -> None:
    cost = cost_usd("claude-opus-5-5", {**PLAIN, **used})
    limit = highest_cost({**body(), **asked}, sent=1)
    assert all(number is None or number >= 0 for number in (cost, limit, token_bound({**body(), **asked})))
