"""What is derived for the Helm chart: the schema of its values and the table in its README."""
