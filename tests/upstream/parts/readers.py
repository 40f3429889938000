"""Three readers of JSON, which must agree about whatever is forwarded."""

import json
import math

import jiter
import orjson

READERS = {
    "json": json.loads,
    "orjson": orjson.loads,
    "jiter": lambda data: jiter.from_json(data, catch_duplicate_keys=True),
}


def same(read, authorised):
    """Whether two values are the same, in type and to the last bit.

    orjson reads integers beyond 64 bits as floats: nobody is told another number than its own.
    """
    if isinstance(authorised, int) and isinstance(read, float) and abs(authorised) >= 2**63:
        return read == float(authorised)
    if type(read) is not type(authorised):
        return False
    if isinstance(authorised, dict):
        return list(read) == list(authorised) and all(map(same, read.values(), authorised.values()))
    if isinstance(authorised, list):
        return len(read) == len(authorised) and all(map(same, read, authorised))
    if isinstance(authorised, float):
        return read == authorised and math.copysign(1, read) == math.copysign(1, authorised)
    return read == authorised


def check(body, authorised):
    for name, reader in READERS.items():
        assert same(reader(body), authorised), (name, body)
