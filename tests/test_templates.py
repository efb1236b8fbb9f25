"""`{{name}}` in a cell's text: what is filled, what is left as typed, what is refused."""

from __future__ import annotations

import enum
import json
import math
import sys
import time
import types
from collections import defaultdict, namedtuple
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic import CellError
from claude_magic.prompt.templates import fill_template, names

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w"


def fill(text: str, allow_secret: bool = False, /, **variables: Any) -> str:
    return fill_template(text, variables, str, allow_secret=allow_secret)


def refusal(text: str, **variables: Any) -> str:
    with pytest.raises(CellError) as error:
        fill(text, **variables)
    return str(error.value)


@dataclass
class Account:
    owner: str = "Ada"

    @property
    def balance(self) -> int:
        return 12

    @property
    def broken(self) -> int:
        raise RuntimeError("no line")

    def close(self) -> None:
        raise AssertionError("it was called")


class MakesUp:
    """Answers whatever it is asked."""

    real = 1

    def __getattr__(self, name: str) -> str:
        raise AssertionError("it was asked")


class Slotted:
    __slots__ = ("size",)


class Colour(enum.Enum):
    RED = 1


def test_a_name_is_replaced_by_its_variable() -> None:
    assert fill("a {{x}} b {{ y }}{{x}}", x=1, y="two") == "a 1 b two1"


def test_a_name_may_hold_any_letter() -> None:
    assert fill("{{größe}} {{_}} {{_3}}", größe=1, _=2, _3=3) == "1 2 3"


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ('{{d["a"]}}', "[1, 2, {'c': 'deep'}]"),
        ("{{d['a'][2][\"c\"]}}", "deep"),
        ("{{d[1]}}", "one"),
        ('{{d["a b}}"]}}', "odd"),
        ("{{xs[0]}} {{ xs[ -1 ] }}", "7 9"),
        ("{{account.owner}} {{account.balance}}", "Ada 12"),
        ("{{point.x}}", "3"),
        ("{{space.inner[0].owner}}", "Ada"),
        ("{{math.pi}}", str(math.pi)),
        ("{{slotted.size}}", "5"),
        ("{{Colour.RED.value}}{{Colour['RED'].name}}", "1RED"),
        ("{{made.real}}", "1"),
        ("{{text[0]}}", "h"),
    ],
)
def test_a_path_leads_to_data(template: str, value: str) -> None:
    slotted = Slotted()
    slotted.size = 5
    variables: dict[str, Any] = {
        "d": {"a": [1, 2, {"c": "deep"}], 1: "one", "a b}}": "odd"},
        "xs": [7, 8, 9],
        "account": Account(),
        "point": namedtuple("point", "x y")(3, 4),
        "space": types.SimpleNamespace(inner=[Account()]),
        "math": math,
        "slotted": slotted,
        "Colour": Colour,
        "made": MakesUp(),
        "text": "hello",
    }
    assert fill(template, **variables) == value


