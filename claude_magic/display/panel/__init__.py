"""The panel under a reply: headers, usage, request, response, events, code."""
