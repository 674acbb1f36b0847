"""An LLM twin: its front, its open releases, and the model in this process."""
