"""What was answered is written down before it goes out, and brought to the warehouse afterwards."""
