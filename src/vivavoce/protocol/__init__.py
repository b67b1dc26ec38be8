"""Words on the wire, no behaviour: canonical events, items, session configuration, and the dialects that spell them."""
