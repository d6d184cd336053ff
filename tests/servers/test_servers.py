"""The servers that tests start are there, are ours, and are as awkward as a company's own."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
import redis


def test_redis_answers_and_is_empty(redis_server: str) -> None:
    """A real one, through the client that the product uses."""
    with redis.Redis.from_url(redis_server) as client:
        assert client.ping()
        assert client.dbsize() == 0


def test_postgres_sorts_as_a_dictionary_does_and_is_not_in_utc(postgres: Any) -> None:
    """So that a test fails where the product leans on the server's own order or zone."""
    with (
        postgres.database() as name,
        psycopg.connect(
            host=str(postgres.folder), user=postgres.user, password=postgres.password, dbname=name
        ) as connection,
    ):
        words = connection.execute(
            "SELECT w FROM (VALUES ('a'), ('B'), ('c')) AS x (w) ORDER BY w"
        ).fetchall()
        assert [word for (word,) in words] == ["a", "B", "c"]
        assert connection.execute("SHOW timezone").fetchone() == ("Asia/Kathmandu",)


def test_postgres_asks_for_the_password(postgres: Any) -> None:
    """Otherwise no test could tell what a wrong one does."""
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(host=str(postgres.folder), user=postgres.user, password="wrong", dbname="postgres")
