"""What the broker starts as ``python3 -m hookmq_driver``: it runs a handler and answers the broker's calls. Nothing to import from."""
