"""The Kubernetes API: what the stages ask of it, and what they make of its answers."""
