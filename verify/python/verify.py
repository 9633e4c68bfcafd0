#!/usr/bin/env python3
"""Second, independent verifier of extracts (docs/formats/extract.md): the standard library and `cryptography`.

    python3 verify.py <extract.zip> --key <verifier key, or a file with it> [--export-key ...] [--witness ...]
        [--tsa-cert file.pem ...] [--json]

Exit 0 verified, 1 a finding, 2 usage or incomplete. Shares no code with the verifier in TypeScript; the two are tried
against each other on every tampered and every honest extract of the tests.
"""

import argparse
import base64
import binascii
import hashlib
import json
import math
import re
import struct
import sys
import zlib
from array import array
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, localcontext

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "bioledger-extract/v1"
REQUIRED = [
    "VERIFY.txt", "events-000001.ndjson", "proof.bin", "fingerprints.bin", "checkpoint.txt", "readings.csv",
    "readings.parquet", "report.html", "manifest.json", "manifest.sig",
]
OPTIONAL = re.compile(r"(events-\d{6}\.ndjson|heads\.ndjson|export-key\.txt|key-change-[1-9]\d{0,15}\.txt|timestamp-[1-9]\d{0,15}\.(tsr|txt))")
MEMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,99}")
COUNT = re.compile(r"(0|[1-9][0-9]{0,15})")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
SAFE = 2**53
BULK = ["reading", "derived", "forecast"]
APPROVING = ["BatchInoculated", "BatchClosed", "BatchAborted"]
VERIFY_TEXTS = ["609ad441e988c4e2e8b94ca0f2992996d1267a9e838af17a3ba92a86dbc8513d"]
MOST_FINDINGS = 1000
MOST_BAD_LINES = 1000
TOLERANCE_SECONDS = 120
GRAVEST_SECONDS = 3600
CHECKS = [
    "container", "manifest", "checkpoint", "witnesses", "leaves", "inclusion", "streams", "payloads", "completeness",
    "scope", "keys", "times", "authorities", "signatures", "renderings", "deep",
]


class Refusal(Exception):
    """Not as the format demands."""

    def __init__(self, message, payload=False):
        super().__init__(message)
        self.payload = payload


class Findings:
    def __init__(self):
        self.all = []
        self.failed = set()
        self.skipped = {}

    def fail(self, check, message, event=None, member=None):
        self.failed.add(check)
        if len(self.all) < MOST_FINDINGS:
            self.all.append({"check": check, "message": message, "event": event, "member": member})

    def skip(self, check, why):
        self.skipped[check] = why

    def has(self, check):
        return check in self.failed


def place(stream, revision, index=None):
    event = {"stream": stream, "revision": revision}
    if index is not None:
        event["index"] = index
    return event


# --- spellings -------------------------------------------------------------------------------------------------------

def from_base64(text):
    """Bytes of canonical base64, or None."""
    if not isinstance(text, str):
        return None
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if base64.b64encode(raw).decode() == text else None


def number_text(value):
    """ECMA-262 Number::toString, which RFC 8785 prescribes."""
    if isinstance(value, int):
        if abs(value) < SAFE:
            return str(value)
        value = float(value)
    if value == 0:
        return "0"
    if value != value or value in (float("inf"), float("-inf")):
        raise Refusal("a number that JSON cannot carry")
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len((whole + fraction).lstrip("0")))
    digits = digits.rstrip("0")
    n, k = point, len(digits)
    if k <= n <= 21:
        text = digits + "0" * (n - k)
    elif 0 < n <= 21:
        text = digits[:n] + "." + digits[n:]
    elif -6 < n <= 0:
        text = "0." + "0" * -n + digits
    else:
        e = n - 1
        text = digits[0] + ("." + digits[1:] if k > 1 else "") + "e" + ("+" if e >= 0 else "-") + str(abs(e))
    return sign + text


ESCAPED = re.compile(r'[\x00-\x1f"\\]')
SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def quoted(text):
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise Refusal("a lone surrogate in a text")
    return '"' + ESCAPED.sub(lambda m: SHORT.get(m.group(), "\\u%04x" % ord(m.group())), text) + '"'


def canonical(value, depth=0):
    if isinstance(value, str):
        return quoted(value)
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, (int, float)):
        return number_text(value)
    if depth > 64:
        raise Refusal("nesting deeper than 64")
    if isinstance(value, list):
        return "[" + ",".join(canonical(item, depth + 1) for item in value) + "]"
    keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
    return "{" + ",".join(quoted(key) + ":" + canonical(value[key], depth + 1) for key in keys) + "}"


def unique(pairs):
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Refusal("a key stands twice")
    return result


def parse_json(text, what):
    def constant(name):
        raise Refusal(what + " is no JSON")
    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=constant)
    except (ValueError, RecursionError):
        raise Refusal(what + " is no JSON") from None


def parse_canonical(text, what):
    value = parse_json(text, what)
    if canonical(value) != text:
        raise Refusal(what + " is not the canonical spelling (RFC 8785) of what it says")
    return value


def count(value, what):
    if not isinstance(value, str) or not COUNT.fullmatch(value) or int(value) >= SAFE:
        raise Refusal(what + " is no whole number in digits")
    return int(value)


def text_of(value, what):
    if not isinstance(value, str):
        raise Refusal(what + " is no text")
    return value


def fields(value, what, allowed, needed=None):
    if not isinstance(value, dict):
        raise Refusal(what + " is no object")
    for key in value:
        if key not in allowed:
            raise Refusal("%s has the unknown field %s" % (what, key))
    for key in allowed if needed is None else needed:
        if key not in value:
            raise Refusal("%s has no %s" % (what, key))
    return value


# --- zip -------------------------------------------------------------------------------------------------------------

class Archive:
    """A strict reader of zip files: one plain archive, bounded, nothing hidden."""

    def __init__(self, path):
        self.file = open(path, "rb")
        self.size = self.file.seek(0, 2)
        self.members = {}
        self.digests = {}
        self._read_directory()

    def _at(self, offset, length):
        if offset < 0 or offset + length > self.size:
            raise Refusal("the zip is cut off")
        self.file.seek(offset)
        return self.file.read(length)

    def _read_end(self):
        if self.size < 22:
            raise Refusal("this is no zip file")
        sig, disk, cd_disk, here, total, size, offset, comment = struct.unpack("<IHHHHIIH", self._at(self.size - 22, 22))
        if sig != 0x06054B50 or comment != 0:
            raise Refusal("this is no zip file, or something follows its end")
        if disk or cd_disk or here != total:
            raise Refusal("the zip is in several parts")
        if total != 0xFFFF and size != 0xFFFFFFFF and offset != 0xFFFFFFFF:
            return total, size, offset, self.size - 22
        sig, _, end, _ = struct.unpack("<IIQI", self._at(self.size - 42, 20))
        if sig != 0x07064B50 or end + 56 != self.size - 42:
            raise Refusal("the zip64 end is not where it should be")
        record = self._at(end, 56)
        if struct.unpack_from("<I", record)[0] != 0x06064B50:
            raise Refusal("the zip64 end is broken")
        total, size, offset = struct.unpack_from("<QQQ", record, 32)
        return total, size, offset, end

    def _read_directory(self):
        total, size, offset, end = self._read_end()
        if total > 100_000 or size > 64 << 20 or offset + size != end:
            raise Refusal("the zip's directory is absurd")
        directory = self._at(offset, size)
        extents, at = [], 0
        for _ in range(total):
            if at + 46 > size or directory[at:at + 4] != b"PK\x01\x02":
                raise Refusal("an entry of the zip's directory is broken")
            flags, method = struct.unpack_from("<HH", directory, at + 8)
            crc, packed, unpacked, name_length, extra_length, comment_length = struct.unpack_from("<IIIHHH", directory, at + 16)
            start = struct.unpack_from("<I", directory, at + 42)[0]
            following = at + 46 + name_length + extra_length + comment_length
            if following > size:
                raise Refusal("an entry of the zip's directory is cut off")
            name = self._name(directory[at + 46:at + 46 + name_length])
            if name in self.members:
                raise Refusal("the zip has two members named " + name)
            if flags & ~0x080E or method not in (0, 8):
                raise Refusal(name + " is encrypted or of an unknown compression")
            attributes = struct.unpack_from("<I", directory, at + 38)[0]
            if attributes >> 16 & 0o170000 not in (0, 0o100000) or attributes & 0x18:
                raise Refusal(name + " is no regular file")
            extra = directory[at + 46 + name_length:at + 46 + name_length + extra_length]
            unpacked, packed, start = self._zip64(extra, unpacked, packed, start)
            if method == 0 and packed != unpacked:
                raise Refusal(name + " is stored, but its two sizes differ")
            data = self._local(start, name, flags, method, (crc, packed, unpacked))
            stop = data + packed + (self._descriptor(data + packed, crc, packed, unpacked) if flags & 8 else 0)
            if stop > offset:
                raise Refusal(name + " reaches into the zip's directory")
            extents.append((start, stop, name))
            self.members[name] = (method, crc, packed, unpacked, data)
            at = following
        if at != size:
            raise Refusal("bytes follow the last entry of the zip's directory")
        last = 0
        for start, stop, name in sorted(extents):
            if start != last:
                raise Refusal(name + " overlaps another member, or hidden bytes stand before it")
            last = stop
        if last != offset:
            raise Refusal("hidden bytes stand before the zip's directory")
        if sum(member[3] for member in self.members.values()) > 100 * self.size + (64 << 20):
            raise Refusal("the members together are more than 100 times the file")

    def _local(self, start, name, flags, method, expected):
        """Where the data begin; the header says what the directory says, or leaves it to a descriptor."""
        header = self._at(start, 30)
        local_flags, local_method = struct.unpack_from("<HH", header, 6)
        stated = struct.unpack_from("<III", header, 14)
        name_length, extra_length = struct.unpack_from("<HH", header, 26)
        spared = flags & 8 and all(value in (0, 0xFFFFFFFF) for value in stated)
        same = spared or stated == (expected[0], min(expected[1], 0xFFFFFFFF), min(expected[2], 0xFFFFFFFF))
        if header[:4] != b"PK\x03\x04" or (local_flags, local_method) != (flags, method) or not same:
            raise Refusal("the header of %s contradicts the zip's directory" % name)
        if self._at(start + 30, name_length) != name.encode():
            raise Refusal("the header of %s names another member" % name)
        if flags & 8 and method == 0:
            raise Refusal("%s is stored, and its size stands only after it" % name)
        self._zip64(self._at(start + 30 + name_length, extra_length), 0, 0, 0)
        return start + 30 + name_length + extra_length

    def _descriptor(self, at, crc, packed, unpacked):
        found = self._at(at, min(24, self.size - at))
        for signature in (b"PK\x07\x08", b""):
            for form in ("<III", "<IQQ"):
                if max(packed, unpacked) < 1 << 32 or form == "<IQQ":
                    whole = signature + struct.pack(form, crc, packed, unpacked)
                    if found.startswith(whole):
                        return len(whole)
        raise Refusal("what stands after a member contradicts the zip's directory")

    @staticmethod
    def _name(raw):
        name = raw[:200].decode("latin-1")
        if not MEMBER.fullmatch(name):
            raise Refusal("a member of the zip has a name that no extract has: %r" % name)
        return name

    @staticmethod
    def _zip64(extra, unpacked, packed, start):
        at = 0
        while at < len(extra):
            if at + 4 > len(extra):
                raise Refusal("an extra field is cut off")
            kind, length = struct.unpack_from("<HH", extra, at)
            if kind not in (0x0001, 0x000A, 0x5455, 0x5855, 0x7875):
                raise Refusal("a member has the extra field 0x%04x, which no extract has" % kind)
            body = extra[at + 4:at + 4 + length]
            if len(body) != length:
                raise Refusal("an extra field is cut off")
            if kind == 1:
                values = [struct.unpack_from("<Q", body, i)[0] for i in range(0, len(body) - 7, 8)]
                try:
                    if unpacked == 0xFFFFFFFF:
                        unpacked = values.pop(0)
                    if packed == 0xFFFFFFFF:
                        packed = values.pop(0)
                    if start == 0xFFFFFFFF:
                        start = values.pop(0)
                except IndexError:
                    raise Refusal("the zip64 field is cut off") from None
            at += 4 + length
        if max(unpacked, packed, start) >= SAFE:
            raise Refusal("a size in the zip is absurd")
        return unpacked, packed, start

    def _raw(self, data, packed):
        at, end = data, data + packed
        while at < end:
            chunk = self._at(at, min(1 << 18, end - at))
            at += len(chunk)
            yield chunk

    def _unpacked(self, method, data, packed, limit, name):
        if method == 0:
            yield from self._raw(data, packed)
            return
        inflater = zlib.decompressobj(-15)
        for chunk in self._raw(data, packed):
            while chunk:
                out = inflater.decompress(chunk, 1 << 18)
                if out:
                    yield out
                chunk = inflater.unconsumed_tail
                if inflater.unused_data or (inflater.eof and chunk):
                    raise Refusal(name + " goes on after its end")
        if not inflater.eof:
            rest = inflater.flush()
            if rest:
                yield rest
            if not inflater.eof:
                raise Refusal(name + " is cut off")

    def chunks(self, name):
        if name not in self.members:
            raise Refusal("the member %s is missing" % name)
        method, crc, packed, unpacked, data = self.members[name]
        digest, length, found = hashlib.sha256(), 0, 0
        try:
            for chunk in self._unpacked(method, data, packed, unpacked, name):
                length += len(chunk)
                if length > unpacked:
                    raise Refusal(name + " is longer than the zip states")
                digest.update(chunk)
                found = zlib.crc32(chunk, found)
                yield chunk
        except zlib.error:
            raise Refusal("%s cannot be read after %d of its %d bytes" % (name, length, unpacked)) from None
        if length != unpacked or found != crc:
            raise Refusal(name + " does not have the size and CRC-32 that the zip states")
        self.digests[name] = digest.hexdigest()

    def whole(self, name):
        limit = 16 << 20 if name == "manifest.json" else 1_000_000
        if name in self.members and self.members[name][3] > limit:
            raise Refusal("%s is larger than %d bytes" % (name, limit))
        return b"".join(self.chunks(name))

    def digest(self, name):
        if name not in self.digests:
            for _ in self.chunks(name):
                pass
        return self.digests[name]

    def lines(self, name):
        rest = b""
        for chunk in self.chunks(name):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield self._line(line, name)
            if len(rest) > 4 << 20:
                raise Refusal(name + " has a line that is too long")
        if rest:
            raise Refusal("the last line of %s has no line feed" % name)

    @staticmethod
    def _line(line, name):
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            raise Refusal(name + " is not valid UTF-8") from None


