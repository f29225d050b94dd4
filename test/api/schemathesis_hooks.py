"""What schemathesis cannot know of this API: how NDJSON is written, and what is stored."""

import json
import os
import random

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def ndjson(ctx, value):
    lines = value if isinstance(value, list) else [value]
    return "\n".join(json.dumps(line) for line in lines).encode()


@schemathesis.deserializer("application/x-ndjson")
def read_ndjson(ctx, response):
    # The document has the schema of one line.
    lines = [json.loads(line) for line in response.content.decode().split("\n") if line]
    return lines[0] if lines else {}


ITEMS = {"vectors": ["item-1", "item-2", "item-3"], "photos": ["cat.jpg", "coffee.jpg", "rocket.jpg"]}
JOB = os.environ["LOOKALIKE_TEST_JOB"]
# Not the module's own: hypothesis seeds that one anew for every example.
choose = random.Random(1)


def deletes(operation):
    return operation.method.upper() == "DELETE" or operation.path.endswith("/delete")


def fitted(value, collection):
    """Whatever was made up, with vectors of two numbers, as `vectors` holds them, and ids of items that there are."""
    if isinstance(value, list):
        return [fitted(one, collection) for one in value]
    if not isinstance(value, dict):
        return value
    changed = {name: fitted(one, collection) for name, one in value.items()}
    if "vector" in changed:
        changed["vector"] = [choose.uniform(-2, 2), choose.uniform(0.5, 2)]
    if "id" in changed:
        changed["id"] = choose.choice(ITEMS[collection])
    return changed


def asking(body, collection):
    """A query asks for one thing."""
    if "queries" in body:
        return {**body, "queries": [asking(one, collection) for one in body["queries"] if isinstance(one, dict)]}
    settings = {name: value for name, value in body.items() if name not in ("vector", "image", "url", "id")}
    return {**settings, **fitted({"vector" if collection == "vectors" else "id": None}, collection)}


@schemathesis.hook
def before_call(ctx, case, kwargs):
    """
    Nine in ten requests go to what exists, and half of the bodies fit it: the others find out how what does not is answered.
    What is deleted is `scratch`, so that the other requests still find something.
    """
    at = case.path_parameters
    if not at or choose.random() > 0.9:
        return
    operation = case.operation
    collection = "photos" if "job" in at else choose.choice(list(ITEMS))
    if "job" in at:
        at["job"] = JOB
    if "id" in at:
        at["id"] = choose.choice(ITEMS[collection])
    if "collection" in at:
        at["collection"] = "scratch" if deletes(operation) else collection
    if isinstance(case.body, (dict, list)) and choose.random() < 0.5:
        ask = operation.path.endswith("/query") and isinstance(case.body, dict)
        case.body = (asking if ask else fitted)(case.body, collection)
