"""The API's size limit, and sizes in words.

Source: https://platform.claude.com/docs/en/api/overview#request-size-limits
"""

from __future__ import annotations

from ...errors import CellError

MOST_BYTES = 32_000_000  # of a whole request; Bedrock and Google Cloud accept less


def check_size(content: bytes) -> None:
    """Checks that the body of a request is within the API's limit.

    Raises:
        CellError: It is larger; nothing was sent.
    """
    if len(content) > MOST_BYTES:
        raise CellError(
            f"the request has {amount(len(content))}, and the API takes {amount(MOST_BYTES)} at most. "
            "Attach less or smaller files, or begin a new conversation: what an earlier turn attached is sent again."
        )


def amount(size: int) -> str:
    """A number of bytes in words: `512 bytes`, `34 kB`, `5.2 MB`."""
    if size < 1_000:
        return f"{size} byte{'s' * (size != 1)}"
    return f"{size / 1e3:,.0f} kB" if size < 999_500 else f"{size / 1e6:,.1f} MB"
