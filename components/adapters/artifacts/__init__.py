"""Stage outputs: committed whole or not there; in a folder, or in object storage."""
