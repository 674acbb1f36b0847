"""Where state lies."""

import re

from pydantic import field_validator

from components.shared.config.base import Settings

#: An absolute path as SQLAlchemy writes it: the scheme's three slashes and the path's own.
FOUR_SLASHES = re.compile(r"(?<=:)/{4,}")


class Stores(Settings):
    """Where state lies: one URI a system. An empty one means: inside `state`."""

    warehouse: str = ""
    """`sqlite:///PATH`, `postgresql://USER@HOST:PORT/DATABASE`, or `mongodb://HOST:PORT/DATABASE?replicaSet=NAME`.
    The password comes from `PGPASSWORD`, or from `MONGODB_USERNAME` and `MONGODB_PASSWORD`."""
    vectors: str = ""
    """`milvus-lite:///FOLDER`, or `http(s)://HOST:PORT/DATABASE` of a Milvus server, with `MILVUS_TOKEN`."""
    features: str = ""
    """`feast:///FOLDER`, or `feast+s3://BUCKET/PREFIX`, each with `?online=redis://HOST:PORT/DATABASE` where
    a Redis server holds the newest values; its password comes from `REDIS_PASSWORD`."""
    tracking: str = ""
    """`sqlite:///PATH`, or `http(s)://HOST:PORT` of an MLflow server, with credentials from
    `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`, or `MLFLOW_TRACKING_TOKEN`."""
    artifacts: str = ""
    """`file:///FOLDER`, or `s3://BUCKET/PREFIX`, with address and keys from `AWS_ENDPOINT_URL`,
    `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`."""

    @field_validator("*")
    @classmethod
    def _one_slash_begins_a_path(cls, uri: str) -> str:
        # `//var` is another path than `/var` to POSIX, and MLflow takes its first folder for a host.
        return FOUR_SLASHES.sub("///", uri, count=1)
