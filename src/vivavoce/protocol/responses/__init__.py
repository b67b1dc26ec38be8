"""OpenAI's Responses on the wire: the request, its items, the response and its events."""
