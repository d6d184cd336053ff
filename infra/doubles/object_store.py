"""A store that speaks S3 on a loopback port (moto), behind a door that counts bytes and cuts connections."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import boto3
from moto.server import ThreadedMotoServer

KEYS: Final = {"AWS_ACCESS_KEY_ID": "of-tests", "AWS_SECRET_ACCESS_KEY": "of-tests"}
REGION: Final = "us-east-1"
_PIECE: Final = 1 << 14


@dataclass(slots=True)
class Door:
    """Passes connections on to the store. With `break_after`, each is cut after so many bytes of answer."""

    port: int
    break_after: int | None = None
    sent: int = 0  # bytes of answers
    _open: list[socket.socket] = field(default_factory=list)

    def serve(self, listener: socket.socket) -> None:
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                store = socket.create_connection(("127.0.0.1", self.port))
                self._open += [client, store]
                for source, sink, is_answer in ((client, store, False), (store, client, True)):
                    threading.Thread(target=self._pass, args=(source, sink, is_answer), daemon=True).start()

    def close(self) -> None:
        """Cut every connection."""
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _pass(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        passed = 0
        with suppress(OSError):
            while piece := source.recv(_PIECE):
                if is_answer and self.break_after is not None and passed + len(piece) > self.break_after:
                    sink.sendall(piece[: self.break_after - passed])
                    break
                sink.sendall(piece)
                passed += len(piece)
                self.sent += len(piece) if is_answer else 0
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """The store: where it answers, and a bucket to put objects into."""

    endpoint: str
    door: Door
    _client: object

    def put(self, bucket: str, key: str, content: bytes) -> None:
        """Put an object, in a bucket that is made when it is not there."""
        self._client.create_bucket(Bucket=bucket)  # type: ignore[attr-defined]
        self._client.put_object(Bucket=bucket, Key=key, Body=content)  # type: ignore[attr-defined]

    def put_in_parts(self, bucket: str, key: str, content: bytes) -> None:
        """Put an object by a multipart upload of one part, which gives it another ETag."""
        place = {"Bucket": bucket, "Key": key}
        upload = self._client.create_multipart_upload(**place)  # type: ignore[attr-defined]
        upload_id = upload["UploadId"]
        part = self._client.upload_part(  # type: ignore[attr-defined]
            **place, PartNumber=1, UploadId=upload_id, Body=content
        )
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        self._client.complete_multipart_upload(  # type: ignore[attr-defined]
            **place, UploadId=upload_id, MultipartUpload=parts
        )

    def remove(self, bucket: str, key: str) -> None:
        """Take an object away."""
        self._client.delete_object(Bucket=bucket, Key=key)  # type: ignore[attr-defined]


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """An empty store that is gone after the block."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    listener = socket.create_server(("127.0.0.1", 0))
    door = Door(port)
    threading.Thread(target=door.serve, args=(listener,), daemon=True).start()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name=REGION,
        aws_access_key_id="of-tests",
        aws_secret_access_key="of-tests",
    )
    try:
        yield ObjectStore(f"http://127.0.0.1:{listener.getsockname()[1]}", door, client)
    finally:
        client.close()
        listener.close()
        door.close()
        server.stop()
