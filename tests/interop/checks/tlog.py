"""The transparency logs, in plain Python from RFC 6962, RFC 9162 and the C2SP formats."""

import base64
import functools
import hashlib
import json
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from .export import require

WIDTH = 256  # hashes or entries in a full tile
HEIGHT = 8  # levels of the tree in a tile


def leaf_hash(data):
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """All complete subtrees: `levels[h][i]` is over the leaves from i * 2^h on, 2^h of them."""

    def __init__(self, leaves):
        self.levels = [list(leaves)]
        while len(self.levels[-1]) > 1:
            below = self.levels[-1]
            pairs = zip(below[::2], below[1::2])
            self.levels.append([node_hash(left, right) for left, right in pairs])

    def root(self, size):
        """The root when the log had `size` leaves (RFC 6962, section 2.1)."""
        return self.over(0, size) if size else hashlib.sha256().digest()

    def over(self, start, size):
        height = (size - 1).bit_length()
        if size == 1 << height:
            return self.levels[height][start >> height]
        left = 1 << (height - 1)
        return node_hash(self.over(start, left), self.over(start + left, size - left))


def included(leaf, index, size, proof, root):
    """Whether the proof leads from the leaf to the root (RFC 9162, section 2.1.3.2)."""
    if index >= size:
        return False
    first, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if first & 1 or first == last:
            found = node_hash(sibling, found)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        first, last = first >> 1, last >> 1
    return last == 0 and found == root


def parse_note(text):
    """Origin, size and root of a checkpoint, the signed text, and its signatures by key id."""
    body, separator, lines = text.rpartition("\n\n")
    require(separator and lines.endswith("\n"), "the checkpoint is not a signed note")
    origin, size, root = body.split("\n")[:3]
    signatures = {}
    for line in lines.splitlines():
        dash, name, signature = line.split(" ")
        require(dash == "\u2014", "a signature line of the checkpoint has another form")
        signature = base64.b64decode(signature, validate=True)
        signatures[name, signature[:4]] = signature[4:]
    root = base64.b64decode(root, validate=True)
    return origin, int(size), root, f"{body}\n".encode(), signatures


def open_checkpoint(text, vkey, origin):
    """Size and root of a checkpoint that the key of that verifier string has signed."""
    name, key_id, key = vkey.strip().split("+", 2)
    key = base64.b64decode(key, validate=True)
    expected = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    require(key[0] == 1 and expected.hex() == key_id, "the verifier key is not one")
    found, size, root, body, signatures = parse_note(text)
    require((name, expected) in signatures, "the checkpoint is not signed by the log's key")
    try:
        Ed25519PublicKey.from_public_bytes(key[1:]).verify(signatures[name, expected], body)
    except InvalidSignature:
        raise ValueError("the checkpoint's signature is not by the log's key") from None
    require(found == origin, f"the checkpoint is of the log {found}")
    return size, root


def tile_path(kind, index, width):
    """`tile/<kind>/x001/x234/067`, and how much of it is there (C2SP tlog-tiles)."""
    parts = [f"{index % 1000:03}"]
    while index := index // 1000:
        parts.insert(0, f"x{index % 1000:03}")
    return f"tile/{kind}/{'/'.join(parts)}" + (f".p/{width}" if width < WIDTH else "")


