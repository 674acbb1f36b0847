"""What every part may import: typed configuration, errors, manifests, lineage, metric names."""
