"""Documents in transactions: in SQLite, MongoDB or PostgreSQL."""
