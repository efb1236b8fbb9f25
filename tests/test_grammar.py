"""Where GitHub's rules would lose what the model said, meaning wins; everywhere else they hold."""

from __future__ import annotations

import io
import re
import time

import pytest

from claude_magic.display.markdown import render
from claude_magic.display.terminal.rich_markdown import rich_markdown
from claude_magic.wire.fences import code, code_block


def shown(text: str) -> str:
    """The page's HTML, without what no reader sees of a link or of colours."""
    html = render(text, "test")
    return re.sub(r' rel="[^"]*" target="_blank"|</?span[^>]*>| class="language-\w+"', "", html)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("3~5 days, 10~12 kg", "<p>3~5 days, 10~12 kg</p>"),
        ("~one~ ~~two~~ ~~~three~~~", "<p>~one~ <del>two</del> ~~~three~~~</p>"),
        ("~/a and ~/b", "<p>~/a and ~/b</p>"),
        ("删除~~这个。~~对", "<p>删除<del>这个。</del>对</p>"),
        ("这是**重要的。**请", "<p>这是<strong>重要的。</strong>请</p>"),
        ("これは**「重要」**です", "<p>これは<strong>「重要」</strong>です</p>"),
        ("**마크다운(Markdown)**을", "<p><strong>마크다운(Markdown)</strong>을</p>"),
        ("他说**“好”**吗", "<p>他说<strong>“好”</strong>吗</p>"),
        ("**Done!**🎉", "<p><strong>Done!</strong>🎉</p>"),
        ("*（斜体）*字", "<p><em>（斜体）</em>字</p>"),
        ("これは__重要__です", "<p>これは<strong>重要</strong>です</p>"),
        ("数据_清洗_结果.csv", "<p>数据_清洗_结果.csv</p>"),
        ("**Note:**text", "<p>**Note:**text</p>"),
    ],
)
def test_marks_mean_what_their_writer_meant(text: str, html: str) -> None:
    assert shown(text) == html


@pytest.mark.parametrize(
    "text",
    [
        "2*3*4 = 24",
        "x*y and a*b",
        "2**10 and 2**20",
        "x**2 + y**2",
        "n*(n+1) and m*(m+1)",
        "COUNT(*) and SUM(*)",
        "use '*' or '*', \"**\" or \"**\"",
        "/* one */ and /* two */",
        "src/**/*.py and lib/**/*.js",
        "Accept: */* or text/*",
        "__init__ and __name__.",
        "the __FILE__ macro",
        "snake_case_name and _private_name",
        "*args and **kwargs",
        "List[T] and Map<K, V>, Vec<String>".replace("<", "&lt;").replace(">", "&gt;"),
        ":smile: stays :+1:",
        "C:\\new_dir\\x",
        "#no heading",
        "3 * 4 * 5",
        "a | b and c || d",
    ],
)
def test_signs_that_are_no_marks_stay(text: str) -> None:
    source = text.replace("&lt;", "<").replace("&gt;", ">")
    assert shown(source) == f"<p>{text}</p>"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a*b*c and *i*t", "<p>a*b*c and <em>i</em>t</p>"),
        ("**H**yper**T**ext", "<p><strong>H</strong>yper<strong>T</strong>ext</p>"),
        ("__bold__ and __init bold__", "<p><strong>bold</strong> and <strong>init bold</strong></p>"),
        ("共有**3**个", "<p>共有<strong>3</strong>个</p>"),
        ("*/etc/passwd* and **/tmp**", "<p><em>/etc/passwd</em> and <strong>/tmp</strong></p>"),
        ('(*it*) and "*it*"', '<p>(<em>it</em>) and "<em>it</em>"</p>'),
        ("*2*3", "<p><em>2</em>3</p>"),
    ],
)
def test_marks_beside_such_signs_work(text: str, html: str) -> None:
    assert shown(text) == html


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("见 https://e.com/docs。谢谢", "https://e.com/docs"),
        ("看https://e.org，然后", "https://e.org"),
        ("（https://e.org/a）", "https://e.org/a"),
        ("「https://e.org/a」を", "https://e.org/a"),
        ("“https://e.org/a”是", "https://e.org/a"),
        ("https://zh.wikipedia.org/wiki/维基", "https://zh.wikipedia.org/wiki/%E7%BB%B4%E5%9F%BA"),
        ("https://e.org/a_(b) and", "https://e.org/a_(b)"),
        ("[https://e.org/a]", "https://e.org/a"),
        ("(see https://e.org/a.)", "https://e.org/a"),
        ("www.e.org。好", "http://www.e.org"),
        ("<https://e.org/a*b*c>", "https://e.org/a*b*c"),
    ],
)
def test_an_address_ends_where_it_ends(text: str, address: str) -> None:
    assert re.findall(r'href="([^"]+)"', render(text)) == [address]


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("| `a | b` | or |", ["<code>a | b</code>", "or"]),
        ("`a || b` | or", ["<code>a || b</code>", "or"]),
        (r"| `a \| b` | or |", ["<code>a | b</code>", "or"]),
        (r"| a \| b | or |", ["a | b", "or"]),
        ("| ``a ` | b`` | or |", ["<code>a ` | b</code>", "or"]),
        ("| ` | backtick |", ["`", "backtick"]),
        ("| `a | b |", ["`a", "b"]),
        ("| `a | b` |", ["`a", "b`"]),
        ("| one | two | three | `f|g` |", ["one", "two", "three", "<code>f|g</code>"]),
        ("| one |", ["one", ""]),
        ("| $x | $y |", ["$x", "$y"]),
    ],
)
def test_no_cell_of_a_table_vanishes(row: str, cells: list[str]) -> None:
    assert re.findall("<td>(.*?)</td>", shown(f"| op | meaning |\n|---|---|\n{row}")) == cells


