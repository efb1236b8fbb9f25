"""How a variable is written in a prompt."""

from __future__ import annotations

import functools
import json
import linecache
import subprocess
import sys
from collections import OrderedDict, namedtuple
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from cmarkgfm import github_flavored_markdown_to_html
from hypothesis import given
from hypothesis import strategies as st

from claude_magic import CellError
from claude_magic.prompt.values import format_value


def write(value: object, *, rows: int = 3, chars: int = 100) -> str:
    return format_value(value, table_rows=rows, value_chars=chars)


@pytest.fixture(scope="module")
def pandas() -> ModuleType:
    module: ModuleType = pytest.importorskip("pandas", reason="NO PANDAS: its tables are not written in this run")
    return module


@pytest.fixture(scope="module")
def polars() -> ModuleType:
    module: ModuleType = pytest.importorskip("polars", reason="NO POLARS: its tables are not written in this run")
    return module


@pytest.fixture(scope="module")
def numpy() -> ModuleType:
    module: ModuleType = pytest.importorskip("numpy", reason="NO NUMPY: its arrays are not written in this run")
    return module


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no line")


def raised(act: Callable[[], object]) -> Exception:
    try:
        act()
    except Exception as error:
        return error
    raise AssertionError


def test_text_is_written_as_it_is_however_long() -> None:
    assert write("a\n" * 1000) == "a\n" * 1000


def test_data_is_written_as_json() -> None:
    value = {"a": [1, 2.5, None, True], "é": (), "o": OrderedDict(b=1)}
    assert write(value) == json.dumps(value, indent=2, ensure_ascii=False)


def test_json_is_not_cut() -> None:
    assert json.loads(write(list(range(1000)))) == list(range(1000))


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    "value",
    [
        *([1.0, float("nan")], {"a": float("inf")}, {1: "a", "1": "b"}, {(1, 2): 3}, [{1, 2}], [object], [b"a"]),
        *(Point(1, 2), [Point(1, 2)], None, 1.5, True, range(3), {1}),
    ],
)
def test_what_json_cannot_say_is_written_as_its_repr(value: object) -> None:
    assert write(value) == repr(value)


def test_a_list_that_holds_itself_is_written() -> None:
    value: list[object] = [1]
    value.append(value)
    assert write(value) == "[1, [...]]"


def test_a_long_repr_is_cut_and_says_so() -> None:
    value = {"a" * 12_345}
    assert write(value, chars=4) == "{'aa\n… cut: 12,345 characters more"


def test_bytes_are_written_with_their_number() -> None:
    assert write(b"a\0") == "2 bytes: b'a\\x00'"
    assert write(bytearray(b"a" * 12_345), chars=5) == "12,345 bytes, which begin: b'aaa…"


def test_an_exception_is_written_with_its_traceback_but_no_values() -> None:
    def fails() -> None:
        hush = "".join(("hun", "ter2"))
        raise ValueError(len(hush))

    text = write(raised(fails))
    assert text.startswith("Traceback (most recent call last):\n")
    assert "in fails\n" in text
    assert text.endswith("ValueError: 7")
    assert "hunter2" not in text


def test_an_exception_that_was_not_raised_is_one_line() -> None:
    assert write(KeyError("a")) == "KeyError: 'a'"


def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*arguments: Any) -> Any:
        return function(*arguments)

    return wrapper


@decorated
def doubled(x: int) -> int:
    return 2 * x


@functools.cache
def tripled(x: int) -> int:
    return 3 * x


class Shape:
    def area(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("value", "source"),
    [
        (doubled, "@decorated\ndef doubled(x: int) -> int:\n    return 2 * x"),
        (tripled, "@functools.cache\ndef tripled(x: int) -> int:\n    return 3 * x"),
        (Shape, "class Shape:\n    def area(self) -> int:\n        return 1"),
        (Shape.area, "def area(self) -> int:\n    return 1"),
        (Shape().area, "def area(self) -> int:\n    return 1"),
        (len, "<built-in function len>"),
        (int, "<class 'int'>"),
        (eval("lambda: 1"), None),
    ],
)
def test_functions_and_classes_are_written_as_source(value: object, source: str | None) -> None:
    assert write(value) == (repr(value) if source is None else source)


CELLS = [
    "import dataclasses, enum\nclass Old:\n    x = 1",
    "class Old:\n    x = 2\n\n@dataclasses.dataclass\nclass Pair:\n    left: int",
    "class Way(enum.Enum):\n    UP = 1\ndef walk(way): return way\nraise_ = 1/0 if False else 2",
]