@pytest.mark.parametrize(
    "text",
    [
        "{{}}",
        "{{ }}",
        "{x} {{{x}}} {{{{x}}}} {{x} {x}}",
        "{{ x|e }} {{ x | join(', ') }} {{1}} {{x y}} {{first-name}} {{100-110}} {{'a'}} {{0, 1}} {{- x -}}",
        "{{x\n}} {{\nx}}",
        "{{x. y}} {{x .y}} {{x[0] [1]}}",
        '{{"a": 1}} {"a": {"b": {"x": 1}}}',
        "{{#if x}} {{/if}} {{else}} {{> x}} {{!x}} {{&x}} {% if x %}{%- endif %} {# x #}",
        "{{None}} {{True}} {{x.class}}",
        'f"{{ {x} }}" f"{x!r:>{width}}" f"{{{x}}}" "{:{}}".format(1, 2)',
        "@media print { a { color: red } } body {{ color: red; }}",
        "struct S s = {{0}}; int a[2][2] = {{1,2},{3,4}};",
        "${x} $x {x!r} %(x)s <x> [[x]]",
        r"\frac{{x}}{2} \frac{1}{{x}} \frac{a{b}}{{x}} \sqrt[3]{{x}} \mathbf{{x}} \operatorname*{{x}} \text{{x}}",
        r"e^{{x}} x_{{x}} 2y_{{x}} y'_{{x}} \beta_{{x}} \sum_{i}^{{x}} f(x)_{{x}} {a}_{{x}} x_{1}{{x}} $n^{{x}}$",
        r"{\frac {{x}}{2}} {\sqrt {{x}}} \mathbf {{x}} e^{-{{x}}} a_{i,{{x}}}",
        r"\begin{pmatrix}{a}&{b}\\{c}&{d}\end{pmatrix} {{x}\choose{y}} \{{x}\} \left\{{x}\right\} {{{x}}\over{y}}",
    ],
)
def test_what_is_no_plain_name_stays_as_typed(text: str) -> None:
    assert fill(text, x="TAKEN", y="TAKEN", f=str, a="TAKEN", width=3) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("report_{{x}}.csv", "report_1.csv"),
        ("{{x}}_{{x}} {{x}}^{{x}} _{{x}}_ __{{x}}__", "1_1 1^1 _1_ __1__"),
        ('{"a": {{x}}}', '{"a": 1}'),
        ("{{x}}{{x}} {single}{{x}} list[0]{{x}} [a]({{x}})", "11 {single}1 list[0]1 [a](1)"),
        (r"line\n{{x}}\t{{x}}", r"line\n1\t1"),
        (r"$y = {{x}}$, \section{On {{x}}}, \item {{x}}", r"$y = 1$, \section{On 1}, \item 1"),
        (r"n \leq {{x}}, n^2 = {{x}}, a_{i} + {{x}}", r"n \leq 1, n^2 = 1, a_{i} + 1"),
        ("costs ${{x}}", "costs $1"),
        ("```\n{{x}}\n```", "```\n1\n```"),
    ],
)
def test_what_only_resembles_latex_or_json_is_filled(text: str, said: str) -> None:
    assert fill(text, x=1) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (r"\{{x}}", "{{x}}"),
        (r"\{{unknown}} \{{ x + 1 }} \{{f({1: 2})}}", "{{unknown}} {{ x + 1 }} {{f({1: 2})}}"),
        (r"a\\{{x}}", r"a\\1"),
        (r"a\\\{{x}}", r"a\\{{x}}"),
        (r"\{{x}}{{x}}", "{{x}}1"),
        (r"\{{", r"\{{"),
    ],
)
def test_a_backslash_makes_the_braces_literal(text: str, said: str) -> None:
    assert fill(text, x=1) == said


def test_what_is_inserted_is_not_filled_again() -> None:
    assert fill("{{a}}{{b}}", a="{{b}} \\{{b}}", b="{{a}}") == "{{b}} \\{{b}}{{a}}"


def test_two_insertions_do_not_make_a_template() -> None:
    assert fill("{{open}}a}}", open="{{", a="no") == "{{a}}"


@given(st.text())
def test_text_without_double_braces_stays_as_typed(text: str) -> None:
    if "{{" not in text:
        assert fill_template(text, {}, str) == text


TEXT = st.text(st.characters(exclude_characters="{}"))
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)


@given(JSON, st.sampled_from([None, 2]), st.sampled_from([None, (",", ":")]))
def test_any_json_stays_as_typed(value: object, indent: int | None, separators: tuple[str, str] | None) -> None:
    text = json.dumps(value, indent=indent, separators=separators)
    assert fill_template(text, {}, str) == text


@given(st.lists(st.sampled_from(["{{", "}}", "{", "}", "x", "_", "^", "\\", "a b", " ", ".", "[0]", "\n", '"', "n"])))
def test_any_heap_of_braces_is_filled_or_refused_in_one_line(pieces: list[str]) -> None:
    said = ""
    try:
        fill_template("".join(pieces), {"x": "1", "n": "2"}, str)
    except CellError as error:
        said = str(error)
    assert "\n" not in said


@given(st.text(alphabet="{}x\\ "))
def test_a_value_arrives_as_it_is(value: str) -> None:
    assert fill_template("<{{v}}>", {"v": value, "x": "no"}, str) == f"<{value}>"


def test_a_missing_name_is_an_error_with_the_nearest_names() -> None:
    assert refusal("{{dta}} {{dta}}", data=1, date=2, other=3, _data=4) == (
        "no variable dta: the text says {{dta}}. Did you mean data or date? "
        "Define it first, or write \\{{dta}} for the braces themselves."
    )


