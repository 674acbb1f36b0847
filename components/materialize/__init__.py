"""Stage (classic features): table to dataflow to Feast, offline and online."""
