"""The files that code execution wrote, under the reply: with buttons where the kernel runs, else with commands.

As with the panel there are two outputs in a row, of which one is seen: a widget with a button for each file, and a
static twin with the ids and the commands that download them. A click may come in another thread than the cell's.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from ..concurrency import from_widget
from ..errors import ClaudeError
from ..wire.short_text import size_text
from ..wire.stored_file import StoredFile
from .css import element, hide_empty_output, hide_twin, minify
from .text.excerpt import one_line, plain_line
from .widgets import Widget, has_widgets, widget_bundle, with_classes

_MOST = 50  # files that are shown
_IGNORED = "mathjax_ignore tex2jax_ignore"
_STYLE = minify("""
.cm-files { margin: 6px 0 0; padding: 4px 10px; font-family: var(--jp-ui-font-family, system-ui, sans-serif);
  font-size: var(--jp-ui-font-size1, 13px); line-height: 1.6; color: var(--jp-ui-font-color1, inherit);
  border: 1px solid var(--jp-border-color2, rgba(128, 128, 128, 0.35)); overflow-wrap: anywhere; }
.cm-files .cm-title { font-weight: 600; }
.cm-files .cm-about { color: var(--jp-ui-font-color2, #6b6b6b); }
.cm-files code { font-family: var(--jp-code-font-family, monospace); font-size: var(--jp-code-font-size, 13px); }
""")
_LIVE = minify("""
.cm-files.cm-live-files { margin: 6px 20px 4px 0; width: auto; overflow: visible; }
.cm-live-files .widget-html, .cm-live-files .widget-html-content { margin: 0; height: auto; line-height: 1.6; }
.cm-live-files .cm-row { flex-flow: row wrap; align-items: center; gap: 8px; overflow: visible; }
.cm-live-files .jupyter-button { margin: 2px 0; width: auto; padding: 0 12px; border-radius: 2px; }
.cm-live-files .jupyter-button:focus-visible { outline: 2px solid var(--jp-brand-color1, #1976d2);
  outline-offset: 1px; }
.cm-live-files .cm-error { color: var(--jp-error-color1, #c62828); }
""")
_TITLE = "Files that code execution wrote"
Download = Callable[[StoredFile], str]


def download_bundles(files: Sequence[StoredFile], download: Download) -> list[dict[str, Any]]:
    """The mime bundles to publish, in order: the widget and its twin, or the twin alone.

    Args:
        download: Called when a button is pressed; says where the file is now.
    """
    name = f"cm-static-{uuid.uuid4().hex[:12]}"
    twin = files_bundle(files, name)
    return [widget_bundle(_widget(files, download, name)), twin] if has_widgets() else [twin]


def files_bundle(files: Sequence[StoredFile], name: str = "cm-static") -> dict[str, str]:
    """The mime bundle without buttons.

    Args:
        name: The CSS class by which a widget hides it.
    """
    rows = [f"{_facts_html(file)} <code>{one_line(_command(file), 200)}</code>" for file in files[:_MOST]]
    lines = "".join(f"<div>{row}</div>" for row in (f'<span class="cm-title">{_TITLE}</span>', *rows))
    style = element(_STYLE, hide_empty_output(name))
    shown = f'{style}<div class="cm-files {name} {_IGNORED}">{lines}{_more(files)}</div>'
    return {"text/html": shown, "text/plain": files_text(files)}


def files_text(files: Sequence[StoredFile]) -> str:
    """The files as lines for a terminal."""
    lines = [f"  {plain_line(_name(file), 100)} · {_about(file)}: {_command(file)}" for file in files[:_MOST]]
    left = [f"  … {len(files) - _MOST:,} more"] if len(files) > _MOST else []
    return "\n".join([f"{_TITLE}:", *lines, *left])


def _widget(files: Sequence[StoredFile], download: Download, name: str) -> Widget:
    import ipywidgets

    head = ipywidgets.HTML(value=f'{element(_STYLE, _LIVE, hide_twin(name))}<div class="cm-title">{_TITLE}</div>')
    rows = []
    for file in files[:_MOST]:
        button = ipywidgets.Button(description="Download", tooltip=plain_line(_name(file), 100))
        said = ipywidgets.HTML()
        button.on_click(functools.partial(_press, file, download, said))
        about = ipywidgets.HTML(value=f'<span class="{_IGNORED}">{_facts_html(file)}</span>')
        rows.append(with_classes(ipywidgets.HBox([button, about, said]), "cm-row"))
    more = [ipywidgets.HTML(value=_more(files))] if len(files) > _MOST else []
    return with_classes(ipywidgets.VBox([head, *rows, *more]), "cm-files", "cm-live-files")


def _press(file: StoredFile, download: Download, said: Widget, button: Widget) -> None:
    """A button was pressed: the file is downloaded, and where it is now stands beside the button."""
    if button.disabled:
        return
    button.disabled = True
    said.value = '<span class="cm-about">downloading…</span>'
    from_widget(_download, file, download, said, button)


def _download(file: StoredFile, download: Download, said: Widget, button: Widget) -> None:
    try:
        said.value = f'<span class="cm-about">{one_line(download(file), 300)}</span>'
    except KeyboardInterrupt:
        said.value = '<span class="cm-error">stopped</span>'
    except ClaudeError as error:
        said.value = f'<span class="cm-error" role="alert">{one_line(str(error), 500)}</span>'
    finally:
        button.disabled = False


def _name(file: StoredFile) -> str:
    return file.filename or file.id


def _about(file: StoredFile) -> str:
    """Size, type and id on one line, as far as they are known."""
    size = "" if file.size_bytes is None else size_text(file.size_bytes)
    identifier = file.id if file.filename else ""
    return plain_line(" · ".join(filter(None, (size or "size unknown", file.mime_type, identifier))), 200)


def _facts_html(file: StoredFile) -> str:
    return f'{one_line(_name(file), 200)} <span class="cm-about">{one_line(_about(file), 200)}</span>'


def _command(file: StoredFile) -> str:
    return plain_line(f"claude.files[{file.id!r}].download()", 200)


def _more(files: Sequence[StoredFile]) -> str:
    return f'<div class="cm-about">… {len(files) - _MOST:,} more</div>' if len(files) > _MOST else ""
