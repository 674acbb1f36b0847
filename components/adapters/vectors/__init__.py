"""Index versions: in Milvus Lite, or on a Milvus server."""
