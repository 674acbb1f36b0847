"""How a stage runs, the same as a KFP task, as `python -m components.<stage>`, and in a test."""