def test_a_header_may_hold_code_with_a_pipe() -> None:
    assert re.findall("<th>(.*?)</th>", shown("| `a|b` | c |\n|---|---|\n| 1 | 2 |")) == ["<code>a|b</code>", "c"]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("10. a\n9. b\n8. c", '<ol start="10"><li>a</li><li value="9">b</li><li value="8">c</li></ol>'),
        ("1. a\n3. b\n4. c", '<ol><li>a</li><li value="3">b</li><li>c</li></ol>'),
        ("1. a\n1. b\n1. c", "<ol><li>a</li><li>b</li><li>c</li></ol>"),
        ("2024. was good", '<ol start="2024"><li>was good</li></ol>'),
        ("It was in\n2024. That is all.", "<p>It was in\n2024. That is all.</p>"),
    ],
)
def test_every_item_keeps_its_number(text: str, html: str) -> None:
    assert shown(text) == html


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("[1]: https://a.b 'Title'", ["[1]:", "https://a.b", "Title"]),
        ("[x]\n\n[x]: https://a.b\n[x]: https://c.d", ["https://c.d"]),
        ("a\n\n[^1]: A note nobody refers to.", ["A note nobody refers to."]),
        ("[^1]\n\n[^1]: one\n[^1]: two", ["one", "two"]),
        ("a [^2] b", ["[^2]"]),
        ("<!-- a remark -->", ["a remark"]),
        ("<details><summary>More</summary>\n\ntext\n\n</details>", ["&lt;details&gt;", "More", "text"]),
        ("&copy; &nosuch; &lt;b&gt;", ["©", "&amp;nosuch;", "&lt;b&gt;"]),
        ("| a |\n|---|\n| 1 | 2 |", ["2"]),
    ],
)
def test_nothing_vanishes(text: str, seen: list[str]) -> None:
    html = shown(text)
    assert [piece for piece in seen if piece not in html] == []


def test_a_definition_that_is_used_is_not_shown() -> None:
    assert shown("[x] and [y][X]\n\n[x]: https://a.b") == (
        '<p><a href="https://a.b">x</a> and <a href="https://a.b">y</a></p>'
    )


README = "# Tool\n\n```bash\npip install tool\n```\n\nUse:\n\n```python\nimport tool\n```\n\nThat is all."
DOCSTRING = '"""A module.\n\n```sh\nrun\n```\n"""\nx = 1'


@pytest.mark.parametrize(
    ("text", "source"),
    [
        (f"Here:\n\n```markdown\n{README}\n```\n\nHope it helps.", README),
        (f"```md\n{README}\n```\n\n```python\nlater = 1\n```", README),
        (f"```\n{README}\n```\nafter", README),
        (f"```python\n{DOCSTRING}\n```\nafter", DOCSTRING),
        ("```markdown\n# T\n\n```\npip\n```\n\nend\n```\nHope.", "# T\n\n```\npip\n```\n\nend"),
        ("````markdown\n```python\nx\n```\n````\nafter", "```python\nx\n```"),
        ("~~~markdown\n```python\nx\n```\n~~~\nafter", "```python\nx\n```"),
        ("```markdown\n~~~sh\nls\n~~~\n```\nafter", "~~~sh\nls\n~~~"),
        ("- a:\n  ```markdown\n  ```sh\n  ls\n  ```\n  ```\n- b", "```sh\nls\n```"),
    ],
)
def test_fences_nest(text: str, source: str) -> None:
    assert code(text) == source
    assert render(text).count("<pre>") == 1 + ("later" in text)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("```python\na\n\n```bash\nls\n```\n\nprose\n\n```\nout\n```\nend", "a\n\n```bash\nls"),
        ("```markdown\n```python\n```\n\nSo one opens it.", "```python"),
        ("```text\nno inner\n```\n\n```python\nx\n```", "no inner"),
    ],
)
def test_where_nesting_would_swallow_the_rest_fences_do_not_nest(text: str, source: str) -> None:
    assert code(text) == source


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (f"```markdown\n{README}\n```", "contains fenced blocks"),
        ("```python\ncut of", "not closed"),
        ("```python\na\n\n```bash\nls\n```\n\nprose\n\n```\nout\n```\nend", "opens another block"),
        ("```python\na\n```\n\n```\nb", "a later code block of the reply is not closed"),
        ("```python\na\n```\n\n```\nb\n```", ""),
        ("````md\n```\na\n```\n````", ""),
    ],
)
def test_what_is_odd_about_a_block_is_said(text: str, note: str) -> None:
    said = code_block(text)[1]
    assert (note in said) if note else said == ""


