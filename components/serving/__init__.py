"""KServe services: the front of each twin and its predictors."""
