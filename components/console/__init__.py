"""The operations API: alerts in, approvals, labels and feedback, sources, runs."""
