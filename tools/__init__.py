"""What developers run: installation, generated pages, checks. Nothing that is released imports it."""
