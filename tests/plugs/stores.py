"""A bucket on a server of this machine, and the stores that the contract is asked of."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

from counterfoil.adapters.store_s3 import S3


@contextmanager
def a_server() -> Iterator[str]:
    """Run moto's S3 and give its address. It takes an object whose declared digest is wrong; real servers do not."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def a_bucket(endpoint: str, home: Path, **options: int) -> S3:
    """Return a store over a bucket of its own, under a prefix."""
    (home / "incoming").mkdir(exist_ok=True)
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    name = f"vault-{uuid4().hex[:12]}"
    with patch.dict(os.environ, keys):
        store = S3(f"s3://{name}/force/", str(home), endpoint, "eu-west-2", **options)
        store.client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    return store
