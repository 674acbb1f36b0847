"""What is refused before work starts: keys, rates, budgets, queues, deadlines."""
