"""Arguments in, requests out: the endpoints of the API."""
