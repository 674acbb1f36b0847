"""Hamilton modules: noun-named pure nodes that run the same in a pipeline and in a request."""
