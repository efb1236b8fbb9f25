"""Values that are read, written and sent whole: all digits of a number, all pieces of a file, no number cut in two."""

from __future__ import annotations

import io
import sqlite3
from collections import namedtuple
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy
import pandas
import pydantic
import pytest

from claude_magic.prompt.attachments.encodings import decode
from claude_magic.prompt.attachments.image_headers import is_animated
from claude_magic.prompt.digits import short_float_rows, short_floats
from claude_magic.prompt.values import FormattedValue, format_value
from claude_magic.tools.items import MOST, drain
from claude_magic.tools.results import blocks
from claude_magic.wire.fences import code_block
from tests.notebook_shell import Shell
from tests.server import Server, reply
from tests.tool_streams import asks

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(60))
Point = namedtuple("Point", "x y")


def written(value: Any) -> FormattedValue:
    return format_value(value, table_rows=5, value_chars=2_000)


def result(value: Any) -> str:
    (block,) = blocks(drain(value), "tool", write=repr, hide=str, most=10_000)
    return str(block["text"])


def rows() -> list[Any]:
    with closing(sqlite3.connect(":memory:")) as database:
        database.row_factory = sqlite3.Row
        return database.execute("select 1 as a, 'x' as b").fetchall()


# Digits


@pytest.mark.parametrize("value", [[123456789.123], numpy.array([123456789.123]), [numpy.array([123456789.123])]])
@pytest.mark.parametrize("precision", [2, 8])
def test_a_number_in_an_array_keeps_its_digits(value: Any, precision: int) -> None:
    with numpy.printoptions(precision=precision):
        assert "1.23456789123e+08" in written(value) or "123456789.123" in written(value)
        assert numpy.get_printoptions()["precision"] == precision


@pytest.mark.parametrize("dtype", ["float16", "float32", "Float32"])
def test_numbers_of_single_precision_read_in_a_table_as_they_are_written(dtype: str) -> None:
    column = pandas.Series([0.1, 2.5, None], dtype=dtype)
    frame = pandas.DataFrame({"id": [1, 2, 3], "x": column})
    assert "| 0 | 1 | 0.1 |\n| 1 | 2 | 2.5 |" in written(frame)
    assert "| 0 | 0.1 |\n| 1 | 2.5 |" in written(column)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_the_shortest_digits_are_those_of_numpy(dtype: str) -> None:
    info = numpy.finfo(dtype)
    numbers = numpy.array([info.max, info.tiny, -info.max, 1 / 3, 0.0, numpy.inf, 65_504, 1e-3, 12.25], dtype)
    assert list(short_floats(numbers.tolist(), dtype)) == [float(str(each)) for each in numbers]


def test_other_columns_of_a_table_stay_as_they_are() -> None:
    assert short_float_rows([(1, 0.1, "a")], ["int64", "float64", "object"]) == [(1, 0.1, "a")]
    assert short_float_rows([(7, 0.10000000149011612, None)], ["float32", "object"], first=1) == [(7, 0.1, None)]


def test_a_map_over_single_precision_asks_and_grades_with_its_own_digits(shell: Shell, endpoint: Server) -> None:
    shell.user_ns["df"] = pandas.DataFrame({"x": [0.1], "expected": [0.7]}).astype("float32")
    endpoint.answers(reply("0.7"))
    shell.run("from claude_magic import claude\nr = claude.map(df, 'x is {{x}}', grade='exact')")
    assert endpoint.last.json["messages"][0]["content"] == "x is 0.1"
    assert shell.user_ns["r"]["grade"].tolist() == [True]


# What has no text


@pytest.mark.parametrize("value", [(n for n in "ab"), object(), [iter([1])]])
def test_of_a_value_without_a_text_it_is_said_what_was_sent_for_it(value: Any) -> None:
    assert written(value).cut.endswith("sent; it has no text of its own")