def tiles(kind, count):
    """Paths of all tiles that hold `count` items, and the range of items in each."""
    for start in range(0, count, WIDTH):
        end = min(start + WIDTH, count)
        yield tile_path(kind, start // WIDTH, end - start), start, end


def read_entries(data):
    """The entries of a tile, each after its length in two bytes."""
    entries, at = [], 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        require(end <= len(data), "an entries tile is cut")
        entries.append(data[at + 2 : end])
        at = end
    return entries


class Log:
    """A log as its directory has it: entries in `tile/entries`, the tree made again from them."""

    def __init__(self, export, name):
        self.path = export.path / name
        origin = export.world()[f"{name}_origin"]
        vkey = (export.path / "keys" / f"{name}.vkey").read_text()
        checkpoint = (self.path / "checkpoint").read_text()
        self.size, self.signed_root = open_checkpoint(checkpoint, vkey, origin)
        self.entries = []
        for path, start, end in tiles("entries", self.size):
            entries = read_entries(self.file(path))
            require(len(entries) == end - start, f"{path}: {len(entries)} entries")
            self.entries += entries
        self.tree = Tree(map(leaf_hash, self.entries))

    def file(self, path):
        require((self.path / path).is_file(), f"{path} is missing")
        return (self.path / path).read_bytes()

    def check(self):
        """Root and hash tiles are those of the entries; gives the number of entries."""
        for level in range(0, 64, HEIGHT):
            count = self.size >> level
            for path, start, end in tiles(level // HEIGHT, count):
                hashes = b"".join(self.tree.levels[level][start:end])
                require(self.file(path) == hashes, f"{path} is not that of the entries")
        require(self.tree.root(self.size) == self.signed_root, "the checkpoint has another root")
        return self.size


@functools.cache
def log_of(export, name):
    return Log(export, name)


def log(export, name):
    """A whole log: checkpoint, entries, hash tiles."""
    return log_of(export, name).check()


def entry(export, bundle):
    """A bundle's log entry: its promise, its proof, its checkpoint, and its place in the log."""
    material, envelope = bundle.json()["verificationMaterial"], bundle.json()["dsseEnvelope"]
    (found,) = material["tlogEntries"]
    index, body = int(found["logIndex"]), base64.b64decode(found["canonicalizedBody"])
    key, log_id = export.key("log.pem")
    require(base64.b64decode(found["logId"]["keyId"]) == log_id, "it is of another log")
    in_time(export, log_id, int(found["integratedTime"]))
    promised = {
        "body": found["canonicalizedBody"],
        "integratedTime": int(found["integratedTime"]),
        "logID": log_id.hex(),
        "logIndex": index,
    }
    promise = base64.b64decode(found["inclusionPromise"]["signedEntryTimestamp"])
    verify(key, promise, canonical(promised), "the promise is not by the log's key")
    proof = found["inclusionProof"]
    root, size = base64.b64decode(proof["rootHash"]), int(proof["treeSize"])
    require(int(proof["logIndex"]) == index, "the proof has another index")
    origin, *tree, text, signatures = parse_note(proof["checkpoint"]["envelope"])
    require(origin == export.world()["rekor_origin"], f"the checkpoint is of the log {origin}")
    require(tree == [size, root], "the checkpoint is of another tree than the proof")
    signature = next((s for (_, id), s in signatures.items() if id == log_id[:4]), b"")
    verify(key, signature, text, "the checkpoint is not signed by the log's key")
    hashes = [base64.b64decode(hash) for hash in proof["hashes"]]
    require(included(leaf_hash(body), index, size, hashes, root), "the proof misses the root")
    about(export, body, envelope)
    whole = log_of(export, "log")
    require(size <= whole.size, f"its checkpoint is of {size} entries, the log has {whole.size}")
    require(whole.entries[index] == body, "the log holds another entry at its index")
    require(whole.tree.root(size) == root, "its checkpoint is not consistent with the log")


def in_time(export, log_id, seconds):
    """The log's key was valid when the entry was logged, by the trusted root; 0 is no time."""
    require(seconds > 0, "it has no integrated time")
    root = json.loads((export.path / "trusted_root.json").read_bytes())
    (log,) = (
        log for log in root["tlogs"] if base64.b64decode(log["logId"]["keyId"]) == log_id
    )
    valid = log["publicKey"]["validFor"]
    start = datetime.fromisoformat(valid["start"].replace("Z", "+00:00")).timestamp()
    require(start <= seconds, f"it was logged before its key was valid, {valid['start']}")
    require("end" not in valid, "the log's key has ended")


def about(export, body, envelope):
    """The logged body is about this envelope and signer."""
    spec = json.loads(body)["spec"]
    require(canonical(json.loads(body)) == body, "the logged body is not canonical")
    payload = hashlib.sha256(base64.b64decode(envelope["payload"])).hexdigest()
    require(spec["payloadHash"] == {"algorithm": "sha256", "value": payload}, "another payload")
    verifier = base64.b64encode((export.path / "keys/signer.pem").read_bytes()).decode()
    signatures = [{"signature": envelope["signatures"][0]["sig"], "verifier": verifier}]
    require(spec["signatures"] == signatures, "another signature or signer")


def canonical(value):
    """Canonical JSON (RFC 8785) of what holds no floats and only ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def verify(key, signature, text, reason):
    try:
        key.verify(signature, text, ECDSA(SHA256()))
    except InvalidSignature:
        raise ValueError(reason) from None