class Pieces:
    def __init__(self, chunks, first_line, name):
        self.chunks, self.held, self.at = iter(chunks), b"", 0
        if self.take(len(first_line)) != first_line:
            raise Refusal("%s does not begin with %s" % (name, first_line.decode().strip()))

    def take(self, length):
        while len(self.held) - self.at < length:
            chunk = next(self.chunks, None)
            if chunk is None:
                return None
            self.held, self.at = self.held[self.at:] + chunk, 0
        self.at += length
        return self.held[self.at - length:self.at]

    def ahead(self, piece):
        """How many pieces of this length stand before the next one that equals it, among those held."""
        for at in range(self.at, min(len(self.held), self.at + (1 << 18)) - len(piece) + 1, len(piece)):
            if self.held[at:at + len(piece)] == piece:
                return (at - self.at) // len(piece)
        return None

    def drain(self):
        return len(self.held) - self.at + sum(len(chunk) for chunk in self.chunks)


# --- notes -----------------------------------------------------------------------------------------------------------

class Key:
    def __init__(self, text):
        parts = text.split("+", 2)
        raw = from_base64(parts[2]) if len(parts) == 3 else None
        if raw is None or len(raw) != 33 or not re.fullmatch(r"[0-9a-f]{8}", parts[1]) or not key_name(parts[0]):
            raise Refusal('"%s" is no verifier key' % text)
        self.text, self.name, self.id, self.type = text, parts[0], parts[1], raw[0]
        if self.type not in (1, 4):
            raise Refusal("the key of %s has the unknown algorithm %d" % (self.name, self.type))
        if hashlib.sha256(self.name.encode() + b"\n" + raw).hexdigest()[:8] != self.id:
            raise Refusal("the key id of %s is not the one of its key" % self.name)
        self.public = Ed25519PublicKey.from_public_bytes(raw[1:])

    def signed(self, text, signature):
        message = text.encode()
        if self.type == 4:
            if len(signature) != 72 or signature[0] >= 0x80:
                return False
            seconds = int.from_bytes(signature[:8], "big")
            message, signature = b"cosignature/v1\ntime %d\n" % seconds + message, signature[8:]
        try:
            self.public.verify(signature, message)
            return True
        except InvalidSignature:
            return False


def key_name(name):
    return name != "" and not re.search(r"[\s+\ufeff]", name)


def parse_note(raw, what):
    try:
        whole = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal(what + " is not plain UTF-8 text") from None
    if re.search(r"[\x00-\x09\x0b-\x1f]", whole):
        raise Refusal(what + " is not plain UTF-8 text")
    split = whole.rfind("\n\n")
    if split < 0 or not whole.endswith("\n") or len(whole) == split + 2:
        raise Refusal(what + " carries no signature")
    signatures = []
    for line in whole[split + 2:-1].split("\n"):
        match = re.fullmatch(r"\u2014 (\S+) (\S+)", line)
        raw_signature = from_base64(match.group(2)) if match else None
        if raw_signature is None or len(raw_signature) < 5 or not key_name(match.group(1)):
            raise Refusal(what + " has a line among its signatures that is none")
        signatures.append((match.group(1), raw_signature[:4].hex(), raw_signature[4:]))
    if len(signatures) > 100:
        raise Refusal(what + " has more than 100 signatures")
    return whole[:split + 1], signatures


def signers(note, keys, what):
    text, signatures = note
    found = []
    for key in keys:
        signature = next((s for name, key_id, s in signatures if name == key.name and key_id == key.id), None)
        if signature is None:
            continue
        if not key.signed(text, signature):
            raise Refusal("the signature of %s (%s) on %s is wrong" % (key.name, key.id, what))
        found.append(key)
    return found


def parse_checkpoint(text):
    lines = text[:-1].split("\n")
    root = from_base64(lines[2]) if len(lines) > 2 else None
    if root is None or len(root) != 32 or not key_name(lines[0]) or "" in lines[3:] or not re.fullmatch(r"[1-9][0-9]{0,15}", lines[1]):
        raise Refusal("the checkpoint is not origin, size and root")
    return lines[0], count(lines[1], "size"), root


# --- tree ------------------------------------------------------------------------------------------------------------

class Tree:
    """RFC 6962 from left to right."""

    def __init__(self):
        self.size, self.stack = 0, []

    def append(self, level, digest):
        self.size += 1 << level
        while self.stack and self.stack[-1][0] == level:
            digest = hashlib.sha256(b"\x01" + self.stack.pop()[1] + digest).digest()
            level += 1
        self.stack.append((level, digest))

    def root(self):
        digest = self.stack[-1][1]
        for _, left in reversed(self.stack[:-1]):
            digest = hashlib.sha256(b"\x01" + left + digest).digest()
        return digest


def tiling(start, end):
    while start < end:
        level = ((start & -start).bit_length() if start else 64) - 1
        while start + (1 << level) > end:
            level -= 1
        yield level
        start += 1 << level


def consistent(first, first_root, second, second_root, path):
    """RFC 9162 2.1.4.2."""
    if any(len(one) != 32 for one in path) or not 1 <= first <= second:
        return False
    if first == second:
        return not path and first_root == second_root
    if first & (first - 1) == 0:
        path = [first_root] + path
    if not path:
        return False
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for one in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr = hashlib.sha256(b"\x01" + one + fr).digest()
            sr = hashlib.sha256(b"\x01" + one + sr).digest()
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = hashlib.sha256(b"\x01" + sr + one).digest()
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == first_root and sr == second_root


def included(leaf, index, size, root, path):
    """RFC 9162 2.1.3.2"""
    if index >= size or any(len(one) != 32 for one in path):
        return False
    fn, sn, digest = index, size - 1, leaf
    for one in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            digest = hashlib.sha256(b"\x01" + one + digest).digest()
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            digest = hashlib.sha256(b"\x01" + digest + one).digest()
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and digest == root


def leaf_hash(text):
    return hashlib.sha256(b"\x00" + text.encode()).digest()


# --- manifest --------------------------------------------------------------------------------------------------------

def parse_manifest(raw):
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal("manifest.json is not valid UTF-8") from None
    whole = parse_canonical(text, "manifest.json")
    needed = ["batchId", "checkpoint", "events", "format", "heads", "members", "omitted", "origin", "readings", "request",
              "stamps", "streams", "timeZone"]
    fields(whole, "the manifest", needed + ["signatureTypes"], needed)
    if whole["format"] != FORMAT or whole["timeZone"] != "UTC":
        raise Refusal("the format or time zone is unknown")
    for key in ("origin", "batchId"):
        text_of(whole[key], key)
    fields(whole["checkpoint"], "checkpoint", ["size", "root"])
    whole["checkpoint"]["size"] = count(whole["checkpoint"]["size"], "size")
    request = fields(whole["request"], "request", ["scope", "purpose", "purposeText", "asOf", "from", "to"], ["scope", "purpose"])
    for key in request:
        text_of(request[key], key)
    if request["scope"] not in ("whole", "range", "signatures-only"):
        raise Refusal("the scope is unknown")
    if whole["heads"] is not None:
        heads = fields(whole["heads"], "heads", ["index", "size"])
        whole["heads"] = {key: count(heads[key], key) for key in heads}
    for key in ("events", "readings"):
        whole[key] = count(whole[key], key)
    for key, names, texts in (
        ("streams", ["stream", "first", "last", "events"], ["stream"]),
        ("stamps", ["index", "size", "stampedAt"], ["stampedAt"]),
        ("members", ["name", "size", "sha256"], ["name", "sha256"]),
    ):
        if not isinstance(whole[key], list):
            raise Refusal(key + " is no list")
        whole[key] = [
            {name: text_of(one[name], name) if name in texts else count(one[name], name) for name in names}
            for one in (fields(one, key, names) for one in whole[key])
        ]
    for key in ("omitted", "signatureTypes"):
        if not isinstance(whole.setdefault(key, []), list):
            raise Refusal(key + " is no list")
        for one in whole[key]:
            text_of(one, key)
    return whole


# --- events ----------------------------------------------------------------------------------------------------------

ALWAYS = ["actor", "id", "ledger", "occurredAt", "origin", "prev", "receivedAt", "recordedAt", "revision",
          "schemaVersion", "site", "stream", "type", "v"]
ALLOWED = ALWAYS + ["causationId", "correlationId", "data", "payload", "reason", "source"]


