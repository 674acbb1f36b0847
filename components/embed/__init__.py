"""Stage (LLM features): documents to chunks to embeddings to a new index version."""