def test_a_cell_says_that_a_generator_was_sent_as_its_address(shell: Shell, endpoint: Server) -> None:
    endpoint.answers(reply("ok"))
    shell.user_ns["g"] = (n for n in "ab")
    assert "sent; it has no text of its own" in str(shell.run("%%claude\n{{g}}").data("text/html"))


def test_rows_of_a_database_are_written_with_their_columns() -> None:
    assert written(rows()[0]) == '{\n  "a": 1,\n  "b": "x"\n}'
    assert '"a": 1' in written(rows())
    assert written({1: rows()[0]}) == "{1: {'a': 1, 'b': 'x'}}"


def test_the_bytes_of_a_view_are_written() -> None:
    assert written(memoryview(b"abc")) == "3 bytes: b'abc'"


# Results of tools


@pytest.mark.parametrize("at_the_end", [True, False])
def test_a_file_in_memory_is_one_value_wherever_it_stands(at_the_end: bool) -> None:
    file = io.BytesIO(PNG)
    file.seek(0, io.SEEK_END if at_the_end else io.SEEK_SET)
    assert drain(file) == PNG
    assert drain({"picture": file, "n": 1}) == {"picture": PNG, "n": 1}


def test_an_open_file_is_read_and_not_cut_into_lines(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    with (tmp_path / "a.png").open("rb") as binary, (tmp_path / "a.txt").open() as text:
        assert drain(binary) == PNG
        assert drain(text) == "one\ntwo\n"


def test_iterators_within_a_result_are_read() -> None:
    assert result({"pages": (n for n in range(3)), "of": [map(str, [1])]}) == '{"pages": [0, 1, 2], "of": [["1"]]}'
    assert result([(n for n in range(MOST + 1))]).endswith('"(cut: only the first 1,000 items were read)"]]')


def test_what_an_iterator_within_a_result_raises_is_the_result(shell: Shell, endpoint: Server) -> None:
    def pages() -> Iterator[int]:
        yield 1
        raise ValueError("no more pages")

    shell.user_ns["pages"] = pages
    shell.run(
        "from claude_magic import claude\n@claude.tool(approve=False)\ndef read():\n    'Read.'\n    return {'pages': pages()}"
    )
    endpoint.answers(asks(("read", {})), reply("ok"))
    shell.run("%%claude --tools read\ngo")
    (answer,) = endpoint.last.json["messages"][-1]["content"]
    assert answer["is_error"]
    assert "no more pages" in answer["content"][0]["text"]


def test_named_tuples_and_rows_keep_their_names() -> None:
    assert result([Point(1, Point(2, 3))]) == '[{"x": 1, "y": {"x": 2, "y": 3}}]'
    assert result(rows()) == '[{"a": 1, "b": "x"}]'
    assert result(iter(rows())) == '[{"a": 1, "b": "x"}]'


def test_a_value_that_contains_itself_ends() -> None:
    own: list[Any] = [1]
    own += [own, own]
    assert result(own) == repr(drain(own))


def test_a_model_that_json_cannot_hold_is_written_all_the_same() -> None:
    class Found(pydantic.BaseModel):
        model_config = {"arbitrary_types_allowed": True}
        numbers: numpy.ndarray[Any, Any]

    assert result(Found(numbers=numpy.array([0.1], "float32"))) == '{"numbers": [0.1]}'


# Attachments


def test_text_with_a_nul_is_not_taken_for_utf_16() -> None:
    for data in (b"abc\0defg", "Größe\0".encode(), b"a\0" + b"b" * 30):
        with pytest.raises(ValueError, match="there is a NUL"):
            decode(data)
    assert decode("a,b\n1,2\n".encode("utf-16-le"))[0] == "a,b\n1,2\n"


def test_a_few_broken_bytes_do_not_change_the_encoding_of_the_others() -> None:
    text, note = decode("Größe, Länge, Höhe, Öl".encode() + b" \xff\n")
    assert text == "Größe, Länge, Höhe, Öl \N{REPLACEMENT CHARACTER}\n"
    assert note == "read as UTF-8; 1 broken byte shown as \N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(("frames", "animated"), [(1, False), (2, True)])
@pytest.mark.parametrize("local_colours", [True, False])
def test_a_gif_of_several_frames_is_animated_though_it_does_not_repeat(
    frames: int, animated: bool, local_colours: bool
) -> None:
    table = bytes(6)
    frame = b"," + bytes(8) + (b"\x80" + table if local_colours else b"\0") + b"\x02\x03abc\0"
    gif = b"GIF89a" + b"\x01\0\x01\0\x80\0\0" + table + b"!\xfe\x02,,\0" + frame * frames + b";"
    assert is_animated(gif) is animated
    assert not is_animated(gif[:20])


# JSON


@pytest.mark.parametrize("number", ["1e400", "-1e999", "NaN"])
def test_arguments_with_a_number_that_json_cannot_hold_run_nothing(shell: Shell, endpoint: Server, number: str) -> None:
    shell.run(
        "from claude_magic import claude\nran = []\n@claude.tool(approve=False)\ndef add(a: float):\n    'Add.'\n    ran.append(a)"
    )
    endpoint.answers(asks(("add", '{"a": ' + number + "}")), reply("ok"))
    error = shell.run("%%claude --tools add\ngo").error
    assert error is not None
    assert error[0] == "StreamError", error[:2]
    assert "are not JSON" in error[1]
    assert shell.user_ns["ran"] == []


@pytest.mark.parametrize(
    ("text", "reason", "value"),
    [
        ("12", "max_tokens", None),
        ("[12]", "max_tokens", [12]),
        ("12", "end_turn", 12),
        ("[12]", "refusal", None),
        ('{"a": 1e400}', "end_turn", None),
    ],
)
def test_json_that_may_have_been_cut_is_no_value(
    shell: Shell, endpoint: Server, text: str, reason: str, value: Any
) -> None:
    endpoint.answers(reply(text, stop_reason=reason))
    error = shell.run("%%claude --as json -o value\ngo").error
    assert shell.user_ns.get("value") == value
    assert (error is None) is (value is not None)
    if error is not None and reason != "end_turn":
        assert f"the reply is not whole ({reason})" in error[1]


TWO = '```json\n{"a": 1}\n```\nor\n```json\n{"b": 2}\n```'


@pytest.mark.parametrize(
    ("option", "text", "note"),
    [
        ("--as json", TWO, "the reply says more than the block that is taken and shown"),
        ("--as json", '```json\n{"a": 1}\n```\n', ""),
        ("--as json", '{"a": 1}', ""),
        ("--schema wanted", TWO, "the reply says more than the block that is taken and shown"),
        ("--as html", "It is\n```html\n<b>x</b>\n```", "the reply says more than the block that is taken and shown"),
        ("--as html", "<b>x</b>", ""),
        ("--as code", "```sh\nx\n```\n```py\ny\n```", "the first of 2 code blocks is taken"),
        ("--as code --lang sh", "```py\nx\n```\n```sh\ny\n```", ""),
        ("--as code --lang sh", "```sh\nx\n```\n```bash\ny\n```", "the first of 2 code blocks in sh is taken"),
    ],
)
def test_a_reply_of_which_only_a_block_is_taken_says_so(
    shell: Shell, endpoint: Server, option: str, text: str, note: str
) -> None:
    shell.user_ns["wanted"] = {"type": "object"}
    endpoint.answers(reply(text))
    ran = shell.run(f"%%claude {option}\ngo")
    assert ran.error is None
    page = str(ran.data("text/html"))
    assert note in page
    assert bool(note) is ("in claude.last.text." in page)


@pytest.mark.parametrize(
    ("source", "cut"),
    [("s = '''", True), ("f(1,", True), ("!pip install x\n%time f()\nx = {1: 'a'}", False), ("x = 'a", False)],
)
def test_python_that_ends_at_a_fence_within_a_text_is_called_cut(source: str, cut: bool) -> None:
    block, warning = code_block(f"```python\n{source}\n```\nin\n```\n'''\n```")
    assert block.source == source
    assert ("it may be cut" in warning) is cut
