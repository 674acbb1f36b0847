"""The routes of the operations API, by subject; what they do lies in the modules one folder up."""