@pytest.mark.process
def test_what_cells_define_is_written_as_source() -> None:
    """In a process of its own: IPython takes over `__main__`."""
    program = f"""
from IPython.core.interactiveshell import InteractiveShell
from claude_magic.prompt.values import format_value
shell = InteractiveShell()
for cell in {CELLS!r}:
    shell.run_cell(cell).raise_error()
for name in ("Old", "Pair", "Way", "walk"):
    print(format_value(shell.user_ns[name], table_rows=1, value_chars=99))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == (
        "class Old:\n    x = 2\n@dataclasses.dataclass\nclass Pair:\n    left: int\n"
        "class Way(enum.Enum):\n    UP = 1\ndef walk(way): return way\n"
    )


def test_a_cell_that_is_no_python_does_not_hide_a_class(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("<cell 1>", "class Made:\n    y = 1\n"), ("<cell 2>", "Made ?\n")):
        monkeypatch.setitem(linecache.cache, name, (len(text), None, text.splitlines(True), name))
    made = type("Made", (), {"__module__": "nowhere"})
    assert write(made) == "class Made:\n    y = 1"


@pytest.mark.parametrize("value", [Broken(), [Broken()], {"a": Broken()}])
def test_a_repr_that_fails_is_one_line_with_the_type(value: object) -> None:
    with pytest.raises(CellError) as error:
        write(value)
    assert str(error.value) == (
        f"a variable of type {type(value).__name__} cannot be written: RuntimeError. "
        "Put what it should say into a string, and insert that."
    )


def test_a_value_nested_too_deep_is_one_line() -> None:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(CellError, match="a variable of type list cannot be written: RecursionError"):
        write(value)


def test_a_table_is_markdown_with_shape_and_types(pandas: ModuleType) -> None:
    table = pandas.DataFrame({"a": [1, 2], "b": [0.5, None]}, index=["x", "y"])
    assert write(table) == (
        "DataFrame of 2 rows × 2 columns (a: int64, b: float64)\n\n"
        "|  | a | b |\n| --- | --- | --- |\n| x | 1 | 0.5 |\n| y | 2 | nan |"
    )


def test_a_long_table_is_cut_and_says_so(pandas: ModuleType) -> None:
    lines = write(pandas.DataFrame({"a": range(10_000)}), rows=10).splitlines()
    assert lines[0] == "DataFrame of 10,000 rows × 1 column (a: int64)"
    assert lines[-3:] == ["| 9 | 9 |", "", "… 9,990 more rows"]


def test_one_row_more_is_said_in_the_singular(pandas: ModuleType) -> None:
    assert write(pandas.Series(range(4))).endswith("\n\n… 1 more row")


def test_a_series_is_a_table_too(pandas: ModuleType) -> None:
    assert write(pandas.Series([1, 2], name="n", index=pandas.Index(["x", "y"], name="i"))) == (
        "Series of 2 values, dtype int64\n\n| i | n |\n| --- | --- |\n| x | 1 |\n| y | 2 |"
    )


@pytest.mark.parametrize("make", ["DataFrame()", "Series(dtype=float)", "DataFrame({'a': []})"])
def test_an_empty_table_is_written(pandas: ModuleType, make: str) -> None:
    assert " of 0 " in write(eval(f"pandas.{make}"))


def test_columns_may_have_the_same_name_or_several_levels(pandas: ModuleType) -> None:
    assert "| 0 | 1 | 2 |" in write(pandas.DataFrame([[1, 2]], columns=["a", "a"]))
    assert "| ('a', 'x') |" in write(pandas.DataFrame({("a", "x"): [1]}))


def test_a_subclass_of_a_table_is_a_table(pandas: ModuleType) -> None:
    made = type("Frame", (pandas.DataFrame,), {})
    assert write(made({"a": [1]})).startswith("DataFrame of 1 row")


def test_a_long_cell_is_cut(pandas: ModuleType) -> None:
    assert "| aaaaa<br>… cut: 995 characters more |" in write(pandas.DataFrame({"a": ["a" * 1000]}), chars=5)


@given(st.text(alphabet="a|\\\n\r\u2028`"), st.text(alphabet="a|\\\n"))
def test_whatever_a_cell_holds_the_table_keeps_its_columns(cell: str, name: str) -> None:
    pandas = pytest.importorskip("pandas", reason="NO PANDAS: its tables are not written in this run")
    text = write(pandas.DataFrame({name: [cell], "z": ["end"]}))
    page = github_flavored_markdown_to_html(text[text.index("\n\n|") :])
    assert (page.count("<th>"), page.count("<td>"), page.count("<td>end</td>")) == (3, 3, 1)


def test_polars_tables_are_tables(polars: ModuleType) -> None:
    assert write(polars.DataFrame({"a": [1, 2, 3, 4], "b": ["x|y", None, "z", "q"]})) == (
        "DataFrame of 4 rows × 2 columns (a: Int64, b: String)\n\n"
        "| a | b |\n| --- | --- |\n| 1 | x\\|y |\n| 2 | None |\n| 3 | z |\n\n… 1 more row"
    )
    assert write(polars.Series("s", [1])) == "Series of 1 value, dtype Int64\n\n| s |\n| --- |\n| 1 |"


def test_an_array_is_written_with_shape_and_type(numpy: ModuleType) -> None:
    assert write(numpy.arange(4).reshape(2, 2)) == "array of shape (2, 2), dtype int64\n\n[[0 1]\n [2 3]]"


def test_a_large_array_is_shortened_and_says_so(numpy: ModuleType) -> None:
    text = write(numpy.zeros((1000, 1000)), chars=1000)
    assert text.startswith("array of shape (1000, 1000), dtype float64\n\n[[0. 0. 0. ... 0. 0. 0.]\n")
    assert text.endswith("\n\n… stands for what is left out of 1,000,000 values")
    assert len(text) < 1000


def test_an_array_of_long_texts_is_cut(numpy: ModuleType) -> None:
    assert write(numpy.array(["a" * 500]), chars=5).endswith("['aaa\n… cut: 499 characters more")


def test_a_numpy_number_is_written_as_a_number(numpy: ModuleType) -> None:
    assert (write(numpy.float32(0.5)), write(numpy.int64(3)), write(numpy.str_("s"))) == ("0.5", "3", "s")


@pytest.mark.process
def test_writing_imports_no_library() -> None:
    program = (
        "import sys, claude_magic.prompt.values as v, claude_magic.prompt.templates\n"
        "v.format_value({'a': object()}, table_rows=1, value_chars=9)\n"
        "print([name for name in ('pandas', 'numpy', 'polars', 'IPython', 'requests') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