class Entry:
    def __init__(self, line, origin):
        whole = parse_json(line, "the line")
        if not isinstance(whole, dict) or not isinstance(whole.get("leaf"), dict) or not isinstance(whole.get("index"), str):
            raise Refusal("the line is not index and leaf")
        leaf = self.leaf = whole["leaf"]
        leaf_text = canonical(leaf)
        rebuilt = '{"index":"%s","leaf":%s' % (whole["index"], leaf_text)
        payload_text = None
        if "payload" in whole:
            payload_text = canonical(whole["payload"])
            rebuilt += ',"payload":' + payload_text
        if "salt" in whole:
            rebuilt += ',"salt":' + canonical(whole["salt"])
        if rebuilt + "}" != line:
            raise Refusal("the line is not the canonical spelling (RFC 8785) of what it says")
        self.index = count(whole["index"], "its index")
        self._check(leaf, origin)
        if len(leaf_text.encode()) > 65535:
            raise Refusal("the leaf is longer than 65535 bytes")
        self.hash = leaf_hash(leaf_text)
        self.stream, self.type = leaf["stream"], leaf["type"]
        self.revision = int(leaf["revision"])
        self.recorded_at, self.prev = leaf["recordedAt"], leaf["prev"]
        self._payload(leaf, whole, payload_text)

    @staticmethod
    def _check(leaf, origin):
        fields(leaf, "the leaf", ALLOWED, ALWAYS)
        if leaf["v"] != 1 or isinstance(leaf["v"], bool) or leaf["ledger"] != origin:
            raise Refusal("the leaf is of another version or ledger")
        patterns = {"stream": r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}", "type": r"[A-Z][A-Za-z0-9]{0,99}",
                    "id": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"}
        for key, pattern in patterns.items():
            if not isinstance(leaf[key], str) or not re.fullmatch(pattern, leaf[key]):
                raise Refusal("its %s is not as the format says" % key)
        count(leaf["revision"], "its revision")
        for key in ("occurredAt", "receivedAt", "recordedAt"):
            seconds(leaf[key])
        if leaf["prev"] is not None and len(from_base64(leaf["prev"]) or b"") != 32:
            raise Refusal("its prev is not as the format says")
        if (leaf["prev"] is None) != (leaf["revision"] == "0"):
            raise Refusal("prev is null at revision 0 and only there")
        version = leaf["schemaVersion"]
        if leaf["origin"] not in ("live", "simulated", "replayed") or isinstance(version, bool) or not isinstance(version, int) or abs(version) >= SAFE:
            raise Refusal("its origin or schemaVersion is unknown")
        actor = leaf["actor"]
        if not isinstance(actor, dict) or not isinstance(actor.get("id"), str) or not isinstance(actor.get("role"), str):
            raise Refusal("its actor has no id and role")

    def _payload(self, leaf, whole, payload_text):
        self.left_out = False
        digest = leaf.get("payload")
        if "payload" not in leaf:
            if not isinstance(leaf.get("data"), dict) or not isinstance(leaf.get("reason", {}), dict):
                raise Refusal("the leaf has neither data nor a digest")
            if "payload" in whole or "salt" in whole:
                raise Refusal("a payload stands beside a leaf that has its own")
            self.data, self.reason = leaf["data"], leaf.get("reason")
            return
        if "data" in leaf or "reason" in leaf:
            raise Refusal("the leaf has data and a digest of them")
        fields(digest, "the digest", ["alg", "hash", "salted", "size"], ["alg", "hash", "size"])
        count(digest["size"], "its size")
        stated = from_base64(digest["hash"])
        if digest["alg"] != "sha256" or digest.get("salted", False) is not False or stated is None or len(stated) != 32:
            raise Refusal("the digest is of an unknown kind")
        if payload_text is None:
            if "salt" in whole:
                raise Refusal("a salt without its payload", True)
            self.left_out, self.data, self.reason = True, None, None
            return
        salt = b""
        if "salted" in digest:
            if "salt" in whole:
                raise Refusal("a salt stands beside an unsalted payload", True)
            prefix = b"bioprocess-ledger/unsalted-payload/v1\n"
        else:
            prefix, salt = b"bioprocess-ledger/payload/v1\n", from_base64(whole.get("salt"))
            if salt is None or len(salt) != 32:
                raise Refusal("the payload has no salt of 32 bytes", True)
        raw = payload_text.encode()
        if hashlib.sha256(prefix + salt + raw).digest() != stated or str(len(raw)) != digest["size"]:
            raise Refusal("its payload is not the one whose digest is in the log", True)
        payload = whole["payload"]
        fields(payload, "the payload", ["data", "reason"], ["data"])
        if not isinstance(payload["data"], dict):
            raise Refusal("the payload is not data and reason", True)
        self.data, self.reason = payload["data"], payload.get("reason")
        if not isinstance(payload.get("reason", {}), dict):
            raise Refusal("its reason is no object")


def seconds(text):
    if not isinstance(text, str) or not INSTANT.fullmatch(text):
        raise Refusal("an instant is not as the format says")
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        raise Refusal("an instant does not exist") from None


def is_instant(text):
    try:
        seconds(text)
        return True
    except Refusal:
        return False


def cell(value):
    text = value if isinstance(value, str) else ""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 .:_%/-]*", text):
        return text
    if text[:1] in ("=", "+", "-", "@", "\t", "\r") and text:
        text = "'" + text
    return '"' + text.replace('"', '""') + '"' if re.search(r'[",\r\n]', text) else text


def csv_row(entry):
    leaf, data = entry.leaf, entry.data
    flags = " ".join(data["flags"]) if isinstance(data.get("flags"), list) else ""
    before = [cell(leaf["occurredAt"]), cell(data.get("tag")), canonical(data.get("value"))]
    after = [data.get("unit"), data.get("quality"), flags, data.get("vessel"), leaf["receivedAt"], leaf["recordedAt"],
             leaf["origin"], leaf["stream"], leaf["revision"], str(entry.index), leaf["id"]]
    return (",".join(before + [cell(one) for one in after]) + "\r\n").encode()


def unlike_reading(data):
    """Why these are not the fields of a reading, or None."""
    for key in ("tag", "unit", "quality", "vessel"):
        if not isinstance(data.get(key), str):
            return "the %s of the reading is no text" % key
    if isinstance(data.get("value"), bool) or not isinstance(data.get("value"), (int, float)):
        return "the value of the reading is no number"
    flags = data.get("flags", [])
    if not isinstance(flags, list) or not all(isinstance(flag, str) for flag in flags):
        return "the flags of the reading are no texts"
    return None


CSV_HEADER = b"at,tag,value,unit,quality,flags,vessel,receivedAt,recordedAt,origin,stream,revision,index,id\r\n"


# --- tables and report -----------------------------------------------------------------------------------------------

class Digest:
    def __init__(self):
        self.digest, self.size = hashlib.sha256(), 0

    def write(self, raw):
        self.digest.update(raw)
        self.size += len(raw)


def varint(value):
    out = b""
    while value >= 0x80:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


class Thrift:
    """The compact protocol as far as Parquet's headers need it: a struct is a list of (id, kind, value)."""

    KINDS = {"i32": 5, "i64": 6, "text": 8, "struct": 12}

    @classmethod
    def struct(cls, fields):
        out, last = b"", 0
        for number, kind, value in fields:
            inner = kind.startswith("list ")
            out += bytes([number - last << 4 | (9 if inner else cls.KINDS[kind])])
            last = number
            out += cls.list(kind[5:], value) if inner else cls.value(kind, value)
        return out + b"\0"

    @classmethod
    def list(cls, kind, values):
        size, code = len(values), cls.KINDS[kind]
        head = bytes([size << 4 | code]) if size < 15 else bytes([0xF0 | code]) + varint(size)
        return head + b"".join(cls.value(kind, value) for value in values)

    @classmethod
    def value(cls, kind, value):
        if kind == "struct":
            return cls.struct(value)
        return varint(len(value)) + value.encode() if kind == "text" else varint(2 * value)


class Parquet:
    """readings.parquet written anew: plain, not compressed, one page a column and row group."""

    COLUMNS = [("at", 2, 9), ("receivedAt", 2, 9), ("recordedAt", 2, 9), ("value", 5, None)] + [
        (name, 6, 0) for name in ("tag", "unit", "quality", "flags", "vessel", "origin", "stream", "id")
    ] + [("revision", 2, None), ("index", 2, None)]

    def __init__(self):
        self.out, self.groups, self.rows, self.total, self.held = Digest(), [], 0, 0, 0
        self.pages = [bytearray() for _ in self.COLUMNS]
        self.out.write(b"PAR1")

    def add(self, entry):
        leaf, data = entry.leaf, entry.data
        texts = [data["tag"], data["unit"], data["quality"], " ".join(data.get("flags", [])), data["vessel"], leaf["origin"], leaf["stream"], leaf["id"]]
        for page, at in zip(self.pages, (leaf["occurredAt"], leaf["receivedAt"], leaf["recordedAt"])):
            page += struct.pack("<q", milliseconds(at))
        self.pages[3] += struct.pack("<d", data["value"])
        self.held += 6 * 8
        for page, text in zip(self.pages[4:12], texts):
            raw = text.encode()
            page += struct.pack("<I", len(raw)) + raw
            self.held += 4 + len(raw)
        self.pages[12] += struct.pack("<q", entry.revision)
        self.pages[13] += struct.pack("<q", entry.index)
        self.rows += 1
        if self.rows >= 50_000 or self.held >= 16 << 20:
            self.end_group()

    def end_group(self):
        if not self.rows:
            return
        chunks = []
        for number, page in enumerate(self.pages):
            start = self.out.size
            inner = [(1, "i32", self.rows), (2, "i32", 0), (3, "i32", 3), (4, "i32", 3)]
            self.out.write(Thrift.struct([(1, "i32", 0), (2, "i32", len(page)), (3, "i32", len(page)), (5, "struct", inner)]))
            self.out.write(bytes(page))
            name, kind, _ = self.COLUMNS[number]
            length = self.out.size - start
            meta = [(1, "i32", kind), (2, "list i32", [0]), (3, "list text", [name]), (4, "i32", 0), (5, "i64", self.rows),
                    (6, "i64", length), (7, "i64", length), (9, "i64", start)]
            chunks.append(([(2, "i64", start), (3, "struct", meta)], length))
            page.clear()
        self.groups.append([(1, "list struct", [chunk for chunk, _ in chunks]), (2, "i64", sum(length for _, length in chunks)), (3, "i64", self.rows)])
        self.total, self.rows, self.held = self.total + self.rows, 0, 0

    def finish(self):
        self.end_group()
        schema = [[(4, "text", "root"), (5, "i32", len(self.COLUMNS))]] + [
            [(1, "i32", kind), (3, "i32", 0), (4, "text", name)] + ([] if converted is None else [(6, "i32", converted)])
            for name, kind, converted in self.COLUMNS
        ]
        footer = Thrift.struct([(1, "i32", 1), (2, "list struct", schema), (3, "i64", self.total), (4, "list struct", self.groups), (6, "text", "bioprocess-ledger")])
        self.out.write(footer + struct.pack("<I", len(footer)) + b"PAR1")


EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def milliseconds(text):
    return (datetime.fromisoformat(text[:-1] + "+00:00") - EPOCH) // timedelta(milliseconds=1)


HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]")


def visible(text):
    """Characters that show nothing, or turn others round, as their code points."""
    return HIDDEN.sub(lambda m: "[U+%04X]" % ord(m.group()), re.sub("[\t\n\r]", " ", text))


def units(text):
    """Length in UTF-16, as the other verifier counts."""
    return len(text) + sum(character > "\uffff" for character in text)


