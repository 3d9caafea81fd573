"""Limits that the operator has set for this process."""

import os


def apply():
    """From the environment: bytes of memory, seconds of CPU time. Returns what cannot be done on this system, one line each."""
    problems = []
    for variable, limit in (("HOOKMQ_MAX_MEMORY", "RLIMIT_AS"), ("HOOKMQ_MAX_CPU_TIME", "RLIMIT_CPU")):
        value = os.environ.pop(variable, "")
        if not value:
            continue
        try:
            import resource

            _, hard = resource.getrlimit(getattr(resource, limit))
            resource.setrlimit(getattr(resource, limit), (int(value), hard))
        except (ImportError, AttributeError, OSError, ValueError) as error:
            problems.append("%s=%s has no effect on this system: %s" % (variable, value, error))
    return problems
