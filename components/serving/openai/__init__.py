"""OpenAI's API: what callers send, what they get, and the routes between."""