def spelt(value):
    return value if isinstance(value, str) else canonical(value)


def fixed(value, digits):
    """ECMA-262 Number::toFixed."""
    value = float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
    return fixed_float(value, digits)


def fixed_float(value, digits):
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if abs(value) >= 1e21:
        return number_text(value)
    with localcontext() as context:
        context.prec = 60
        text = format(Decimal(abs(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP), "f")
    return "-" + text if value < 0 else text


def sentence_of(entry):
    kind, who = entry.type, entry.leaf["actor"]["id"]
    if entry.left_out:
        return "%s: %s (payload not in this extract)" % (who, kind)
    data, t = entry.data, lambda key: spelt(entry.data.get(key))
    if kind == "BatchCreated":
        attempt = data.get("attempt")
        again = " (attempt %s)" % t("attempt") if isinstance(attempt, (int, float)) and not isinstance(attempt, bool) and attempt > 1 else ""
        return "%s created batch %s%s of campaign %s, phase %s, on vessel %s" % (who, t("number"), again, t("campaign"), t("phase"), t("vessel"))
    if kind == "BatchInoculated":
        return "%s inoculated the batch (T = 0)%s" % (who, ", inoculum OD600 " + t("inoculumOd600") if truthy(data.get("inoculumOd600")) else "")
    if kind == "SampleTaken":
        seen = ", CONTAMINATION seen" if data.get("contaminationDetected") is True else ""
        return "%s recorded sample %s at %s h: OD600 %s (%s \u00d7 %s)%s" % (
            who, t("sampleNumber"), t("timepointHours"), t("od600"), t("od600Raw"), t("dilutionFactor"), seen)
    if kind == "BatchClosed":
        return "%s closed the batch as complete after %s h, final OD600 %s, approved by %s" % (who, t("totalRuntimeHours"), t("finalOd600"), t("approvedBy"))
    if kind == "BatchAborted":
        because = ": " + spelt(entry.reason.get("text")) if entry.reason is not None else ""
        return "%s aborted the batch (%s)%s" % (who, t("outcome"), because)
    if kind == "SensorReadingRecorded":
        return "%s of %s read %s %s (%s)" % (t("tag"), t("vessel"), t("value"), t("unit"), t("quality"))
    if kind == "ReadingQuarantined":
        return "a message on %s was quarantined: %s (%s)" % (t("topic"), t("rule"), t("reason"))
    if kind == "SensorGapDetected":
        return "%s of %s fell silent after %s" % (t("tag"), t("vessel"), t("lastReadingAt"))
    if kind == "SensorGapClosed":
        return "%s of %s came back: %s readings missing from %s to %s" % (t("tag"), t("vessel"), t("missing"), t("from"), t("to"))
    if kind == "SourceClockStepped":
        return "the clock behind %s stepped by %s s" % (t("topic"), t("stepSeconds"))
    if kind == "AlarmRaised":
        return "%s alarm %s: %s" % (t("level"), t("name"), t("message"))
    if kind == "StreamSealed":
        return "the stream was sealed after %s events" % t("count")
    if kind == "ForecastScored":
        scores = [one for one in data["scores"] if isinstance(one, dict)] if isinstance(data.get("scores"), list) else []
        half = next((one for one in scores if one.get("horizon") == "PT30M"), scores[0] if scores else {})
        error = half.get("relativeError")
        off = 100 * float(error) if isinstance(error, (int, float)) and not isinstance(error, bool) else math.nan
        return "offline OD600 %s met the forecast %s of %s (%s): %s %% off" % (
            t("measured"), fixed(half.get("p50"), 2), spelt(half.get("issuedAt")), spelt(half.get("horizon")), fixed_float(off, 1))
    return "%s: %s" % (who, kind)


def truthy(value):
    """As JavaScript has it."""
    return isinstance(value, (list, dict)) or bool(value)


def approvals_of(entry):
    data, who = entry.data, entry.leaf["actor"]["id"]
    if entry.type == "BatchInoculated":
        override = data.get("override")
        more = [(override.get("approvedBy"), "approved the override of the inoculation gate")] if isinstance(override, dict) else []
        return [(who, "gave the go for inoculation")] + more
    if entry.type == "BatchClosed":
        by = data.get("closedBy")
        return [(who if by is None else by, "closed the batch"), (data.get("approvedBy"), "approved the closure")]
    return [(who, "aborted the batch")] if entry.type == "BatchAborted" else []


class Facts:
    """What the report tells, bounded."""

    QUIET = ["ProcessWindowDerived", "OdForecastIssued", "ForecastWithheld", "IngressStated"]

    def __init__(self, batch, as_of=None):
        self.as_of = as_of
        self.batch, self.story, self.approvals, self.tags, self.counts = batch, [], [], {}, {}
        self.origins, self.length = set(), 0
        self.story_left_out = self.approval_count = self.readings_left_out = 0

    def count(self, entry):
        kind = entry.type if len(self.counts) < 1000 or entry.type in self.counts else "other types"
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def add_reading(self, entry):
        self.count(entry)
        self.origins.add(entry.leaf["origin"])
        if self.as_of is not None and entry.recorded_at > self.as_of:
            return
        data, at, value = entry.data, entry.leaf["occurredAt"], entry.data["value"]
        key = (data["tag"], data["unit"])
        if key not in self.tags:
            if len(self.tags) >= 1000:
                self.readings_left_out += 1
                return
            self.tags[key] = [0, 0, value, value, at, at]
        figures = self.tags[key]
        figures[0] += 1
        figures[1] += data["quality"] == "bad"
        figures[2:] = [min(figures[2], value), max(figures[3], value), min(figures[4], at), max(figures[5], at)]

    def add(self, entry):
        self.count(entry)
        if not entry.stream.endswith("-" + self.batch):
            return
        self.origins.add(entry.leaf["origin"])
        if self.as_of is not None and entry.recorded_at > self.as_of:
            return
        where = place(entry.stream, entry.revision, entry.index)
        if entry.stream == "batch-" + self.batch and not entry.left_out:
            given = approvals_of(entry)
            self.approval_count += len(given)
            for who, meaning in given:
                if len(self.approvals) < 1000:
                    who = spelt(who)
                    who = who if units(who) <= 4000 else "too long to be told, read the event"
                    self.approvals.append((who, meaning, entry.recorded_at, where))
        if entry.type in self.QUIET:
            return
        sentence = sentence_of(entry)
        if units(sentence) > 4000:
            sentence = entry.type + ": too long to be told, read the event"
        if len(self.story) >= 5000 or self.length + units(sentence) > 2_000_000:
            self.story_left_out += 1
            return
        self.length += units(sentence)
        self.story.append((entry.leaf["occurredAt"], sentence, where))


STYLE = """body{font:14px/1.45 system-ui,sans-serif;color:#111;margin:24px auto;max-width:1080px}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:3px 10px 3px 0}
.sheet>thead td{font-size:11px;color:#444;border-bottom:1px solid #999;padding:0 0 4px}
h1{font-size:22px;margin:12px 0 4px}h2{font-size:16px;margin:22px 0 6px}
.data td,.data th{border-bottom:1px solid #ddd}.number{text-align:right;font-variant-numeric:tabular-nums}
.time{white-space:nowrap;font-variant-numeric:tabular-nums}.place{color:#555;font-size:12px;word-break:break-all}
tr{break-inside:avoid}@media print{body{margin:0;max-width:none}}"""


def escaped(text):
    text = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&#39;")


def report_pieces(manifest, facts):
    """HTML, what it tells, and the event it tells it of; one after the other they are report.html."""
    number = lambda value: '<span class="number">%s</span>' % number_text(value)
    time = lambda text: '<span class="time">%s</span>' % escaped(text)
    where = lambda event: '<span class="place">%s revision %d, position %d of the log</span>' % (escaped(event["stream"]), event["revision"], event["index"])
    row = lambda *cells: "<tr>%s</tr>\n" % "".join("<td>%s</td>" % cell for cell in cells)
    utf16 = lambda text: text.encode("utf-16-be")

    def table(names, rows):
        head = "".join("<th>%s</th>" % name for name in names)
        yield '<table class="data"><thead><tr>%s</tr></thead><tbody>\n' % head, "its headings", None
        yield from rows
        yield "</tbody></table>\n", "the end of the table " + ", ".join(names), None

    def left_out(count, what):
        yield "<p>%d further %s are in the event files only.</p>\n" % (count, what) if count > 0 else "", "what it leaves out", None

    yield report_opening(manifest, facts), "its head", None
    yield from table(["Stream", "Events"], [
        (row(escaped(one["stream"]), number(one["events"])), "the count of " + one["stream"], None) for one in manifest["streams"]])
    heads = manifest["heads"]
    said = "The heads statement about size %d says where each stream ended then." % heads["size"] if heads else "No heads statement covers these streams."
    yield "<p>%s %d events in all.</p>\n" % (said, manifest["events"]), "its count of events", None
    yield "<h2>Signatures and approvals</h2>\n", "its headings", None
    if facts.approvals:
        yield from table(["Who", "Meaning", "Recorded (UTC+00:00)", "Record"], [
            (row(escaped(who), escaped(meaning), time(at), where(event)), "that %s %s, recorded at %s" % (who, meaning, at), event)
            for who, meaning, at, event in facts.approvals])
    else:
        yield "<p>None.</p>\n", "that nobody signed", None
    yield from left_out(facts.approval_count - len(facts.approvals), "signatures and approvals")
    yield "<h2>What happened</h2>\n", "its headings", None
    yield from table(["Time (UTC)", "What", "Record"], [
        (row(time(at), escaped(sentence), where(event)), at + " " + sentence, event) for at, sentence, event in facts.story])
    yield from left_out(facts.story_left_out, "events")
    yield "<h2>Readings</h2>\n", "its headings", None
    if facts.tags:
        yield from table(["Tag", "Unit", "Readings", "Bad", "Lowest", "Highest", "First", "Last"], [
            (row(escaped(tag), escaped(unit), *map(number, facts.tags[tag, unit][:4]), *map(time, facts.tags[tag, unit][4:])),
             "the figures of %s in %s" % (tag, unit), None)
            for tag, unit in sorted(facts.tags, key=lambda key: (utf16(key[0]), utf16(key[1])))])
    else:
        yield "<p>None in this extract.</p>\n", "that there are no readings", None
    yield from left_out(facts.readings_left_out, "readings of other tags")
    yield "<h2>Events by type</h2>\n", "its headings", None
    yield from table(["Type", "Events"], [
        (row(escaped(kind), number(facts.counts[kind])), "the count of " + kind, None) for kind in sorted(facts.counts)])
    yield "</td></tr></tbody></table>\n</body></html>\n", "its end", None


def report_opening(manifest, facts):
    request, checkpoint, heads = manifest["request"], manifest["checkpoint"], manifest["heads"]
    under = "the checkpoint of size %d" % checkpoint["size"]
    as_of = "size %d, under %s" % (heads["size"], under) if heads else under
    purpose = request["purpose"] + (": " + request["purposeText"] if "purposeText" in request else "")
    scope = {
        "whole": "everything the ledger holds of the batch",
        "signatures-only": "the record of the batch with the payloads of signatures and approvals only",
        "range": "the record of the batch, and sensor data, process values and forecasts recorded from %s to %s" % (
            request.get("from", "the start"), request.get("to", "the end")),
    }[request["scope"]]
    if "asOf" in request:
        scope += (", as recorded up to %s; where a stream goes on, the event files and their counts have one later event, "
                  "which shows that none before it is missing and is not told here") % request["asOf"]
    omitted = ", ".join(map(escaped, manifest["omitted"]))
    left = " <strong>Not in this copy: %s.</strong>" % omitted if omitted else ""
    batch = escaped(manifest["batchId"])
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Batch %s</title>\n' % batch
        + '<meta name="generator" content="bioledger-report/v1">\n'
        + "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        + "<style>\n%s\n</style></head><body>\n" % STYLE
        + '<table class="sheet"><thead><tr><td>Batch %s \u00b7 %s as of %s, root %s \u00b7 all times UTC (UTC+00:00)</td></tr></thead><tbody><tr><td>\n'
        % (batch, escaped(manifest["origin"]), as_of, escaped(checkpoint["root"]))
        + "<h1>Batch record</h1>\n<p>Origin of the data: <strong>%s</strong>. Purpose of this copy: %s. Scope: %s.%s\n"
        % (escaped(", ".join(sorted(facts.origins))), escaped(purpose), escaped(scope), left)
        + "People stand in it by their pseudonymous ids. This page is a reading of the events in the same file; the events are the record.</p>\n"
    )