def test_all_missing_names_are_named_at_once() -> None:
    assert refusal("{{user.name}} {{x}} {{title}}", x=1).startswith("no variable user and no title: the text")


def test_the_first_missing_name_is_shown_as_it_was_typed() -> None:
    assert ": the text says {{a.b}}." in refusal("{{a.b}} {{c}} {{a}}")


def test_a_builtin_is_no_variable() -> None:
    assert refusal("{{print}}").startswith("no variable print")


def test_nothing_is_written_before_all_names_are_known() -> None:
    seen: list[object] = []
    with pytest.raises(CellError):
        fill_template("{{x}} {{y}}", {"x": 1}, lambda value: str(seen.append(value)))
    assert seen == []


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{__name__}}", "{{__name__}} is refused: a name with two underscores"),
        ("{{x.__class__}}", "{{x.__class__}} is refused: an underscore in front"),
        ("{{x._hidden}}", "{{x._hidden}} is refused: an underscore in front"),
        ("{{account.close}}", "{{account.close}} is refused: a method, and nothing is called"),
        ("{{xs.append}}", "{{xs.append}} is refused: a method"),
        ("{{account.ownr}}", "the Account holds no ownr. Did you mean .owner?"),
        ("{{account.owner.x}}", "{{account.owner.x}} does not exist: the str holds no x. Look at"),
        ("{{account.broken.x}}", "{{account.broken}} cannot be read: RuntimeError. Put it in a variable first."),
        ("{{made.anything}}", "the MakesUp holds no anything"),
        ("{{d.alpha}}", 'the dict holds no alpha. Did you mean ["alpha"]?'),
        ('{{d["alhpa"]}}', 'the dict has no ["alhpa"]. Did you mean ["alpha"]?'),
        ('{{d["zzz"]}}', 'the dict has no ["zzz"]. It has ["alpha"], ["beta"].'),
        ("{{xs[3]}}", "the list has no [3] among its 3 items. Look at the value."),
        ('{{xs["a"]}}', 'the list does not take ["a"]'),
        ("{{x[0]}}", "the int has no items"),
        ("{{Account[0]}}", "the type has no items"),
    ],
)
def test_a_path_that_leads_nowhere_is_one_line(template: str, said: str) -> None:
    variables = {"d": {"alpha": 1, "beta": 2}, "xs": [1, 2, 3], "x": 1, "account": Account(), "Account": Account}
    message = refusal(template, **variables, made=MakesUp())
    assert said in message
    assert "\n" not in message


def test_a_missing_key_is_not_made_up() -> None:
    d: defaultdict[str, list[int]] = defaultdict(list)
    refusal('{{d["a"]}}', d=d)
    assert d == {}


@pytest.mark.parametrize(
    "name",
    [
        *("password", "passwd", "credentials", "api_key", "API_KEY", "apiKey"),
        *(
            "APIKey2",
            "db_password",
            "OPENAI_API_KEY_PROD",
            "private_key",
            "api_keys",
        ),
        *("access_tokens", "secret_key", "apikey"),
    ],
)
def test_a_name_that_promises_a_secret_is_refused(name: str) -> None:
    message = refusal(f"{{{{{name}}}}}", **{name: "hush"})
    assert message.startswith(f"{{{{{name}}}}} looks like a secret: its name says so")
    assert "hush" not in message
    assert fill(f"{{{{{name}}}}}", True, **{name: "hush"}) == "hush"


@pytest.mark.parametrize(
    "name",
    [
        *("keyboard", "monkey", "keys", "token_count", "tokens", "tokenizer", "key_error", "keyword", "secretary"),
        *("public_key", "primary_key", "sort_key", "password_length", "privately", "max_tokens"),
    ],
)
def test_a_name_that_only_resembles_one_is_not(name: str) -> None:
    assert fill(f"{{{{{name}}}}}", **{name: "hello"}) == "hello"


@pytest.mark.parametrize("template", ['{{d["password"]}}', "{{space.api_key}}", "{{credentials.user}}"])
def test_any_step_of_a_path_may_promise_a_secret(template: str) -> None:
    space = types.SimpleNamespace(api_key="hush", user="hush")
    assert "hush" not in refusal(template, d={"password": "hush"}, space=space, credentials=space)


