"""The first element of what ``init`` and the callbacks return."""

EMQX_OK = 0
EMQX_ERROR = 1
