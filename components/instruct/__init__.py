"""Stage (LLM dataset): instruction examples built from the corpus, with a held-out part."""