def test_a_switch_or_the_code_of_a_function_is_no_secret() -> None:
    assert fill("{{is_private}}{{token}}{{secret}}", is_private=True, token=None, secret=Account).startswith("TrueNone")


@pytest.mark.parametrize(
    "content",
    [
        "sk-ant-api03-abcdefgh",
        "sk-proj-abcdefghijklmnop1234",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "AKIAIOSFODNN7EXAMPLE",
        "xoxb-123456789012-abcdef",
        "xoxp-123456789012-abcdef",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE",
        "-----BEGIN PRIVATE KEY-----",
        JWT,
        "AIzaSyA1234567890abcdefghijklmnopqrstuv",
        "postgres://admin:hunter2@db.example/x",
        "host=db password=hunter2 user=x",
        '{"db": {"password": "hunter2"}}',
        "environ({'SHOP_API_KEY': 'hunter2'})",
        "Config(user='a', password='hunter2')",
        "| user | password |\n| --- | --- |\n| a | hunter2 |",
    ],
)
def test_a_value_shaped_like_a_secret_is_refused(content: str) -> None:
    message = refusal("{{config}}", config=f"before {content} after")
    assert message.startswith("{{config}} looks like a secret: it holds something shaped like a")
    assert message.endswith("use --allow-secret.")
    assert content[:9] not in message
    assert fill("{{config}}", True, config=content) == content


@pytest.mark.parametrize(
    "content",
    [
        "a task-force-of-seven-1234567890-people",
        "sk-toggleable__content-arrow",
        "https://example.com/a:b@c https://example.com:8080/x mail ada@example.com",
        "def login(user, password: str, token=None): connect(password=password, user=user)",
        "connect(password=getpass())",
        '{"max_tokens": 10, "keys": ["a"], "password": null, "secret": {"type": "string"}}',
        "the password is shown below; a secret: never tell",
        "MASKIAIOSFODNN7EXAMPLES",
        "-----BEGIN CERTIFICATE-----",
        "hf_model_configuration_path_in_cache",
    ],
)
def test_a_value_that_only_resembles_a_secret_is_not(content: str) -> None:
    assert fill("{{config}}", config=content) == content


def test_what_is_typed_in_the_cell_is_not_looked_at() -> None:
    assert fill("password=hunter2 {{x}}", x=1) == "password=hunter2 1"


def test_the_names_are_those_that_would_be_filled() -> None:
    assert names(r"{{b.c}} {{a}} \{{d}} {{b}} x^{{n}} {{f(x)}}") == ["b", "a"]


@pytest.mark.parametrize("piece", ["{{", "{{x ", "{{x.", "x^{{n}}", "}{{x}}", "\\", '{{x["', "{{x[0]", "_{{ x + 1 }}"])
def test_a_hostile_text_is_read_at_once(piece: str) -> None:
    began = time.process_time()
    names(piece * (200_000 // len(piece)))
    assert time.process_time() - began < (5 if sys.gettrace() is None else 30)  # coverage slows it down


@pytest.mark.parametrize(
    "piece", ["a", "sk-", "eyJ", "://", "://a:", "password=", "| ", "-----BEGIN ", "secret '", "xox"]
)
def test_a_hostile_value_is_looked_through_at_once(piece: str) -> None:
    began = time.process_time()
    fill("{{v}}", v=piece * (200_000 // len(piece)))
    assert time.process_time() - began < (5 if sys.gettrace() is None else 30)  # coverage slows it down


def test_a_table_gives_its_columns_and_shape() -> None:
    pandas = pytest.importorskip("pandas", reason="NO PANDAS: its tables are not looked at in this run")
    table = pandas.DataFrame({"price": [1, 2], "name": ["a", "b"]})
    assert fill('{{t.shape}} {{ t["price"][1] }} {{t.columns[0]}}', t=table) == "(2, 2) 2 price"
    assert 'Did you mean ["price"]' in refusal("{{t.price}}", t=table)
    assert 'has no ["prize"]. Did you mean ["price"]?' in refusal('{{t["prize"]}}', t=table)


def test_an_array_gives_its_shape() -> None:
    numpy = pytest.importorskip("numpy", reason="NO NUMPY: its arrays are not looked at in this run")
    assert fill("{{a.shape}} {{a.dtype}} {{a[1]}}", a=numpy.arange(3)) == "(3,) int64 1"
