"""A server on loopback with the Messages and Message Batches APIs, which can fail as the real ones do."""
