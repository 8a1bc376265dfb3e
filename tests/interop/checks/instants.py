"""Instants: RFC 3339 in UTC with a Z, and milliseconds where there are some; in every document."""

import base64
import json
import re

from .documents import strings
from .export import require

ANY = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
ONE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.(?!000)\d{3})?Z")


def file(path):
    """Every instant in a JSON file, and in what it has signed."""
    document = json.loads(path.read_bytes())
    documents = [document]
    if "dsseEnvelope" in document:
        documents.append(json.loads(base64.b64decode(document["dsseEnvelope"]["payload"])))
    count = 0
    for text in strings(documents):
        for found in ANY.finditer(text):
            require(ONE.fullmatch(found[0]), f"{found[0]} in {text[:100]}")
            count += 1
    return count