def place_of(line):
    """What can be said of a line that is refused; looks at a bounded part of it, once."""
    start = line[:2 * 65535]
    beside = start.find('},"payload":')
    at = start.rfind('"revision":"', 0, len(start) if beside < 0 else beside)
    stream_at = start.find('"stream":"', at) if at >= 0 else -1
    index = re.match(r'\{"index":"([0-9]{1,15})"', start)
    revision = re.match(r'"revision":"([0-9]{1,15})"', start[at:at + 30]) if at >= 0 else None
    stream = re.match(r'"stream":"([^"]{1,200})"', start[stream_at:stream_at + 220]) if stream_at >= 0 else None
    if not revision or not stream:
        return None
    return place(stream.group(1), int(revision.group(1)), int(index.group(1)) if index else None)


class Verifier:
    def __init__(self, path, log_keys, export_keys, witnesses, quorum, authorities):
        self.authorities = authorities
        self.path, self.log_keys, self.export_keys = path, log_keys, export_keys
        self.witnesses, self.quorum = witnesses, quorum
        self.findings = Findings()
        self.manifest, self.events = None, 0

    def run(self):
        try:
            self._run()
        except Refusal as refusal:
            self.findings.fail("container", str(refusal))
        except Exception as error:  # whatever a hostile file provokes is a finding, never a traceback
            self.findings.fail("container", "it cannot be read to its end (%s)" % type(error).__name__)
        return self

    def attempt(self, check, member, make):
        try:
            return make()
        except Refusal as refusal:
            self.findings.fail(check, str(refusal), member=member)
            return None

    def _run(self):
        archive = self.archive = Archive(self.path)
        for name in REQUIRED:
            if name not in archive.members:
                raise Refusal("the member %s is missing" % name)
        for name in archive.members:
            if name not in REQUIRED and not OPTIONAL.fullmatch(name):
                raise Refusal("the member %s belongs to no extract" % name)
        self.chunk_names = sorted(name for name in archive.members if name.startswith("events-"))
        if self.chunk_names != ["events-%06d.ndjson" % (at + 1) for at in range(len(self.chunk_names))]:
            raise Refusal("one of the events members is missing")
        raw = archive.whole("manifest.json")
        self.manifest = self.attempt("manifest", "manifest.json", lambda: parse_manifest(raw))
        if self.manifest is None:
            return
        if not self.check_checkpoint():
            return
        self.read_events()
        self.check_counts()
        self.check_completeness()
        self.check_scope()
        self.follow_keys()
        self.check_keys()
        self.check_tokens()
        self.check_members()
        self.attempt("manifest", "manifest.sig", lambda: self.check_signature(raw))
        self.parquet.finish()
        for name, table in (("readings.csv", self.table), ("readings.parquet", self.parquet.out)):
            listed = next((one for one in self.manifest["members"] if one["name"] == name), {})
            if self.rows != self.manifest["readings"] or (listed.get("sha256"), listed.get("size")) != (table.digest.hexdigest(), table.size):
                self.findings.fail("renderings", "it is not what the events say", member=name)
        if hashlib.sha256(archive.whole("VERIFY.txt")).hexdigest() not in VERIFY_TEXTS:
            self.findings.fail("renderings", "it is no text of this format: do not do what it says", member="VERIFY.txt")
        self.check_report()
        self.findings.skip("deep", "this verifier does not read the whole log; the other one does")

    def check_checkpoint(self):
        member, manifest = "checkpoint.txt", self.manifest
        raw = self.archive.whole(member)
        note = self.attempt("checkpoint", member, lambda: parse_note(raw, "the checkpoint"))
        parsed = note and self.attempt("checkpoint", member, lambda: parse_checkpoint(note[0]))
        if not parsed:
            return False
        self.origin, self.size, self.root = parsed
        mine = [key for key in self.log_keys if key.name == self.origin]
        self.signed_by = []
        if not self.log_keys:
            self.findings.skip("checkpoint", "no key was given")
        else:
            found = self.attempt("checkpoint", member, lambda: signers(note, mine, "the checkpoint"))
            # A key that a pinned one vouches for is known only once the log's key events are read.
            if found == [] and not any(name.startswith("key-change-") for name in self.archive.members):
                self.findings.fail("checkpoint", "no key that you gave signed it", member=member)
        found = self.attempt("witnesses", member, lambda: signers(note, self.witnesses, "the checkpoint"))
        if found is not None and self.witnesses and len(found) < (self.quorum or len(self.witnesses)):
            self.findings.fail("witnesses", "%d of %d cosigned" % (len(found), len(self.witnesses)), member=member)
        stated = manifest["checkpoint"]
        if manifest["origin"] != self.origin or stated["size"] != self.size or from_base64(stated["root"]) != self.root:
            self.findings.fail("manifest", "it speaks of another checkpoint", member="manifest.json")
            return False
        return True

    def read_events(self):
        manifest, fail = self.manifest, self.findings.fail
        self.firsts = {one["stream"]: one["first"] for one in manifest["streams"]}
        self.streams, self.keys, self.stamps, self.statement = {}, {}, [], None
        self.table, self.parquet, self.rows = Digest(), Parquet(), 0
        self.table.write(CSV_HEADER)
        self.facts = Facts(manifest["batchId"], manifest["request"].get("asOf"))
        self.tree, self.can_prove, self.searches, self.last_index = Tree(), True, 0, -1
        self.bad_lines = self.deviations = 0
        self.first = self.last = None
        self.check_stamps()
        self.covering, self.logged, self.last_time = 0, 0, ""
        self.proof = Pieces(self.archive.chunks("proof.bin"), b"bioledger-multi-proof/v1\n", "proof.bin")
        prints = Pieces(self.archive.chunks("fingerprints.bin"), b"bioledger-fingerprints/v1\n", "fingerprints.bin")
        for name in self.chunk_names:
            try:
                for line in self.archive.lines(name):
                    self.take(line, prints)
            except Refusal as refusal:
                self.can_prove = False
                fail("leaves", str(refusal), member=name)
                if self.bad_lines > MOST_BAD_LINES:
                    break
        if self.can_prove:
            self.fill_gap(self.last_index + 1, self.size)
        if self.proof.drain() > 0:
            fail("inclusion", "it holds more hashes than the proof needs", member="proof.bin")
        if prints.drain() > 0:
            fail("streams", "something after it is missing", self.last)
        covered = self.can_prove and self.tree.size == self.size
        if covered and self.tree.root() != self.root and not self.findings.has("inclusion"):
            fail("inclusion", "the events lead to another root than the signed one")
        self.proven = covered and not self.findings.has("inclusion")
        if not self.proven and not self.findings.has("inclusion"):
            self.findings.skip("inclusion", "not made, as an event could not be read")

    def take(self, line, prints):
        fail = self.findings.fail
        self.events += 1
        try:
            entry = Entry(line, self.manifest["origin"])
        except Refusal as refusal:
            fail("payloads" if refusal.payload else "leaves", str(refusal), place_of(line) or self.last)
            self.can_prove = False
            prints.take(8)
            self.bad_lines += 1
            if self.bad_lines > MOST_BAD_LINES:
                raise Refusal("more than %d lines cannot be read; the rest was not looked at" % MOST_BAD_LINES) from None
            return
        event = place(entry.stream, entry.revision, entry.index)
        self.first, self.last = self.first or event, event
        self.compare_fingerprint(entry, event, prints)
        objection = self.follow(entry, event)
        if objection:
            fail("streams", objection[0], objection[1])
        self.prove(entry, event)
        self.check_time(entry, event)
        self.look(entry, event)

    def compare_fingerprint(self, entry, event, prints):
        if self.searches > 1000:
            return
        fingerprint, own = prints.take(8), entry.hash[:8]
        if fingerprint == own:
            return
        self.searches += 1
        missing = prints.ahead(own)
        if fingerprint is not None and missing is not None:
            prints.take(8 * (missing + 1))
        else:
            self.findings.fail("leaves", "its leaf is not the one that the extract was made with", event)

    def follow(self, entry, event):
        """Message and event; None when the event is in its place."""
        stream, revision = entry.stream, entry.revision
        batch = self.manifest["batchId"]
        allowed = ["%s-%s" % (category, batch) for category in ["batch"] + BULK]
        if stream not in allowed + ["ledger-keys", "ledger-timestamps", "ledger-heads"]:
            return "its stream is none of batch " + batch, event
        before = self.streams.get(stream)
        digest = base64.b64encode(entry.hash).decode()
        state = dict(before or {"first": revision, "first_at": entry.recorded_at, "events": 0})
        state.update(before_at=before["last_at"] if before else "", last=revision, index=entry.index, hash=digest, last_at=entry.recorded_at,
                     sealed=entry.type == "StreamSealed", events=state["events"] + 1)
        self.streams[stream] = state
        if before:
            if stream == "ledger-heads":
                return "a second heads statement", event
            if before["sealed"]:
                return "it stands after the seal of its stream", event
            if revision > before["last"] + 1:
                return "it is missing", place(stream, before["last"] + 1)
            if revision <= before["last"]:
                return "it stands after revision %d" % before["last"], event
            if entry.prev != before["hash"]:
                return "revision %d names another event as the one before it" % revision, place(stream, before["last"], before["index"])
        elif stream != "ledger-heads" and revision != self.firsts.get(stream, 0):
            return "the stream does not begin with it", place(stream, self.firsts.get(stream, 0))
        if entry.type == "StreamSealed":
            sealed = (entry.data or {}).get("count")
            if isinstance(sealed, bool) or sealed != revision:
                return "the seal counts otherwise", event
        return None

    def prove(self, entry, event):
        if not self.can_prove:
            return
        if entry.index <= self.last_index or entry.index >= self.size:
            self.can_prove = False
            self.findings.fail("streams", "its index does not rise, or is beyond the checkpoint", event)
            return
        self.fill_gap(self.last_index + 1, entry.index)
        if self.can_prove:
            self.tree.append(0, entry.hash)
            self.last_index = entry.index

    def fill_gap(self, start, end):
        for level in tiling(start, end):
            digest = self.proof.take(32)
            if digest is None:
                self.can_prove = False
                self.findings.fail("inclusion", "it ends before the proof is complete", member="proof.bin")
                return
            self.tree.append(level, digest)

    def check_stamps(self):
        before = -1
        for stamp in self.manifest["stamps"]:
            seconds(stamp["stampedAt"])
            if stamp["size"] > stamp["index"] or stamp["index"] <= before:
                raise Refusal("the time stamps are not in the order of the log")
            before = stamp["index"]
        self.by_size = sorted(self.manifest["stamps"], key=lambda stamp: stamp["size"])
        self.earliest, after = [], None
        for stamp in reversed(self.by_size):
            after = min(stamp["stampedAt"], after or stamp["stampedAt"])
            self.earliest.append(after)
        self.earliest.reverse()
        self.newest = None

    def check_time(self, entry, event):
        stamps, at, index = self.manifest["stamps"], entry.recorded_at, entry.index
        if at < self.last_time:
            self.findings.fail("times", "it was recorded before an earlier event of the log", event)
            return
        self.last_time = at
        while self.covering < len(stamps) and self.by_size[self.covering]["size"] <= index:
            self.covering += 1
        while self.logged < len(stamps) and stamps[self.logged]["index"] < index:
            self.newest = max(stamps[self.logged]["stampedAt"], self.newest or "")
            self.logged += 1
        after = self.earliest[self.covering] if self.covering < len(stamps) else None
        for off, message in (
            (seconds(at) - seconds(after) if after else 0, "it is later than a time stamp over it"),
            (seconds(self.newest) - seconds(at) if self.newest else 0, "it is earlier than a time stamp logged before it"),
        ):
            if off > GRAVEST_SECONDS:
                self.findings.fail("times", message, event)
                return
            if off > TOLERANCE_SECONDS:
                self.deviations += 1
                return

    def look(self, entry, event):
        manifest, fail, data = self.manifest, self.findings.fail, entry.data
        batch, record = manifest["batchId"], "batch-" + manifest["batchId"]
        if entry.left_out:
            if manifest["request"]["scope"] != "signatures-only" or entry.stream != record or entry.type in APPROVING:
                fail("payloads", "its payload is missing", event)
            self.facts.add(entry)
            return
        if entry.stream.endswith(batch) and data.get("batchId", batch) != batch:
            fail("streams", "it speaks of another batch", event)
        if entry.type == "SensorReadingRecorded" and entry.stream.startswith("reading-"):
            unlike = unlike_reading(data)
            if unlike:
                fail("leaves", unlike, event)
                return
            self.rows += 1
            self.table.write(csv_row(entry))
            self.parquet.add(entry)
            self.facts.add_reading(entry)
            return
        try:
            if entry.stream == "ledger-keys":
                self.apply_key(entry.type, data, entry.index)
        except Refusal as refusal:
            fail("keys", str(refusal), event)
        if entry.stream == "ledger-timestamps":
            self.stamps.append((entry.index, data))
        if entry.stream == "ledger-heads":
            if entry.type != "HeadsStated" or not manifest["heads"] or entry.index != manifest["heads"]["index"]:
                fail("completeness", "it is not the heads statement that the manifest names", event)
            else:
                self.statement = entry
        self.check_approval(entry, event)
        self.facts.add(entry)

    def check_report(self):
        expected = b"".join(piece[0].encode() for piece in report_pieces(self.manifest, self.facts))
        digest = hashlib.sha256(expected).hexdigest()
        if self.archive.digest("report.html") == digest:
            return
        found, held = self.archive.chunks("report.html"), b""
        for html, about, event in report_pieces(self.manifest, self.facts):
            raw = html.encode()
            while len(held) < len(raw):
                chunk = next(found, None)
                if chunk is None:
                    break
                held += chunk
            if held[:len(raw)] != raw:
                message = "report.html says otherwise where the events give \"%s\"" % visible(about[:200])
                self.findings.fail("renderings", message, event, None if event else "report.html")
                return
            held = held[len(raw):]
        self.findings.fail("renderings", "it goes on after its end", member="report.html")

    def apply_key(self, kind, data, index):
        if not isinstance(data.get("verifierKey"), str) or not isinstance(data.get("purpose"), str):
            raise Refusal("it names no key")
        key = self.keys.get(data["verifierKey"])
        if kind == "LedgerKeyAdded":
            if key:
                raise Refusal("it adds no new key")
            self.keys[data["verifierKey"]] = {"purpose": data["purpose"], "index": index, "from": count(data.get("fromSize"), "fromSize")}
            return
        if not key or key["purpose"] != data.get("purpose"):
            raise Refusal("it speaks of a key that was never added")
        if kind == "LedgerKeyRetired":
            last = count(data.get("lastSize"), "lastSize")
            key["last"] = min(last, key.get("last", last))
        elif kind == "LedgerKeyRevoked":
            bad = count(data.get("firstBadSize"), "firstBadSize")
            key["bad"] = min(bad, key.get("bad", bad))
        else:
            raise Refusal(kind + " is no event of a key")

    def holds(self, text, purpose, size=None):
        key, size = self.keys.get(text), self.size if size is None else size
        return bool(key and key["purpose"] == purpose and key["from"] <= size
                    and size <= key.get("last", size) and size < key.get("bad", size + 1))

    def check_approval(self, entry, event):
        data, actor = entry.data, entry.leaf["actor"]["id"]
        if entry.type == "BatchClosed":
            by = data.get("closedBy", actor)
            if data.get("approvedBy") in (by, actor):
                self.findings.fail("signatures", "the same person closed the batch and approved the closure", event)
        if entry.type == "BatchInoculated" and isinstance(data.get("override"), dict):
            if data["override"].get("approvedBy") == actor:
                self.findings.fail("signatures", "the same person entered and approved the override", event)

    def check_counts(self):
        fail = self.findings.fail
        if self.events != self.manifest["events"]:
            fail("leaves", "%d events are in it, the manifest counts %d" % (self.events, self.manifest["events"]))
        stated = {one["stream"]: one for one in self.manifest["streams"]}
        if len(stated) != len(self.manifest["streams"]):
            fail("manifest", "it lists a stream twice", member="manifest.json")
        for stream, state in self.streams.items():
            one = stated.pop(stream, None)
            if not one or (one["first"], one["last"], one["events"]) != (state["first"], state["last"], state["events"]):
                if one and one["last"] > state["last"]:
                    fail("streams", "it is missing", place(stream, state["last"] + 1))
                else:
                    fail("streams", "the manifest counts its stream otherwise", place(stream, state["last"], state["index"]))
        for stream, one in stated.items():
            fail("streams", "the whole stream is missing", place(stream, one["first"]))

    def is_bulk(self, stream):
        return stream in ["%s-%s" % (category, self.manifest["batchId"]) for category in BULK]

    def ends_after_range(self, stream, state):
        ends = self.ends_asked(stream)
        return bool(ends) and state["last_at"] > min(ends)

    def ends_asked(self, stream):
        """The last instants of what was asked of the stream."""
        request, bulk = self.manifest["request"], self.is_bulk(stream)
        if not bulk and stream != "batch-" + self.manifest["batchId"]:
            return []
        keys = ["asOf"] + (["to"] if bulk and request["scope"] == "range" else [])
        return [request[key] for key in keys if key in request]

    def shown_until(self):
        """What was recorded before this is counted by the heads statement, as recordedAt never steps back along the log."""
        size, statement = self.manifest["heads"]["size"], self.statement
        times = [state["last_at"] for stream, state in self.streams.items() if stream != "ledger-heads" and state["index"] < size]
        claim = statement.data.get("recordedUpTo")
        if isinstance(claim, str) and claim <= statement.recorded_at and is_instant(claim):
            times.append(claim)
        if statement.index == size:
            times.append(statement.recorded_at)
        return max(times, default="")

    def check_completeness(self):
        manifest, fail, request = self.manifest, self.findings.fail, self.manifest["request"]
        record = "batch-" + manifest["batchId"]
        if record not in self.streams:
            fail("completeness", "the whole stream is missing", place(record, 0))
        bound = manifest["heads"]["size"] if manifest["heads"] else self.size
        for stream, state in self.streams.items():
            if stream == "ledger-heads":
                continue
            cut = request["scope"] == "range" and self.is_bulk(stream) and "from" in request and state["first_at"] < request["from"]
            if state["first"] > 0 and not cut:
                fail("completeness", "the stream does not begin at revision 0", place(stream, 0))
            if state["index"] >= bound:
                fail("completeness", "it stands after what the statement is about", place(stream, state["last"], state["index"]))
        self.heads = None
        if not self.proven:
            if not self.findings.has("completeness"):
                self.findings.skip("completeness", "not made, as the events are not proven to stand in the log")
            return
        self.heads = self.attempt("completeness", "heads.ndjson", self.read_heads)
        if self.heads is None:
            if not self.findings.has("completeness"):
                self.findings.skip("completeness", "no heads statement says which streams there are")
            return
        for stream in [record, "ledger-keys", "ledger-timestamps"] + self.bulk():
            objection = self.end_objection(stream)
            if objection:
                state = self.streams.get(stream)
                fail("completeness", objection, place(stream, state["last"], state["index"]) if state else place(stream, 0))
        before = self.heads.get("ledger-heads", (0, 0, self.statement.prev))
        if before[0] > self.statement.revision or (before[0] == self.statement.revision and before[2] != self.statement.prev):
            fail("completeness", "it counts other statements before it", place("ledger-heads", self.statement.revision, self.statement.index))
        end = request.get("asOf", request.get("to"))
        until = self.shown_until()
        if end is not None and end >= until and not self.findings.has("completeness"):
            self.findings.skip("completeness", "asked for up to %s, but the record is stated to before %s" % (end, until))

    def end_objection(self, stream):
        record, state = self.heads.get(stream), self.streams.get(stream)
        if state is None:
            if record is None or (self.manifest["request"]["scope"] == "signatures-only" and self.is_bulk(stream)):
                return None
            return "the whole stream is missing: the log has %d events of it" % record[0]
        if record is None:
            return "the heads statement knows no such stream"
        if self.ends_after_range(stream, state):
            return None if state["last"] < record[0] else "the heads statement counts fewer events of its stream"
        if record != (state["last"] + 1, state["index"], state["hash"]):
            return "the heads statement knows another end of its stream, after %d events" % record[0]
        return None

    def bulk(self):
        return ["%s-%s" % (category, self.manifest["batchId"]) for category in BULK]

    def key_of_stream(self, stream):
        return hashlib.sha256(("bioprocess-ledger/stream/v1\n%s\n%s" % (self.origin, stream)).encode()).digest()

    def read_heads(self):
        stated = self.manifest["heads"]
        if stated is None:
            if "heads.ndjson" in self.archive.members:
                raise Refusal("the manifest names no heads statement")
            return None
        if "heads.ndjson" not in self.archive.members or self.statement is None:
            raise Refusal("the heads statement that the manifest names is not in the extract")
        claim, size = self.statement.data, stated["size"]
        streams = count(claim.get("streams"), "streams")
        if claim.get("size") != str(size) or claim.get("total") != str(size) or size > stated["index"]:
            raise Refusal("the statement in the log is about another size")
        names = {self.key_of_stream(name): name for name in ["batch-" + self.manifest["batchId"], "ledger-keys",
                                                             "ledger-timestamps", "ledger-heads"] + self.bulk()}
        tree, records, total, before, ends = Tree(), {}, 0, b"", array("d")
        for line in self.archive.lines("heads.ndjson"):
            if tree.size >= min(streams, 10_000_000):
                raise Refusal("there are more records than the statement counts")
            record = fields(parse_canonical(line, "a record"), "a record", ["count", "lastIndex", "lastLeafHash", "streamKey"])
            key, last = from_base64(record["streamKey"]), from_base64(record["lastLeafHash"])
            events, index = count(record["count"], "count"), count(record["lastIndex"], "lastIndex")
            if key is None or len(key) != 32 or last is None or len(last) != 32 or key <= before:
                raise Refusal("the records do not ascend by stream key")
            if events < 1 or index < events - 1 or index >= size:
                raise Refusal("a record cannot be true")
            before, total = key, total + events
            ends.append(index)
            if key in names:
                records[names[key]] = (events, index, record["lastLeafHash"])
            tree.append(0, leaf_hash(line))
        if total != size or tree.size == 0:
            raise Refusal("the counts do not sum to the size")
        in_order = sorted(ends)
        if any(one == other for one, other in zip(in_order, in_order[1:])):
            raise Refusal("two streams end at the same place")
        if claim.get("root") != base64.b64encode(tree.root()).decode() or streams != tree.size:
            raise Refusal("its records are not those of the statement in the log")
        return records

    def check_scope(self):
        request, fail = self.manifest["request"], lambda message: self.findings.fail("scope", message, member="manifest.json")
        bounds = [request[key] for key in ("from", "to") if key in request]
        if (request["scope"] == "range") != bool(bounds) or bounds != sorted(bounds):
            fail("a range has bounds in order, and nothing else has")
        for key in ("from", "to", "asOf"):
            if key in request:
                self.attempt("scope", "manifest.json", lambda: seconds(request[key]))
        for stream, state in self.streams.items():
            if "asOf" in request and self.ends_asked(stream) and state["before_at"] > request["asOf"]:
                self.findings.fail("scope", "more than one event follows the time that was asked for", place(stream, state["last"], state["index"]))
        if "completeness" in self.findings.skipped:
            self.findings.skip("scope", "not made, as it is not shown that nothing of the batch is missing")
        omitted = self.manifest["omitted"]
        for stream in omitted:
            if request["scope"] != "signatures-only" or not self.is_bulk(stream) or stream in self.streams:
                fail(stream + " may not be left out")
        if request["scope"] != "signatures-only":
            if self.manifest["signatureTypes"]:
                fail("only an extract of signatures has types of signatures")
            return
        if self.manifest["signatureTypes"] != APPROVING:
            fail("the types of signatures are others than the closed list")
        for stream, state in self.streams.items():
            if self.is_bulk(stream):
                self.findings.fail("scope", "its stream is not of such an extract", place(stream, state["first"], state["index"]))
        if self.heads is not None and sorted(omitted) != sorted(stream for stream in self.bulk() if stream in self.heads):
            fail("what it says was left out is not what was")

    def follow_keys(self):
        """The keys that the pinned ones vouch for, through the changes of key that the extract carries."""
        self.trusted = [key for key in self.log_keys if key.name == self.origin]
        if not self.log_keys:
            return
        names = [name for name in self.archive.members if name.startswith("key-change-")]
        try:
            for name in sorted(names, key=lambda name: int(name[11:-4])):
                self.follow_change(name)
        except Refusal as refusal:
            self.findings.fail("keys", str(refusal))
            return
        note = parse_note(self.archive.whole("checkpoint.txt"), "the checkpoint")
        found = self.attempt("checkpoint", "checkpoint.txt", lambda: signers(note, self.trusted, "the checkpoint"))
        self.signed_by = found or []
        if found == [] and not self.findings.has("checkpoint"):
            self.findings.fail("checkpoint", "no key that you gave signed it", member="checkpoint.txt")

    def follow_change(self, name):
        head, _, rest = self.archive.whole(name).partition(b"\n\n")
        kind, *hashes = head.decode("utf-8", "replace").split("\n")
        if kind != "bioledger-key-change/v1":
            raise Refusal(name + " has an unknown format")
        note = parse_note(rest, name)
        origin, size, root = parse_checkpoint(note[0])
        if origin != self.origin or size != int(name[11:-4]) or size > self.size:
            raise Refusal(name + " is not of this log")
        if not any(self.holds(key.text, "log", size) for key in signers(note, self.trusted, name)):
            return
        if not consistent(size, root, self.size, self.root, [from_base64(one) or b"" for one in hashes]):
            raise Refusal("the checkpoint of the extract does not continue the one in " + name)
        known = [key.text for key in self.trusted]
        added = [Key(text) for text, key in self.keys.items() if key["purpose"] == "log" and key["index"] < size and text not in known]
        self.trusted += signers(note, added, name)

    def check_keys(self):
        if not self.keys:
            self.findings.fail("keys", "the log names no key", place("ledger-keys", 0))
            return
        if self.signed_by and not any(self.holds(key.text, "log") for key in self.signed_by):
            self.findings.fail("keys", "the key that signed does not hold at size %d" % self.size)

    def check_tokens(self):
        stated = [(stamp["index"], str(stamp["size"]), stamp["stampedAt"]) for stamp in self.manifest["stamps"]]
        if stated != [(index, data.get("size"), data.get("stampedAt")) for index, data in self.stamps]:
            self.findings.fail("times", "its time stamps are not those of the log", member="manifest.json")
        stamps = {(data.get("size"), data.get("tokenSha256")): data for _, data in self.stamps if text_pair(data)}
        tokens = []
        for name in self.archive.members:
            if name.startswith("timestamp-") and name.endswith(".txt") and name[:-4] + ".tsr" not in self.archive.members:
                self.findings.fail("times", "its token is missing", member=name)
            if name.startswith("timestamp-") and name.endswith(".tsr"):
                token = self.attempt("times", name, lambda: self.check_token(self.archive.whole(name), stamps, name[10:-4]))
                tokens += [(name, token)] if token else []
        if not tokens:
            self.findings.skip("times", "no token of a time stamp is in the extract")
        if not self.authorities or not tokens:
            self.findings.skip("authorities", "nobody vouches for tokens")
            return
        for name, token in tokens:
            self.attempt("authorities", name, lambda: self.vouched(token))

    def vouched(self, token):
        try:
            token.require_authority(self.authorities)
        except (ValueError, UnsupportedAlgorithm, IndexError) as error:
            raise Refusal("it or one of its certificates cannot be read (%s)" % type(error).__name__) from None

    def check_token(self, raw, stamps, size):
        stamp = stamps.get((size, base64.b64encode(hashlib.sha256(raw).digest()).decode()))
        if stamp is None:
            raise Refusal("no time stamp of the log is this token")
        token, name = Token(raw), "timestamp-%s.txt" % size
        if (token.imprint, token.stamped_at) != (stamp.get("imprint"), stamp.get("stampedAt")):
            raise Refusal("it is over another digest, or of another time, than its event says")
        if name not in self.archive.members:
            raise Refusal("%s, which says what was stamped, is missing" % name)
        head, _, text = self.archive.whole(name).partition(b"\n\n")
        kind, *path = head.decode("utf-8", "replace").split("\n")
        if kind != "bioledger-time-stamp/v1":
            raise Refusal(name + " has an unknown format")
        if base64.b64encode(hashlib.sha256(text).digest()).decode() != token.imprint:
            raise Refusal("it is not over the checkpoint in " + name)
        origin, own, root = parse_checkpoint(Archive._line(text, name))
        if origin != self.origin or own != int(size) or own > self.size:
            raise Refusal("the checkpoint in %s is not of this log and size" % name)
        if not consistent(own, root, self.size, self.root, [from_base64(one) or b"" for one in path]):
            raise Refusal("the checkpoint of the extract does not continue the one in " + name)
        return token

    def check_members(self):
        stated = {one["name"]: one for one in self.manifest["members"]}
        if len(stated) != len(self.manifest["members"]):
            self.findings.fail("manifest", "it lists a member twice", member="manifest.json")
        for name, member in self.archive.members.items():
            if name in ("manifest.json", "manifest.sig"):
                continue
            one = stated.pop(name, None)
            digest = self.attempt("manifest", name, lambda: self.archive.digest(name))
            if digest is not None and (not one or one["sha256"] != digest or one["size"] != member[3]):
                self.findings.fail("manifest", "it is not what the manifest lists", member=name)
        for name in stated:
            self.findings.fail("manifest", "it is missing", member=name)

    def check_signature(self, raw):
        text, signatures = parse_note(self.archive.whole("manifest.sig"), "manifest.sig")
        root = base64.b64encode(self.root).decode()
        digest = base64.b64encode(hashlib.sha256(raw).digest()).decode()
        if text != "\n".join([FORMAT, self.origin, str(self.size), root, digest]) + "\n":
            raise Refusal("it is the signature of another manifest or checkpoint")
        keys = self.export_keys or [key for key in map(known_key, (text for text in self.keys if self.holds(text, "export"))) if key]
        if not self.export_keys and "export-key.txt" in self.archive.members:
            keys.append(self.later_export_key())
        if not signers((text, signatures), keys, "the manifest"):
            raise Refusal("no export key that holds signed it")

    def up_to(self):
        as_of = getattr(self, "manifest", None) and self.manifest["request"].get("asOf")
        return " as recorded up to %s," % as_of if as_of else ""

    def as_of(self):
        """Size and time of the heads statement."""
        statement = getattr(self, "statement", None)
        return (self.manifest["heads"]["size"], statement.recorded_at) if statement else (None, None)

    def later_export_key(self):
        """A key that the log named only after what the extract is about, under a later checkpoint."""
        name = "export-key.txt"
        head, _, rest = self.archive.whole(name).partition(b"\n\n")
        kind, index, hashes = (head.decode("utf-8", "replace").split("\n", 2) + ["", ""])[:3]
        leaf, _, raw = rest.partition(b"\n")
        if kind != "bioledger-export-key/v1":
            raise Refusal(name + " has an unknown format")
        note = parse_note(raw, name)
        origin, size, root = parse_checkpoint(note[0])
        if origin != self.origin or (self.log_keys and not signers(note, self.trusted, name)):
            raise Refusal("no key that you gave signed the checkpoint in " + name)
        text = Archive._line(leaf, name)
        if not included(leaf_hash(text), count(index, "the index"), size, root, [from_base64(one) or b"" for one in hashes.split("\n") if hashes]):
            raise Refusal("the event in %s is not under its checkpoint" % name)
        event = parse_canonical(text, "the event")
        data = event.get("data") if isinstance(event, dict) else None
        if not isinstance(data, dict) or (event.get("ledger"), event.get("stream"), event.get("type"), data.get("purpose")) != (
                origin, "ledger-keys", "LedgerKeyAdded", "export"):
            raise Refusal(name + " adds no export key")
        if not isinstance(data.get("verifierKey"), str) or data["verifierKey"] in self.keys:
            raise Refusal(name + " adds no new key")
        return Key(data["verifierKey"])

    def verdict(self):
        failed = self.findings.failed
        checks = {check: "fail" if check in failed else "not-checked" if check in self.findings.skipped else "pass" for check in CHECKS}
        incomplete = not self.log_keys or "completeness" in self.findings.skipped or bool(self.authorities and "authorities" in self.findings.skipped)
        first = next((finding["event"] for finding in self.findings.all if finding["event"]), None)
        return {"exit": 1 if failed else 2 if incomplete else 0, "checks": checks, "events": self.events,
                "findings": self.findings.all[:200], "firstBadEvent": first, "deviations": getattr(self, "deviations", 0), "asOf": self.as_of(), "upTo": self.up_to()}


