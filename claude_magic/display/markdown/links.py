"""Addresses that may become links."""

from __future__ import annotations

import re
from urllib.parse import quote
from xml.etree.ElementTree import Element

URL = re.compile(r"(?:https?://[0-9A-Z%_\[]|mailto:)[!#-;=?-Z\[\]_a-z~]{0,12000}", re.I | re.A)


def link(url: str, title: str = "") -> Element | None:
    """A link to an address of the web or of mail; `None` if it is none."""
    url = quote(url.strip(), safe="!#$%&'()*+,-./:;=?@[]_~")
    if not URL.fullmatch(url):
        return None
    element = Element("a", {"href": url, "rel": "noopener noreferrer nofollow", "target": "_blank"})
    if title:
        element.set("title", title)
    return element