@pytest.mark.parametrize(
    "text",
    [
        "<answer>\n```python\nx = 1\n```\n</answer>",
        "<details>\n<summary>Code</summary>\n```python\nx = 1\n```\n</details>",
        "> ```python\n> x = 1\n> ```",
        "1. first\n   ```python\nx = 1\n```\nafter",
        "   ```python\n   x = 1\n   ```",
    ],
)
def test_the_page_and_as_code_agree_on_what_is_code(text: str) -> None:
    assert code(text) == "x = 1"
    assert "<pre><code>x = 1\n</code></pre>" in re.sub('</?span[^>]*>| class="language-python"', "", render(text))


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("It is $9.99, was $19.99", []),
        ("$HOME and $PATH", []),
        (r"\$x\$ and $x$", ["$x$"]),
        ("a $ b $x^2$ c", ["$x^2$"]),
        ("$$\na = b\n$$", ["$$\na = b\n$$"]),
        (r"\(a\) and \[b\]", [r"\(a\)", r"\[b\]"]),
        ("| $5 | $6 |\n|---|---|\n| $7 | $x$ |", ["$x$"]),
        ("`$x$` and $y$", ["$y$"]),
        ("**$x$** and *$y$*", ["$x$", "$y$"]),
        ("- $$\n  - a\n  $$", ["$$\n- a\n$$"]),
    ],
)
def test_mathematics_is_told_from_prices(text: str, formulas: list[str]) -> None:
    assert re.findall(r"<span>([^<]*)</span>", render(text)) == formulas


def test_a_terminal_shows_all_that_the_page_shows() -> None:
    rich_console = pytest.importorskip("rich.console")
    text = (
        "Vec<T> &amp; `a|b` $x_1$ <br> 3~5 ~~gone~~ [l](https://a.b) https://c.d ![pic](https://e.f/i.png)[^1]\n\n"
        "10. ten\n9. nine\n\n- [x] done\n- [ ] open\n\n<div>raw</div>\n\n| a | b |\n|---|--:|\n| `x|y` | 2 | extra |\n\n"
        "[z]: https://g.h 'T'\n\n[^1]: a note\n\n```python\ncode = 1\n```"
    )
    console = rich_console.Console(width=100, record=True, file=io.StringIO())
    console.print(rich_markdown(text))
    printed = console.export_text()
    words = [
        "Vec<T>",
        "&",
        "a|b",
        "$x_1$",
        "3~5",
        "gone",
        "https://a.b",
        "https://c.d",
        "pic",
        "https://e.f/i.png",
        "[^1]",
        "10",
        "9",
        "[x]",
        "[",
        "]",
    ]
    words += ["<div>raw</div>", "x|y", "extra", "[z]: https://g.h", "a note", "code = 1"]
    assert [word for word in words if word not in printed] == []
    assert printed.count("https://c.d") == 1
    assert "<br>" not in printed


def test_no_entity_steers_a_terminal() -> None:
    rich_console = pytest.importorskip("rich.console")
    console = rich_console.Console(width=100, record=True, file=io.StringIO())
    console.print(rich_markdown("a&#x202e;b &#27;[2J [x](https://a.b/&#x202e;c) ![&#x202e;](https://a.b)"))
    assert not re.search("[\u202e\x1b\x9b]", console.export_text())


_HOSTILE = {
    "fences in fences": "```a\n```b\n```\n" * 8_000,
    "a document of fences": "```markdown\n```a\n" * 5_000,
    "fences left by their items": "- ```\na\n" * 12_000,
    "bare fences": "```md\n\n```\na\n" * 6_000,
    "footnotes opened": "[^a]: b\n\n" + "[^a" * 30_000,
    "footnotes in footnotes": "[^a]: " * 16_000,
    "rows of code": "|a|\n|-|\n" + "|`" * 45_000,
    "addresses and brackets": "[https://a.b" * 8_000,
    "formulas that never end": "\\(" * 50_000,
    "environments": "\\begin{align}" * 7_000,
    "definitions and brackets": "[a]: b\n" + "[a][" * 25_000,
    "emphasis in words": "a*b" * 33_000,
    "dunder": "__init__" * 12_000,
    "tags and fences": "<a>\n```\n" * 12_000,
    "tasks": "- [ ] [ ] " * 10_000,
    "full-width": "https://a.b。" * 8_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", _HOSTILE)
def test_deviations_cost_no_more_than_the_text_is_long(name: str) -> None:
    text = _HOSTILE[name][:100_000]
    begun = time.thread_time()
    render(text)
    assert time.thread_time() - begun < 2