def der(raw):
    """Tag, content and whole of each element; definite and shortest lengths only."""
    found, at = [], 0
    while at < len(raw):
        if len(found) >= 256 or at + 2 > len(raw) or raw[at] & 0x1F == 0x1F:
            raise Refusal("it is no DER")
        tag, length, start = raw[at], raw[at + 1], at + 2
        if length >= 0x80:
            more = length - 0x80
            if not 1 <= more <= 4 or start + more > len(raw):
                raise Refusal("it is no DER")
            length, start = int.from_bytes(raw[start:start + more], "big"), start + more
            if length < 0x80 or length >> 8 * (more - 1) == 0:
                raise Refusal("it is no DER")
        if start + length > len(raw):
            raise Refusal("it is no DER")
        found.append((tag, raw[start:start + length], raw[at:start + length]))
        at = start + length
    return found


def element(all_of_them, place, tag):
    if len(all_of_them) <= place or all_of_them[place][0] != tag:
        raise Refusal("it is no time stamp token (RFC 3161)")
    return all_of_them[place][1]


def inside(all_of_them, place, tag):
    return der(element(all_of_them, place, tag))


HASHES = {"608648016503040201": "sha256", "608648016503040202": "sha384", "608648016503040203": "sha512"}
SIGNATURES = {
    "2a864886f70d01010b": ("RSA", "sha256"), "2a864886f70d01010c": ("RSA", "sha384"), "2a864886f70d01010d": ("RSA", "sha512"),
    "2a8648ce3d040302": ("EC", "sha256"), "2a8648ce3d040303": ("EC", "sha384"), "2a8648ce3d040304": ("EC", "sha512"),
}
HARMLESS = ["2.5.29.%d" % last for last in (14, 15, 17, 18, 19, 31, 32, 35, 37)]


