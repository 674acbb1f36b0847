"""Stage: block, ask or release by the rules declared in the configuration."""
