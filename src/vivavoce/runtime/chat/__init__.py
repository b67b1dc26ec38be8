"""Chat Completions beside the reply road: what was said in a request, the prompt it makes, the answers to it."""