class Token:
    """An RFC 3161 answer: what it says, and whether a given certificate vouches for its signer."""

    def __init__(self, raw):
        whole = der(raw)
        if len(whole) != 1:
            raise Refusal("it is no time stamp token (RFC 3161)")
        answer = inside(whole, 0, 0x30)
        status = element(inside(answer, 0, 0x30), 0, 0x02)
        if len(status) != 1 or status[0] > 1:
            raise Refusal("it is no granted time stamp")
        content_info = inside(answer, 1, 0x30)
        self.oid(content_info, "2a864886f70d010702")
        self.signed = inside(inside(content_info, 1, 0xA0), 0, 0x30)
        encapsulated = inside(self.signed, 2, 0x30)
        self.oid(encapsulated, "2a864886f70d0109100104")
        self.content = element(inside(encapsulated, 1, 0xA0), 0, 0x04)
        info = inside(der(self.content), 0, 0x30)
        imprint = inside(info, 2, 0x30)
        self.oid(inside(imprint, 0, 0x30), "608648016503040201")
        time = re.fullmatch(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d*[1-9]))?Z", element(info, 4, 0x18)[:40])
        if not time:
            raise Refusal("its time is not as DER spells it")
        parts = [(part or b"").decode() for part in time.groups()]
        self.stamped_at = "%s-%s-%sT%s:%s:%s.%sZ" % (*parts[:6], parts[6][:3].ljust(3, "0"))
        self.imprint = base64.b64encode(element(imprint, 1, 0x04)).decode()

    @staticmethod
    def oid(content, expected):
        if element(content, 0, 0x06).hex() != expected:
            raise Refusal("it is no time stamp token over a SHA-256 digest")

    def require_authority(self, given):
        held = next((content for tag, content, _ in self.signed if tag == 0xA0), b"")
        found = [x509.load_der_x509_certificate(whole) for tag, _, whole in der(held) if tag == 0x30]
        signers = inside(self.signed, len(self.signed) - 1, 0x31)
        if len(signers) != 1:
            raise Refusal("it has not exactly one signer")
        parts = inside(signers, 0, 0x30)
        digest = HASHES.get(element(inside(parts, 2, 0x30), 0, 0x06).hex())
        if not digest:
            raise Refusal("its digest is of an unknown algorithm")
        attributes = {}
        for _, content, _ in der(element(parts, 3, 0xA0)):
            kind, values = der(content)[0], inside(der(content), 1, 0x31)
            if kind[0] != 0x06 or kind[1] in attributes or len(values) != 1:
                raise Refusal("a signed attribute of it has not one value")
            attributes[kind[1]] = values
        attribute = lambda text: attributes.get(bytes.fromhex(text), [])
        self.oid(attribute("2a864886f70d010903"), "2a864886f70d0109100104")
        if element(attribute("2a864886f70d010904"), 0, 0x04) != hashlib.new(digest, self.content).digest():
            raise Refusal("its content is not the one that was signed")
        certificate = next((one for one in given + found if self.names(one, parts[1]) and self.means(one, attribute)), None)
        if certificate is None:
            raise Refusal("neither it nor you gave the certificate that it says it was signed with")
        algorithm = element(inside(parts, 4, 0x30), 0, 0x06).hex()
        if algorithm == "2a864886f70d010101":
            algorithm = next(text for text, known in SIGNATURES.items() if known == ("RSA", digest))
        if not verified(certificate.public_key(), algorithm, b"\x31" + parts[3][2][1:], element(parts, 5, 0x04)):
            raise Refusal("its signature is wrong")
        self.require_purpose(certificate)
        self.require_path(certificate, given, found)

    @staticmethod
    def names(certificate, identifier):
        if identifier[0] == 0x80:
            return any(isinstance(one.value, x509.SubjectKeyIdentifier) and one.value.digest == identifier[1] for one in certificate.extensions)
        parts = der(identifier[1])
        return certificate.issuer.public_bytes() == parts[0][2] and certificate.serial_number == int.from_bytes(element(parts, 1, 0x02), "big")

    @staticmethod
    def means(certificate, attribute):
        second = attribute("2a864886f70d010910022f")
        value = second or attribute("2a864886f70d010910020c")
        if not value:
            raise Refusal("it does not name the certificate that it was signed with")
        identifier = inside(inside(inside(value, 0, 0x30), 0, 0x30), 0, 0x30)
        stated = bool(second) and identifier[0][0] == 0x30
        name = "sha1" if not second else HASHES.get(element(inside(identifier, 0, 0x30), 0, 0x06).hex()) if stated else "sha256"
        if not name:
            raise Refusal("it names its certificate by an unknown digest")
        whole = certificate.public_bytes(serialization.Encoding.DER)
        return element(identifier, 1 if stated else 0, 0x04) == hashlib.new(name, whole).digest()

    @staticmethod
    def require_purpose(certificate):
        usage, purposes = extension(certificate, x509.KeyUsage), extension(certificate, x509.ExtendedKeyUsage)
        if not purposes or not purposes.critical or [one.dotted_string for one in purposes.value] != ["1.3.6.1.5.5.7.3.8"]:
            raise Refusal("its signer's certificate is not for time stamping alone (extended key usage)")
        if usage and not usage.value.digital_signature and not usage.value.content_commitment:
            raise Refusal("its signer's certificate is not for signatures (key usage)")

    def require_path(self, certificate, given, found):
        current = certificate
        for depth in range(8):
            span = [at.strftime("%Y-%m-%dT%H:%M:%S.000Z") for at in (current.not_valid_before_utc, current.not_valid_after_utc)]
            if not span[0] <= self.stamped_at <= span[1]:
                raise Refusal("a certificate that it rests on was valid from %s to %s only" % tuple(span))
            if any(one.critical and one.oid.dotted_string not in HARMLESS for one in current.extensions):
                raise Refusal("a certificate has a critical extension that is unknown")
            if current in given:
                return
            current = next((one for one in given + found if issued(one, current, depth)), None)
            if current is None:
                raise Refusal("its signer is vouched for by no certificate that you gave")
        raise Refusal("its certificates form too long a path")


