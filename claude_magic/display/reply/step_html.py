"""A step of a reply as HTML: a closed line, and inside it the arguments, the result and the facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...wire.tool import FAILED, NOT_RUN, REFUSED, WAITING
from ..text.excerpt import clean, one_line, plain_line, short_line
from .result_blocks import blocks_html, json_html, text_html
from .server_tools import RAN, error_line, object_list
from .steps import Step

IGNORED = "mathjax_ignore tex2jax_ignore"
_CLASSES = {WAITING: " cm-waiting", FAILED: " cm-failed", REFUSED: " cm-failed", NOT_RUN: " cm-failed"}
_MOST_RESULTS = 50
_TEXT = 20_000
_PROGRAMS = {"code": "python", "command": "bash"}
_FILE_TEXTS = ("file_text", "old_str", "new_str")


def step_html(step: Step, *, brief: str = "") -> str:
    """A step, safe to show and of bounded size.

    Args:
        brief: Why the step is shown without its content; `""` to show it.
    """
    facts = "".join(f" · {one_line(fact)}" for fact in step.facts)
    outcome = f' <span class="cm-outcome">{one_line(step.outcome)}</span>' if step.outcome else ""
    line = f'<span class="cm-call">{one_line(step.call_line)}</span>{outcome}{facts}'
    inner = f'<div class="cm-none">{one_line(brief)}</div>' if brief else _inside(step)
    return (
        f'<details class="cm-block cm-step{_CLASSES.get(step.state, "")} {IGNORED}"><summary>{line}</summary>'
        f'<div class="cm-folded">{inner}</div></details>'
    )


def _inside(step: Step) -> str:
    sections = [*_arguments(step)]
    if step.kind:
        ran = isinstance(step.content, Mapping) and step.content.get("type") in RAN
        sections += [*([] if ran else [_caption("result")]), _result(step)]
    about = step.all_facts
    if about:
        sections.append(f'<div class="cm-about">{one_line(" · ".join(about))}</div>')
    return "".join(sections)


def _arguments(step: Step) -> Iterable[str]:
    """The arguments: a program in colour, the rest as JSON."""
    arguments = step.arguments
    programs = _programs(arguments) if step.name.endswith("code_execution") else {}
    if isinstance(arguments, Mapping):
        arguments = {name: item for name, item in arguments.items() if name not in programs}
    if arguments or (arguments is not None and not programs):
        yield _caption("arguments") + json_html(arguments)
    for name, (text, language) in programs.items():
        yield _caption(name.replace("_", " ")) + _code(text, language)


def _programs(arguments: Any) -> dict[str, tuple[str, str]]:
    """Text and language of the arguments that are programs or files."""
    if not isinstance(arguments, Mapping):
        return {}
    is_edit = isinstance(arguments.get("path"), str)
    suffix = str(arguments.get("path")).rpartition(".")[2][:20] if is_edit else ""
    languages = dict.fromkeys(_FILE_TEXTS, suffix) if is_edit else dict(_PROGRAMS)
    texts = {name: (arguments.get(name), language) for name, language in languages.items()}
    return {name: (text, language) for name, (text, language) in texts.items() if isinstance(text, str) and text}


def _result(step: Step) -> str:
    content = step.content
    if step.kind == "web_search_tool_result" and isinstance(content, list):
        return _search_html(content)
    if not isinstance(content, Mapping) or step.kind in ("tool_result", "mcp_tool_result"):
        return blocks_html(content)
    if "error_code" in content:
        return f'<div class="cm-message">{one_line(error_line(content), 500)}</div>'
    kind = content.get("type")
    if kind in RAN:
        return _ran(content)
    if kind == "web_fetch_result":
        return _fetch_html(content)
    if kind == "tool_search_tool_search_result":
        names = [str(each.get("tool_name")) for each in object_list(content, "tool_references")]
        items = "".join(f"<li><code>{one_line(name, 100)}</code></li>" for name in names[:_MOST_RESULTS])
        return f"<ul>{items}</ul>{_more(len(names))}"
    if kind == "text_editor_code_execution_view_result" and isinstance(content.get("content"), str):
        return _code(content["content"], str((step.arguments or {}).get("path", "")).rpartition(".")[2][:20])
    return json_html(content)


def _search_html(results: list[Any]) -> str:
    pages = [each for each in results if isinstance(each, Mapping)]
    links = (_link(each.get("url"), each.get("title"), each.get("page_age")) for each in pages[:_MOST_RESULTS])
    items = "".join(f"<li>{link}</li>" for link in links)
    return f'<ol class="cm-results">{items}</ol>{_more(len(pages))}'


def _fetch_html(content: Mapping[str, Any]) -> str:
    document = content.get("content")
    document = document if isinstance(document, Mapping) else {}
    source = document.get("source")
    source = source if isinstance(source, Mapping) else {}
    data, kind = source.get("data"), source.get("media_type")
    head = f"<div>{_link(content.get('url'), document.get('title'), content.get('retrieved_at'))}</div>"
    if not isinstance(data, str):
        return head + json_html(document)
    if source.get("type") != "text":
        return f'{head}<div class="cm-none">{one_line(str(kind), 60)}, {len(data) * 3 // 4:,} bytes</div>'
    return f"{head}<details><summary>{len(data):,} characters</summary>{text_html(data)}</details>"


def _ran(content: Mapping[str, Any]) -> str:
    sections = []
    for name in ("stdout", "stderr"):
        text = content.get(name)
        if isinstance(text, str) and text:
            sections.append(_caption(name) + text_html(text))
    if isinstance(content.get("encrypted_stdout"), str):
        sections.append('<div class="cm-none">stdout is encrypted</div>')
    files = [str(each.get("file_id")) for each in object_list(content, "content")]
    facts = [f"return code {plain_line(str(content.get('return_code'))[:20])}"]
    facts += [f"file {short_line(name, 100)}" for name in files[:_MOST_RESULTS]]
    lines = "".join(f"<div>{one_line(line)}</div>" for line in facts)
    return f'{"".join(sections)}<div class="cm-about">{lines}{_more(len(files))}</div>'


def _link(url: object, title: object, about: object) -> str:
    """A title linked to its page, with the host and further facts."""
    from ..markdown import link_html

    url = url if isinstance(url, str) else ""
    words = short_line(title, 200) if isinstance(title, str) else ""
    known = [url.split("/", 3)[2] if url.count("/") > 2 else url, about if isinstance(about, str) else ""]
    details = "".join(f" · {one_line(short_line(fact, 80))}" for fact in known if fact and fact != words)
    return f'{link_html(url, words or short_line(url, 200))}<span class="cm-where">{details}</span>'


def _code(text: str, language: str) -> str:
    from ..markdown import code

    return code(clean(text, _TEXT), language)


def _caption(text: str) -> str:
    return f'<div class="cm-caption">{one_line(text, 40)}</div>'


def _more(count: int) -> str:
    return f'<div class="cm-none">… {count - _MOST_RESULTS:,} more</div>' if count > _MOST_RESULTS else ""
