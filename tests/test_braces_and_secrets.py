"""Braces that look like Python are an error with the way out; what is a secret is judged by its value."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic import CellError
from claude_magic.api.credentials import redact, refuse_keys
from claude_magic.prompt.secrets import named_secret, shaped_secret
from claude_magic.prompt.templates import escape, fill_template
from claude_magic.prompt.values import format_value
from claude_magic.wire.placeholders import is_placeholder
from tests.notebook_shell import Shell
from tests.server import Server, reply

RANDOM = "q7Zr2LmX9vKd0TbWc4Hs"


def fill(text: str, /, **variables: Any) -> str:
    return fill_template(text, variables, str)


def refusal(text: str, /, **variables: Any) -> str:
    with pytest.raises(CellError) as error:
        fill(text, **variables)
    return str(error.value)


PYTHON = [
    *("{{f(x)}}", "{{x()}}", "{{x.head()}}", "{{ x.head(5) }}", "{{x[0].f()}}", "{{len(x)}}", "{{x.f().g}}"),
    *("{{x[0:2]}}", "{{x[:5]}}", "{{x[y]}}", "{{x[1.5]}}", "{{x[f'a']}}", "{{x[0, 1]}}", "{{x[-1:]}}", "{{x[y + 1]}}"),
    *(
        "{{x + 1}}",
        "{{x*2}}",
        "{{x ** 2}}",
        "{{x / y}}",
        "{{1 + 2}}",
        "{{-x}}",
        "{{not x}}",
        "{{x and y}}",
        "{{x > 1}}",
    ),
    *("{{x:.2f}}", "{{x:,}}", "{{x:>10}}", "{{ x:%Y-%m-%d }}", "{{x!r}}", "{{x!r:>5}}", "{{x.real:.1%}}", "{{x=}}"),
    *("{{[i for i in x]}}", "{{(i for i in x)}}", "{{i for i in x}}", "{{lambda: x}}", "{{y := 1}}", "{{await x}}"),
    *("{{x if x else y}}", "{{f'{x}'}}", "{{f({'a': 1})}}", "{{x, y}}", "{{x | y}}", "{{x\n.head()}}", "{{x-y}}"),
    *('{{", ".join(x)}}', "{{open('a').read()}}", "{{await f(x)}}", "{{x is None}}", "{{x in y}}", "{{*x, y}}"),
]


@pytest.mark.parametrize("text", PYTHON)
def test_braces_that_look_like_python_are_an_error_with_the_way_out(text: str) -> None:
    said = refusal(f"about {text}.", x=[1, 2], y=1)
    assert "is refused: nothing in braces is c" in said
    assert "Assign it to a variable first" in said
    assert "write \\{{" in said
    assert "\n" not in said


@pytest.mark.parametrize("text", PYTHON)
def test_a_backslash_lets_python_in_braces_stand(text: str) -> None:
    assert fill(f"about \\{text}.", x=[1, 2], y=1) == f"about {text}."
    assert fill(escape(f"about {text}."), x=[1, 2], y=1) == f"about {text}."


@pytest.mark.parametrize(
    "text",
    [
        "{{#if user}} {{/if}} {{else}} {{> part}} {{!-- note --}} {{&raw}} {{#each items as |item|}} {{@index}}",
        "{% if a %} {{ a|upper }} {{ a | default('b') }} {{ a | join(', ') }} {{- a -}}",
        "{{first-name}} {{user-id}} {{$json.name}} {{'a' | translate}} {{ a ? b : c }}",
        r"\frac{{f(x)}}{2} e^{{n+1}} x_{{i+1}} \mathbf{{a(b)}} \text{{on (x) and y}}",
        "body {{ color: red; }} style={{color: 'red'}} style={{margin: 0}} {{width:100}}",
        '{"a": {"b": {"c": 1}}} {{"a": 1}} {{"a": f(x)}}',
        "title={{Deep Learning (with pictures)}} pages={{100-110}} year={{2017}}",
        "int a[2][2] = {{1, 2}, {3, 4}}; S s = {{0}}; {{}} {{ }}",
        'print(f"{{ {x()} }}") {{{f(x)}}} {x()} {x + 1}',
        "{{Infobox person|name=Ada (Lovelace)}} {{cite web |url=http://a.b/c?d=e}}",
    ],
)
def test_the_braces_of_other_languages_stay_as_typed(text: str) -> None:
    assert fill(text, unrelated=1) == text


@given(st.text(alphabet="{}xf() [0]:.+-=!,|'\n\\"))
def test_any_braces_are_filled_kept_or_refused_in_one_line(text: str) -> None:
    try:
        fill(text, x="1", f="2")
    except CellError as error:
        assert "\n" not in str(error)  # noqa: PT017


def test_nothing_is_sent_for_python_in_braces(shell: Shell, endpoint: Server) -> None:
    ran = shell.run("n = [1]\n")
    ran = shell.run("%%claude\nlook at {{n.copy()}}")
    assert ran.error is not None
    assert "{{n.copy()}} is refused: nothing in braces is called." in ran.error[1]
    assert endpoint.received == []


ORDINARY = ["key", "token", "partition_key", "tokenizer", "keyboard", "secret", "cache_key", "secret_santa", "keys"]


@pytest.mark.parametrize("name", ORDINARY)
@pytest.mark.parametrize("value", ["hello", "user:42", "region", ["a", "b"], {"a": 1}, "Ada Lovelace", 7, "<EOS>"])
def test_an_ordinary_name_is_no_secret(name: str, value: Any) -> None:
    assert fill(f"{{{{{name}}}}}", **{name: value}) == str(value)
    assert shaped_secret(f'"{name}": "{value}"') == ""


@pytest.mark.parametrize("name", ["key", "token", "secret", "openai_token", "my_secret_value"])
def test_a_random_value_under_such_a_name_is_one(name: str) -> None:
    assert "looks like a secret" in refusal(f"{{{{{name}}}}}", **{name: RANDOM})
    assert shaped_secret(f'{{"{name}": "{RANDOM}"}}') == "a password"
    assert shaped_secret(f"| id | {name} |\n| --- | --- |\n| 1 | {RANDOM} |") == "a password"


def test_a_partition_key_may_look_random() -> None:
    assert not named_secret("partition_key", RANDOM)
    assert not named_secret("key", "3f2b8c1e-9a4d-4e7b-8f6a-1c2d3e4f5a6b")


@pytest.mark.parametrize(
    "value",
    [
        *("sk-ant-your-key-here", "sk-ant-...", "sk-ant-…", "<your key>", "sk-ant-<your-key>", "your-api-key", "xxxx"),
        *("sk-ant-xxxxxxxxxxxxxxxx", "sk-ant-api03-XXXXXXXX", "YOUR_API_KEY", "$ANTHROPIC_API_KEY", "${TOKEN}", "***"),
        *("sk-ant-api03-your_key_here", "changeme", "my-secret-key", "INSERT KEY HERE", "%s", "{api_key}", ""),
    ],
)
def test_a_placeholder_is_no_secret(value: str) -> None:
    assert is_placeholder(value)
    assert fill("{{api_key}} {{password}}", api_key=value, password=value) == f"{value} {value}"
    assert shaped_secret(f'{{"api_key": "{value}"}} password="{value}" | {value} |') == ""
    refuse_keys(f"export ANTHROPIC_API_KEY={value}", None)
    assert redact(value) == value


@pytest.mark.parametrize("value", ["hunter2", "sk-ant-api03-abcdefgh", RANDOM, "Tr0ub4dor&3", "your" + RANDOM])
def test_a_real_one_is_no_placeholder(value: str) -> None:
    assert not is_placeholder(value)


@given(st.text(alphabet=string.ascii_letters + string.digits + "-_", min_size=40, max_size=90))
def test_a_long_random_key_is_refused_whatever_it_holds(key: str) -> None:
    if len(set(key)) > 20 and any(map(str.isdigit, key)):
        with pytest.raises(CellError, match="something that looks like an API key"):
            refuse_keys(f"sk-ant-{key}", None)


def test_columns_of_a_table_are_judged_by_their_values() -> None:
    pandas = pytest.importorskip("pandas", reason="NO PANDAS: its tables are not looked at in this run")

    def judged(table: Any) -> str:
        return shaped_secret(format_value(table, table_rows=50, value_chars=100))

    assert judged(pandas.DataFrame({"token": ["the", "cat"], "key": ["a", "b"], "password": [None, "<hidden>"]})) == ""
    assert judged(pandas.DataFrame({"user": ["ada"], "password": ["hunter2"]})) == "a password"


def test_a_documented_url_is_no_password_and_a_real_one_is() -> None:
    assert shaped_secret("postgres://user:password@localhost/db redis://:<password>@host") == ""
    assert shaped_secret("postgres://ada:hunter2@db.example/x") == "a URL with a password"


def test_a_placeholder_in_a_cell_is_sent(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    assert shell.run("%%claude\nWhy does ANTHROPIC_API_KEY=sk-ant-your-key-here fail?").error is None
    assert "sk-ant-your-key-here" in str(endpoint.last.json)