def extension(certificate, kind):
    try:
        return certificate.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None


def issued(issuer, certificate, between):
    if issuer.subject.public_bytes() != certificate.issuer.public_bytes() or issuer == certificate:
        return False
    constraints, usage = extension(issuer, x509.BasicConstraints), extension(issuer, x509.KeyUsage)
    if not constraints or not constraints.value.ca or (usage and not usage.value.key_cert_sign):
        return False
    length = constraints.value.path_length
    if length is not None and between > length:
        return False
    algorithm = element(inside(inside(der(certificate.public_bytes(serialization.Encoding.DER)), 0, 0x30), 1, 0x30), 0, 0x06).hex()
    return verified(issuer.public_key(), algorithm, certificate.tbs_certificate_bytes, certificate.signature)


def verified(public, algorithm, message, signature):
    kind, name = SIGNATURES.get(algorithm, (None, None))
    if kind is None:
        raise Refusal("its signature is of the unknown algorithm " + algorithm)
    chosen = {"sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}[name]()
    try:
        if isinstance(public, rsa.RSAPublicKey):
            if not 2048 <= public.key_size <= 8192:
                raise Refusal("its RSA key has fewer than 2048 bits, or more than 8192")
            if kind == "RSA":
                public.verify(signature, message, padding.PKCS1v15(), chosen)
                return True
        elif isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name in ("secp256r1", "secp384r1"):
            if kind == "EC":
                public.verify(signature, message, ec.ECDSA(chosen))
                return True
        else:
            raise Refusal("its key is of an unknown algorithm")
    except InvalidSignature:
        pass
    return False


def parse_pem(text):
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise Refusal("there is no certificate in PEM") from None


def known_key(text):
    """None for a key of an algorithm that is not known here: another one may have signed."""
    try:
        return Key(text)
    except (Refusal, ValueError):
        return None


def text_pair(data):
    return isinstance(data.get("size"), str) and isinstance(data.get("tokenSha256"), str)


def key_of(text, kind):
    if not re.search(r"\+[0-9a-f]{8}\+", text):
        with open(text, encoding="utf-8") as file:
            text = file.readline().strip()
    key = Key(text)
    if key.type != kind:
        raise Refusal("the key of %s is of another kind" % key.name)
    return key


def describe(finding):
    event, member = finding["event"], finding["member"]
    if event:
        position = " (position %d of the log)" % event["index"] if "index" in event else ""
        return "%s revision %d%s: %s" % (event["stream"], event["revision"], position, finding["message"])
    return "%s: %s" % (member, finding["message"]) if member else finding["message"]


def verify(path, keys, export_keys=(), witnesses=(), quorum=None, authorities=()):
    return Verifier(path, list(keys), list(export_keys), list(witnesses), quorum, list(authorities)).run().verdict()


def main():
    parser = argparse.ArgumentParser(description="verifies an extract of a batch")
    parser.add_argument("extract")
    for option in ("--key", "--export-key", "--witness", "--tsa-cert"):
        parser.add_argument(option, action="append", default=[])
    parser.add_argument("--quorum", type=int)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    try:
        keys = [[key_of(key, kind) for key in some] for some, kind in ((given.key, 1), (given.export_key, 1), (given.witness, 4))]
        if given.quorum is not None and not 1 <= given.quorum <= len(keys[2]):
            raise Refusal("--quorum needs as many --witness")
        authorities = []
        for path in given.tsa_cert:
            with open(path, encoding="utf-8") as file:
                authorities += parse_pem(file.read())
        verdict = verify(given.extract, *keys, given.quorum, authorities)
    except (Refusal, OSError) as error:
        print("verify: %s" % error, file=sys.stderr)
        return 2
    if given.json:
        print(json.dumps(verdict))
        return verdict["exit"]
    for check, status in verdict["checks"].items():
        first = next((finding for finding in verdict["findings"] if finding["check"] == check), None)
        print("%s  %s%s" % ({"pass": "PASS", "fail": "FAIL"}.get(status, "----"), check, ": " + describe(first) if first else ""))
    noted = ", with a noted deviation of clocks" if verdict["deviations"] else ""
    verified = "VERIFIED%s as of size %s of the log, stated at %s%s" % (verdict["upTo"], *verdict["asOf"], noted)
    print([verified, "FAILED: do not rely on this extract", "INCOMPLETE: consistent as far as it could be checked"][verdict["exit"]])
    return verdict["exit"]


if __name__ == "__main__":
    sys.exit(main())
