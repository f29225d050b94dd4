"""What schemathesis cannot know of this API: how NDJSON is written, and which collections there are."""

import json
import random

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def ndjson(ctx, value):
    lines = value if isinstance(value, list) else [value]
    return "\n".join(json.dumps(line) for line in lines).encode()


@schemathesis.hook
def map_path_parameters(ctx, path_parameters):
    """Nine in ten requests go to what exists: the others find out how what does not is answered."""
    if path_parameters and random.random() < 0.9:
        if "collection" in path_parameters:
            path_parameters["collection"] = random.choice(["photos", "vectors"])
        if "id" in path_parameters and random.random() < 0.5:
            path_parameters["id"] = random.choice(["item-1", "item-2", "item-3"])
    return path_parameters
