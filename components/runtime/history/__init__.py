"""What became of answers: where they come from, what was said of them, what turned out to be true."""
