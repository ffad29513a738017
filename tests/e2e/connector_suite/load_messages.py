"""Run by the Python of airbyte-source-faker's environment: load each line of stdin with Airbyte's own models, and
check that nothing of it was unknown to them. Prints how many there were."""

import json
import sys

from airbyte_cdk.models import AirbyteMessageSerializer


def compare(ours, theirs, path=""):
    if isinstance(ours, dict):
        for key, value in ours.items():
            if value is not None:
                assert key in theirs, f"{path}/{key} is not in Airbyte's model"
                compare(value, theirs[key], f"{path}/{key}")
    elif isinstance(ours, list):
        assert len(ours) == len(theirs), path
        for one, other in zip(ours, theirs):
            compare(one, other, path)
    else:
        assert str(ours) == str(theirs), f"{path}: {ours} became {theirs}"


count = 0
for line in sys.stdin:
    message = json.loads(line)
    back = AirbyteMessageSerializer.dump(AirbyteMessageSerializer.load(message))
    compare(message, json.loads(json.dumps(back, default=str)))
    count += 1
print(count)
