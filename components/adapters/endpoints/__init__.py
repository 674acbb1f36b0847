"""Models that answer elsewhere, over HTTP: the OpenAI API, and KServe V2."""
