"""Ratios from one run on one machine: `make bench`. Numbers to read, not tests to pass."""
