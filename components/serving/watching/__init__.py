"""What the fronts count of requests beside answering: signals of questions and answers, and drift."""
