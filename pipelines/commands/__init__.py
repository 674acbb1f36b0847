"""One module a group of commands; heavy imports only inside a command."""
