"""Stage (LLM training): LoRA adapter of the foundation model."""
