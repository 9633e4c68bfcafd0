// Verifier of bioprocess-ledger extracts. One file, no dependencies: node verify.mjs <extract.zip> --key <key>
// src/command-line.ts
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";

// src/bytes.ts
var alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
var values = new Map([...alphabet].map((character, value) => [character, value]));
function toBase64(bytes) {
  let text2 = "";
  for (let at2 = 0; at2 < bytes.length; at2 += 3) {
    const left = bytes.length - at2;
    const a = bytes[at2];
    const b = left > 1 ? bytes[at2 + 1] : 0;
    const c = left > 2 ? bytes[at2 + 2] : 0;
    text2 += alphabet.charAt(a >> 2) + alphabet.charAt((a & 3) << 4 | b >> 4);
    text2 += (left > 1 ? alphabet.charAt((b & 15) << 2 | c >> 6) : "=") + (left > 2 ? alphabet.charAt(c & 63) : "=");
  }
  return text2;
}
function fromBase64(text2) {
  if (text2.length % 4 !== 0) return void 0;
  const digits = text2.replace(/={1,2}$/, "");
  const bytes = new Uint8Array(Math.floor(digits.length * 3 / 4));
  let held = 0;
  let bits = 0;
  let length = 0;
  for (const character of digits) {
    const value = values.get(character);
    if (value === void 0) return void 0;
    held = (held << 6 | value) & 65535;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[length++] = held >> bits & 255;
    }
  }
  return toBase64(bytes) === text2 ? bytes : void 0;
}
function toHex(bytes) {
  let text2 = "";
  for (const byte of bytes) text2 += byte.toString(16).padStart(2, "0");
  return text2;
}
var utf8 = (text2) => new TextEncoder().encode(text2);
function fromUtf8(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return void 0;
  }
}
function equalBytes(a, b) {
  if (a.length !== b.length) return false;
  for (let at2 = 0; at2 < a.length; at2++) if (a[at2] !== b[at2]) return false;
  return true;
}
function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at2 = 0;
  for (const part of parts) {
    whole.set(part, at2);
    at2 += part.length;
  }
  return whole;
}

// src/refusal.ts
var Refusal = class extends Error {
  constructor(message, isPayload = false) {
    super(message);
    this.isPayload = isPayload;
  }
  isPayload;
  code = "refusal";
};

// src/der.ts
var tags = {
  boolean: 1,
  integer: 2,
  bits: 3,
  octets: 4,
  oid: 6,
  utcTime: 23,
  generalizedTime: 24,
  sequence: 48,
  set: 49
};
var mostElements = 256;
function elements(bytes) {
  const found = [];
  for (let place2 = 0; place2 < bytes.length; ) {
    if (found.length >= mostElements) throw new Refusal(`it has more than ${mostElements} elements in one`);
    const tag = bytes[place2];
    const first = bytes[place2 + 1] ?? 128;
    const more = first < 128 ? 0 : first - 128;
    const start = place2 + 2 + more;
    if ((tag & 31) === 31 || first === 128 || more > 4 || start > bytes.length)
      throw new Refusal("it is no DER");
    let length = more === 0 ? first : 0;
    for (let digit = 0; digit < more; digit++) length = length * 256 + bytes[place2 + 2 + digit];
    const isShortest = more === 0 || bytes[place2 + 2] !== 0 && (more > 1 || length >= 128);
    if (!isShortest || start + length > bytes.length) throw new Refusal("it is no DER");
    const end = start + length;
    found.push({ tag, bytes: bytes.subarray(start, end), whole: bytes.subarray(place2, end) });
    place2 = end;
  }
  return found;
}
function at(all, place2, tag) {
  const element = all[place2];
  if (element?.tag !== tag) throw new Refusal("it is not of the form of RFC 3161, RFC 5652 and RFC 5280");
  return element;
}
function inside(all, place2, tag) {
  return elements(at(all, place2, tag).bytes);
}
var oid = (all, place2) => toHex(at(all, place2, tags.oid).bytes);
var algorithm = (all, place2) => oid(inside(all, place2, tags.sequence), 0);
function instantOf({ tag, bytes }) {
  const text2 = String.fromCharCode(...bytes.subarray(0, 40));
  const long = tag === tags.utcTime ? `${Number(text2.slice(0, 2)) < 50 ? "20" : "19"}${text2}` : text2;
  const [, year, month, day, hour, minute, second, fraction = ""] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d*[1-9]))?Z$/.exec(long) ?? [];
  if (tag !== tags.generalizedTime && tag !== tags.utcTime || year === void 0)
    throw new Refusal("a time in it is not as DER spells it");
  return `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, "0")}Z`;
}

// src/certificates.ts
var [subjectKeyId, keyUsage, basicConstraints, extendedKeyUsage] = ["551d0e", "551d0f", "551d13", "551d25"];
var harmless = ["551d11", "551d12", "551d20", "551d1f", "551d23"];
var timeStamping = "2b06010505070308";
var certificateSigning = 5;
var longestPath = 8;
function parseCertificate(whole) {
  const [outer, ...others] = elements(whole);
  if (outer?.tag !== tags.sequence || others.length > 0) throw new Refusal("it is no certificate");
  const parts = elements(outer.bytes);
  const signed = at(parts, 0, tags.sequence);
  const all = elements(signed.bytes);
  const fields2 = all[0]?.tag === 160 ? all.slice(1) : all;
  const validity = inside(fields2, 3, tags.sequence);
  const signatureAlgorithm = algorithm(parts, 1);
  if (signatureAlgorithm !== algorithm(fields2, 1)) throw new Refusal("its two algorithms differ");
  return {
    whole,
    signed: signed.whole,
    signatureAlgorithm,
    signature: bitsOf(at(parts, 2, tags.bits)),
    serial: at(fields2, 0, tags.integer).bytes,
    issuer: at(fields2, 2, tags.sequence).whole,
    from: instantOf(timeAt(validity, 0)),
    to: instantOf(timeAt(validity, 1)),
    subject: at(fields2, 4, tags.sequence).whole,
    spki: at(fields2, 5, tags.sequence).whole,
    ...extensionsOf(fields2.find(({ tag }) => tag === 163))
  };
}
function extensionsOf(element) {
  const known = /* @__PURE__ */ new Map();
  const list3 = element ? inside(elements(element.bytes), 0, tags.sequence) : [];
  for (const one of list3) {
    const parts = elements(one.bytes);
    const id = oid(parts, 0);
    const isCritical = parts[1]?.tag === tags.boolean && parts[1].bytes[0] === 255;
    if (known.has(id)) throw new Refusal("a certificate has an extension twice");
    known.set(id, { value: at(parts, parts.length - 1, tags.octets).bytes, isCritical });
    const isKnown = [subjectKeyId, keyUsage, basicConstraints, extendedKeyUsage, ...harmless].includes(id);
    if (isCritical && !isKnown) throw new Refusal("a certificate has a critical extension that is unknown");
  }
  const read = (id) => {
    const found = known.get(id);
    return found ? elements(found.value) : [];
  };
  const constraints = known.has(basicConstraints) ? inside(read(basicConstraints), 0, tags.sequence) : [];
  const length = constraints[1];
  const usage = known.has(keyUsage) ? bitsOf(at(read(keyUsage), 0, tags.bits)) : void 0;
  const purposes = known.has(extendedKeyUsage) ? inside(read(extendedKeyUsage), 0, tags.sequence) : [];
  return {
    keyId: known.has(subjectKeyId) ? at(read(subjectKeyId), 0, tags.octets).bytes : void 0,
    authority: {
      is: constraints[0]?.tag === tags.boolean && constraints[0].bytes[0] === 255,
      pathLength: length?.tag === tags.integer && length.bytes.length === 1 ? length.bytes[0] : longestPath
    },
    keyUsage: usage && (usage[0] ?? 0) << 8 | (usage?.[1] ?? 0),
    purposes: purposes.map((_, place2) => oid(purposes, place2)),
    purposesCritical: known.get(extendedKeyUsage)?.isCritical ?? false
  };
}
function timeAt(all, place2) {
  const element = all[place2];
  if (!element) throw new Refusal("a certificate says not how long it is valid");
  return element;
}
function bitsOf({ bytes }) {
  if (bytes.length === 0 || bytes[0] > 7) throw new Refusal("it is no DER");
  return bytes.subarray(1);
}
function parsePem(text2) {
  const blocks = [...text2.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g)];
  if (blocks.length === 0) throw new Refusal("there is no certificate in PEM");
  return blocks.map(([, body = ""]) => {
    const bytes = fromBase64(body.replace(/\s/g, ""));
    if (!bytes) throw new Refusal("a certificate in PEM is no base64");
    return parseCertificate(bytes);
  });
}
var mayUse = ({ keyUsage: usage }, bit) => usage === void 0 || (usage & 32768 >> bit) !== 0;
function requireTimeStamping(certificate) {
  const { purposes, purposesCritical } = certificate;
  if (purposes.length !== 1 || purposes[0] !== timeStamping || !purposesCritical)
    throw new Refusal("its signer's certificate is not for time stamping alone (extended key usage)");
  if (!mayUse(certificate, 0) && !mayUse(certificate, 1))
    throw new Refusal("its signer's certificate is not for signatures (key usage)");
}
async function requirePath(certificate, {
  given,
  found,
  instant
}, platform) {
  let current = certificate;
  for (let depth = 0; depth < longestPath; depth++) {
    if (instant < current.from || instant > current.to)
      throw new Refusal(`a certificate that it rests on was valid from ${current.from} to ${current.to} only`);
    if (given.some(({ whole }) => equalBytes(whole, current.whole))) return;
    const issuer = await issuerOf(current, [...given, ...found], depth, platform);
    if (!issuer) throw new Refusal("its signer is vouched for by no certificate that you gave");
    current = issuer;
  }
  throw new Refusal("its certificates form too long a path");
}
async function issuerOf(of, candidates, between, platform) {
  for (const one of candidates) {
    if (!equalBytes(one.subject, of.issuer) || equalBytes(one.whole, of.whole)) continue;
    if (!one.authority.is || between > one.authority.pathLength || !mayUse(one, certificateSigning)) continue;
    if (await platform.verifySignature(one.spki, of.signatureAlgorithm, of.signed, of.signature)) return one;
  }
  return void 0;
}

// src/canonical.ts
var maximumDepth = 64;
function canonical(value, depth = 0) {
  if (typeof value === "string") return quoted(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (depth > maximumDepth) throw new Refusal(`nesting deeper than ${maximumDepth}`);
  if (isArray(value)) {
    let text3 = "[";
    for (let at2 = 0; at2 < value.length; at2++)
      text3 += (at2 > 0 ? "," : "") + canonical(value[at2], depth + 1);
    return `${text3}]`;
  }
  const keys = Object.keys(value);
  if (keys.length > 1) keys.sort();
  let text2 = "{";
  for (let at2 = 0; at2 < keys.length; at2++) {
    const key = keys[at2];
    text2 += `${(at2 > 0 ? "," : "") + quoted(key)}:${canonical(value[key], depth + 1)}`;
  }
  return `${text2}}`;
}
function isPlainlyCanonical(value, text2) {
  return hasSortedKeys(value, 0) && !text2.includes("\\ud") && JSON.stringify(value) === text2;
}
function hasSortedKeys(value, depth) {
  if (typeof value !== "object" || value === null) return true;
  if (depth > maximumDepth) throw new Refusal(`nesting deeper than ${maximumDepth}`);
  if (isArray(value)) {
    for (let at2 = 0; at2 < value.length; at2++) if (!hasSortedKeys(value[at2], depth + 1)) return false;
    return true;
  }
  let before;
  for (const key in value) {
    if (before !== void 0 && key <= before) return false;
    before = key;
    if (!hasSortedKeys(value[key], depth + 1)) return false;
  }
  return true;
}
function parseCanonical(text2, what) {
  const value = parseJson(text2, what);
  if (canonical(value) !== text2)
    throw new Refusal(`${what} is not the canonical spelling (RFC 8785) of what it says`);
  return value;
}
function parseJson(text2, what) {
  try {
    return JSON.parse(text2);
  } catch {
    throw new Refusal(`${what} is no JSON`);
  }
}
function isObject(value) {
  return typeof value === "object" && value !== null && !isArray(value);
}
function isArray(value) {
  return Array.isArray(value);
}
function quoted(text2) {
  const spelt3 = JSON.stringify(text2);
  if (spelt3.includes("\\ud") && !text2.isWellFormed()) throw new Refusal("a lone surrogate in a text");
  return spelt3;
}

// src/manifest.ts
var formatLine = "bioledger-extract/v1";
var fields = [
  "batchId",
  "checkpoint",
  "events",
  "format",
  "heads",
  "members",
  "omitted",
  "origin",
  "readings"
].concat(["request", "signatureTypes", "stamps", "streams", "timeZone"]);
function parseManifest(bytes) {
  const text2 = fromUtf8(bytes);
  if (text2 === void 0) throw new Refusal("manifest.json is not valid UTF-8");
  const value = parseCanonical(text2, "manifest.json");
  const whole = object(value, "manifest.json", fields);
  if (whole.format !== formatLine) throw new Refusal(`the format ${JSON.stringify(whole.format)} is unknown`);
  if (whole.timeZone !== "UTC") throw new Refusal("the time zone is not UTC");
  const checkpoint = object(whole.checkpoint, "checkpoint", ["size", "root"]);
  const request = object(whole.request, "request", ["scope", "purpose", "purposeText", "asOf", "from", "to"]);
  if (request.scope !== "whole" && request.scope !== "range" && request.scope !== "signatures-only")
    throw new Refusal(`the scope ${JSON.stringify(request.scope)} is unknown`);
  const optional = (key) => request[key] === void 0 ? {} : { [key]: textOf(request[key], key) };
  return {
    origin: textOf(whole.origin, "origin"),
    batchId: textOf(whole.batchId, "batchId"),
    checkpoint: { size: count(checkpoint.size, "size"), root: textOf(checkpoint.root, "root") },
    heads: whole.heads === null ? null : headsOf(whole.heads),
    request: {
      scope: request.scope,
      purpose: textOf(request.purpose, "purpose"),
      ...optional("purposeText"),
      ...optional("asOf"),
      ...optional("from"),
      ...optional("to")
    },
    events: count(whole.events, "events"),
    readings: count(whole.readings, "readings"),
    streams: list(whole.streams, "streams").map((one) => {
      const stream = object(one, "streams", ["stream", "first", "last", "events"]);
      return {
        stream: textOf(stream.stream, "stream"),
        first: count(stream.first, "first"),
        last: count(stream.last, "last"),
        events: count(stream.events, "events")
      };
    }),
    omitted: list(whole.omitted, "omitted").map((one) => textOf(one, "omitted")),
    signatureTypes: whole.signatureTypes === void 0 ? [] : list(whole.signatureTypes, "signatureTypes").map((one) => textOf(one, "signatureTypes")),
    stamps: list(whole.stamps, "stamps").map((one) => {
      const stamp = object(one, "stamps", ["index", "size", "stampedAt"]);
      return {
        index: count(stamp.index, "index"),
        size: count(stamp.size, "size"),
        stampedAt: textOf(stamp.stampedAt, "stampedAt")
      };
    }),
    members: list(whole.members, "members").map((one) => {
      const member3 = object(one, "members", ["name", "size", "sha256"]);
      if (typeof member3.size !== "string") throw new Refusal("a member has no size");
      return {
        name: textOf(member3.name, "name"),
        size: count(member3.size, "size"),
        sha256: textOf(member3.sha256, "sha256")
      };
    })
  };
}
function headsOf(value) {
  const heads = object(value, "heads", ["index", "size"]);
  return { index: count(heads.index, "index"), size: count(heads.size, "size") };
}
function object(value, what, allowed3) {
  if (!isObject(value)) throw new Refusal(`${what} of the manifest is no object`);
  for (const key of Object.keys(value))
    if (!allowed3.includes(key)) throw new Refusal(`${what} of the manifest has the unknown field ${key}`);
  return value;
}
function list(value, what) {
  if (!Array.isArray(value)) throw new Refusal(`${what} of the manifest is no list`);
  return value;
}
function textOf(value, what) {
  if (typeof value !== "string") throw new Refusal(`${what} of the manifest is no text`);
  return value;
}
function count(value, what) {
  if (typeof value !== "string" || !/^(0|[1-9]\d{0,15})$/.test(value) || !Number.isSafeInteger(Number(value)))
    throw new Refusal(`${what} is no whole number in digits`);
  return Number(value);
}

// src/tree.ts
function growingTree(platform) {
  const levels = [];
  const hashes2 = [];
  const input = new Uint8Array(65);
  input[0] = 1;
  let size = 0;
  function node(left, right) {
    input.set(left, 1);
    input.set(right, 33);
    return platform.hash(input);
  }
  function append(level, hash2) {
    size += 2 ** level;
    let [atLevel, merged] = [level, hash2];
    while (levels.at(-1) === atLevel) {
      levels.pop();
      merged = node(hashes2.pop(), merged);
      atLevel++;
    }
    levels.push(atLevel);
    hashes2.push(merged);
  }
  return {
    get size() {
      return size;
    },
    appendLeaf: (hash2) => append(0, hash2),
    appendSubtree: append,
    root: () => hashes2.reduceRight((right, left) => node(left, right))
  };
}
function tiling(from, to) {
  const levels = [];
  for (let at2 = from; at2 < to; ) {
    let level = 0;
    let leaves = 1;
    while (at2 % (2 * leaves) === 0 && at2 + 2 * leaves <= to) {
      leaves *= 2;
      level++;
    }
    levels.push(level);
    at2 += leaves;
  }
  return levels;
}

// src/heads.ts
var maximumRecords = 1e7;
function streamKeyOf(origin, stream, platform) {
  return toHex(platform.hash(utf8(`bioprocess-ledger/stream/v1
${origin}
${stream}`)));
}
async function readHeads(lines, stated, origin, streams, platform, each = () => {
}) {
  const tree = growingTree(platform);
  const keys = new Map(streams.map((stream) => [streamKeyOf(origin, stream, platform), stream]));
  const kept2 = /* @__PURE__ */ new Map();
  const lastIndexes = [];
  const { size } = stated;
  let keyBefore = "";
  let total = 0;
  for await (const some of lines)
    for (const line of some) {
      if (tree.size >= Math.min(stated.streams, maximumRecords))
        throw new Refusal(`there are more records than the ${stated.streams} that the statement counts`);
      const record = parseRecord(line);
      if (record.streamKey <= keyBefore) throw new Refusal("the records do not ascend by stream key");
      keyBefore = record.streamKey;
      if (record.count < 1 || record.lastIndex < record.count - 1 || record.lastIndex >= size)
        throw new Refusal(`a stream of ${record.count} events cannot end at ${record.lastIndex} of ${size}`);
      lastIndexes.push(record.lastIndex);
      const stream = keys.get(record.streamKey);
      if (stream !== void 0) kept2.set(stream, record);
      each(record);
      total += record.count;
      tree.appendLeaf(platform.leafHash(line));
    }
  if (tree.size === 0) throw new Refusal("there are no records");
  if (total !== size)
    throw new Refusal(`the counts sum to ${total}, but the statement is about ${size} events`);
  const sorted = Float64Array.from(lastIndexes).sort();
  const twice = sorted.find((index, at2) => at2 > 0 && index === sorted[at2 - 1]);
  if (twice !== void 0) throw new Refusal(`two streams end at ${twice}`);
  return { root: toBase64(tree.root()), streams: tree.size, recordOf: (stream) => kept2.get(stream) };
}
function parseRecord(line) {
  const record = parseCanonical(line, "a record");
  if (!isObject(record) || Object.keys(record).join() !== "count,lastIndex,lastLeafHash,streamKey")
    throw new Refusal("a record is not count, lastIndex, lastLeafHash and streamKey");
  const { lastLeafHash, streamKey } = record;
  const key = typeof streamKey === "string" ? fromBase64(streamKey) : void 0;
  if (typeof lastLeafHash !== "string" || fromBase64(lastLeafHash)?.length !== 32 || key?.length !== 32)
    throw new Refusal("a record has a hash that is not 32 bytes in base64");
  return {
    count: count(record.count, "count"),
    lastIndex: count(record.lastIndex, "lastIndex"),
    lastLeafHash,
    // Hexadecimal digits sort as the bytes do, base64 does not.
    streamKey: toHex(key)
  };
}

// src/lines.ts
var maximumLineLength = 4 << 20;
async function* linesOf(bytes, what) {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let rest = "";
  const decode = (chunk) => {
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
    } catch {
      throw new Refusal(`${what} is not valid UTF-8`);
    }
  };
  for await (const chunk of bytes) {
    const lines = (rest + decode(chunk)).split("\n");
    rest = lines.pop();
    if (rest.length > maximumLineLength)
      throw new Refusal(`${what} has a line of more than ${maximumLineLength} bytes`);
    if (lines.length > 0) yield lines;
  }
  if (rest + decode() !== "") throw new Refusal(`the last line of ${what} has no line feed`);
}
function piecesOf(bytes) {
  const iterator = bytes[Symbol.asyncIterator]();
  let held = new Uint8Array(0);
  let at2 = 0;
  let isEnded = false;
  async function fill(length) {
    while (!isEnded && held.length - at2 < length) {
      const next = await iterator.next();
      if (next.done) isEnded = true;
      else {
        const joined2 = new Uint8Array(held.length - at2 + next.value.length);
        joined2.set(held.subarray(at2));
        joined2.set(next.value, held.length - at2);
        held = joined2;
        at2 = 0;
      }
    }
  }
  return {
    get held() {
      return held.length - at2;
    },
    fill,
    take: (length) => {
      if (held.length - at2 < length) return void 0;
      at2 += length;
      return held.subarray(at2 - length, at2);
    },
    ahead: (piece) => {
      for (let place2 = at2; place2 + piece.length <= held.length; place2 += piece.length)
        if (equalBytes(held.subarray(place2, place2 + piece.length), piece)) return (place2 - at2) / piece.length;
      return void 0;
    },
    drain: async () => {
      let left = held.length - at2;
      at2 = held.length;
      for (; ; ) {
        const next = await iterator.next();
        if (next.done) return left;
        left += next.value.length;
      }
    }
  };
}

// src/streams.ts
var bulkCategories = ["reading", "derived", "forecast"];
var bulkStreams = (batchId) => bulkCategories.map((category) => `${category}-${batchId}`);
var isBulk = (stream, batchId) => bulkCategories.some((category) => stream === `${category}-${batchId}`);
function streamsOfBatch(batchId) {
  return /* @__PURE__ */ new Set([`batch-${batchId}`, ...bulkStreams(batchId)]);
}
var ledgerStreams = /* @__PURE__ */ new Set(["ledger-keys", "ledger-timestamps", "ledger-heads"]);
function followStreams(manifest) {
  const states = /* @__PURE__ */ new Map();
  const ofBatch = streamsOfBatch(manifest.batchId);
  const firsts = new Map(manifest.streams.map(({ stream, first }) => [stream, first]));
  return {
    states,
    apply: (entry) => {
      const { stream, revision, index, recordedAt } = entry;
      const event = { stream, revision, index };
      if (!ofBatch.has(stream) && !ledgerStreams.has(stream))
        return { event, message: `its stream is none of batch ${manifest.batchId}` };
      const hash2 = toBase64(entry.hash);
      const state = states.get(stream);
      if (!state) {
        const isSealed = entry.type === "StreamSealed";
        const begun = {
          stream,
          first: revision,
          firstRecordedAt: recordedAt,
          last: revision,
          events: 1,
          isSealed
        };
        states.set(stream, {
          ...begun,
          lastIndex: index,
          lastHash: hash2,
          lastRecordedAt: recordedAt
        });
        const stated = firsts.get(stream) ?? 0;
        if (revision !== stated && stream !== "ledger-heads")
          return {
            event: { stream, revision: stated },
            message: "the stream does not begin with it"
          };
        return sealObjection(entry, event);
      }
      const before = { ...state };
      state.last = revision;
      state.lastIndex = index;
      state.lastHash = hash2;
      state.lastButOneRecordedAt = before.lastRecordedAt;
      state.lastRecordedAt = recordedAt;
      state.events++;
      state.isSealed = entry.type === "StreamSealed";
      return placeObjection(entry, before, event) ?? sealObjection(entry, event);
    }
  };
}
function placeObjection(entry, before, event) {
  const { stream, revision } = entry;
  if (stream === "ledger-heads") return { event, message: "a second heads statement" };
  if (before.isSealed) return { event, message: "it stands after the seal of its stream" };
  if (revision > before.last + 1) {
    const missing = { stream, revision: before.last + 1 };
    const until = revision - 1 > missing.revision ? ` (and all up to revision ${revision - 1})` : "";
    return { event: missing, message: `it is missing${until}` };
  }
  if (revision <= before.last) return { event, message: `it stands after revision ${before.last}` };
  if (entry.prev !== before.lastHash)
    return {
      event: { stream, revision: before.last, index: before.lastIndex },
      message: `revision ${revision} names another event as the one before it`
    };
  return void 0;
}
function sealObjection(entry, event) {
  if (entry.type !== "StreamSealed" || entry.data?.count === entry.revision) return void 0;
  return { event, message: `the seal counts ${JSON.stringify(entry.data?.count)} events before it` };
}

// src/times.ts
var toleranceSeconds = 120;
var gravestSeconds = 3600;
function isInstant(text2) {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text2) || text2.startsWith("0000")) return false;
  const time2 = Date.parse(text2);
  return !Number.isNaN(time2) && new Date(time2).toISOString() === text2;
}
function timeBrackets(stamps) {
  for (const [at2, { index, size, stampedAt }] of stamps.entries()) {
    if (!isInstant(stampedAt)) throw new Refusal("the time of a time stamp is no instant");
    if (index <= (stamps[at2 - 1]?.index ?? -1))
      throw new Refusal("the time stamps are not in the order of the log");
    if (size > index) throw new Refusal("a time stamp is about a checkpoint later than itself");
  }
  const bySize = [...stamps].sort((a, b) => a.size - b.size);
  const earliest = [];
  for (let at2 = bySize.length - 1; at2 >= 0; at2--) {
    const own = bySize[at2]?.stampedAt ?? "";
    const after = earliest[at2 + 1];
    earliest[at2] = after !== void 0 && after < own ? after : own;
  }
  let covering = 0;
  let logged = 0;
  let newest;
  let last = "";
  return {
    objection: (index, recordedAt) => {
      if (recordedAt < last)
        return {
          message: `it was recorded at ${recordedAt}, before an earlier event of the log (${last})`,
          isDeviation: false
        };
      last = recordedAt;
      while (covering < bySize.length && (bySize[covering]?.size ?? 0) <= index) covering++;
      for (let stamp = stamps[logged]; stamp && stamp.index < index; stamp = stamps[++logged])
        if (newest === void 0 || stamp.stampedAt > newest) newest = stamp.stampedAt;
      const after = earliest[covering];
      const own = Date.parse(recordedAt);
      return after !== void 0 && objectionTo(
        own - Date.parse(after),
        `it says ${recordedAt}, but a checkpoint that covers it was stamped at ${after}`
      ) || newest !== void 0 && objectionTo(
        Date.parse(newest) - own,
        `it says ${recordedAt}, but it was logged after a time stamp of ${newest}`
      ) || void 0;
    }
  };
}
function objectionTo(offByMs, message) {
  if (offByMs <= 1e3 * toleranceSeconds) return void 0;
  return { message, isDeviation: offByMs <= 1e3 * gravestSeconds };
}

// src/request-end.ts
function endOf(stream, { request, batchId }) {
  const { scope, asOf, to } = request;
  if (!streamsOfBatch(batchId).has(stream)) return void 0;
  if (scope !== "range" || to === void 0 || !isBulk(stream, batchId)) return asOf;
  return asOf !== void 0 && asOf < to ? asOf : to;
}
function shownUntil({ streams, statement }, { heads }) {
  if (!heads || !statement) return void 0;
  const times = [...streams.states.values()].filter(({ stream, lastIndex }) => stream !== "ledger-heads" && lastIndex < heads.size).map(({ lastRecordedAt }) => lastRecordedAt);
  const { recordedUpTo } = statement.data;
  if (typeof recordedUpTo === "string" && isInstant(recordedUpTo) && recordedUpTo <= statement.recordedAt)
    times.push(recordedUpTo);
  if (statement.index === heads.size) times.push(statement.recordedAt);
  return times.sort().at(-1);
}

// src/completeness.ts
var headsMember = "heads.ndjson";
var besides = ["ledger-extracts", "ledger-findings"];
async function checkCompleteness(context, reading) {
  const { manifest, findings } = context;
  const { states } = reading.streams;
  const fail = (message, stream, revision, index) => findings.fail("completeness", message, {
    event: { stream, revision, ...index === void 0 ? {} : { index } }
  });
  const record = `batch-${manifest.batchId}`;
  if (!states.has(record)) fail("the whole stream is missing", record, 0);
  for (const state of states.values()) {
    const { stream, last, lastIndex } = state;
    if (stream === "ledger-heads") continue;
    if (state.first > 0 && !mayBeCut(state, manifest))
      fail("the stream does not begin at revision 0", stream, 0);
    if (manifest.heads && lastIndex >= manifest.heads.size)
      fail(
        `it stands at or after size ${manifest.heads.size}, which the statement is about`,
        stream,
        last,
        lastIndex
      );
  }
  if (!isProven(reading, context)) {
    if (!findings.has("completeness"))
      findings.skip("completeness", "not made, as the events are not proven to stand in the log");
    return void 0;
  }
  const heads = await readStatement(context, reading);
  if (heads) {
    for (const stream of expectedStreams(manifest)) {
      const objection = objectionTo2(stream, states.get(stream), heads, manifest);
      if (objection) fail(objection, stream, states.get(stream)?.last ?? 0, states.get(stream)?.lastIndex);
    }
    requireStatementsCounted(heads, reading, fail);
  }
  if (findings.has("completeness")) return heads;
  const unshown = heads && notShownBeyond(reading, manifest);
  if (unshown) findings.skip("completeness", unshown);
  else if (heads) findings.note("completeness", detail([...states.values()], heads, context, reading));
  else findings.skip("completeness", "no heads statement says which streams there are and where they end");
  return heads;
}
function notShownBeyond(reading, manifest) {
  const { request, heads } = manifest;
  const end = request.asOf ?? request.to;
  const until = shownUntil(reading, manifest);
  if (end === void 0 || until !== void 0 && end < until) return void 0;
  return `asked for up to ${end}, but the record is stated as of size ${heads?.size}, which reaches ${until === void 0 ? "no instant that the extract shows" : `to before ${until}`}: what was recorded from then on is not in it`;
}
function expectedStreams({ batchId, request }) {
  const bulk = request.scope === "signatures-only" ? [] : bulkStreams(batchId);
  return [`batch-${batchId}`, ...bulk, "ledger-keys", "ledger-timestamps"];
}
function objectionTo2(stream, state, heads, manifest) {
  const record = heads.recordOf(stream);
  if (!record) return state && "the heads statement knows no such stream";
  if (!state) return `the whole stream is missing: the log has ${record.count} events of it`;
  const { last, lastIndex, lastHash } = state;
  if (endsAfterRange(state, manifest))
    return last < record.count ? void 0 : `the heads statement counts ${record.count} events of its stream`;
  if (record.count > last + 1)
    return `what follows it is missing: the heads statement counts ${record.count} events of its stream`;
  if (record.count !== last + 1 || record.lastIndex !== lastIndex || record.lastLeafHash !== lastHash)
    return "the heads statement knows another end of its stream";
  return void 0;
}
function requireStatementsCounted(heads, { statement }, fail) {
  const stated = heads.recordOf("ledger-heads");
  if (!statement) return;
  const { revision, index, prev } = statement;
  const before = stated?.count ?? 0;
  if (before > revision || before === revision && stated && stated.lastLeafHash !== prev)
    fail("it counts other heads statements before it than the log has", "ledger-heads", revision, index);
}
function isProven({ root }, { checkpoint, findings }) {
  return root !== void 0 && equalBytes(root, checkpoint.root) && !findings.has("inclusion");
}
async function readStatement({ extract, manifest, findings, platform }, { statement }) {
  const fail = (message) => findings.fail("completeness", message, { member: headsMember });
  if (!manifest.heads) {
    if (extract.has(headsMember)) fail("the manifest names no heads statement");
    return void 0;
  }
  if (!extract.has(headsMember) || !statement) {
    fail("the heads statement that the manifest names is not in the extract");
    return void 0;
  }
  try {
    const { size, index } = manifest.heads;
    const { data } = statement;
    const stated = { size, streams: count(data.streams, "streams") };
    if (data.size !== String(size) || data.total !== String(size) || size > index)
      throw new Refusal("the statement in the log is about another size");
    const lines = linesOf(extract.bytes(headsMember), headsMember);
    const wanted = [...allOfBatch(manifest), ...besides];
    const list3 = await readHeads(lines, stated, manifest.origin, wanted, platform);
    if (data.root !== list3.root || list3.streams !== stated.streams)
      throw new Refusal("its records are not those of the statement in the log");
    return list3;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    fail(error.message);
    return void 0;
  }
}
var allOfBatch = ({ batchId }) => [
  `batch-${batchId}`,
  ...bulkStreams(batchId),
  "ledger-keys",
  "ledger-timestamps",
  "ledger-heads"
];
function endsAfterRange({ stream, lastRecordedAt }, manifest) {
  const end = endOf(stream, manifest);
  return end !== void 0 && lastRecordedAt > end;
}
function mayBeCut({ stream, firstRecordedAt }, { request, batchId }) {
  return request.scope === "range" && isBulk(stream, batchId) && request.from !== void 0 && firstRecordedAt < request.from;
}
function detail(states, heads, { manifest: { batchId, request, heads: named } }, { statement }) {
  const absent = ["batch", "reading", "derived", "forecast"].filter(
    (one) => !heads.recordOf(`${one}-${batchId}`)
  );
  const none = absent.length > 0 ? `; the log has no ${absent.join(", ")} of it` : "";
  const sealed = states.filter(({ isSealed }) => isSealed).map(({ stream }) => stream.replace(`-${batchId}`, ""));
  const bySeal = sealed.length > 0 ? `; sealed: ${sealed.join(", ")}` : "";
  const asOf = request.asOf === void 0 ? "" : ` as recorded up to ${request.asOf}`;
  const within = `${request.scope === "range" ? " within the range" : ""}${asOf}`;
  const counted = besides.map((stream) => `${heads.recordOf(stream)?.count ?? 0} of ${stream}`).join(", ");
  return `complete${within}, as of size ${named?.size}, stated at ${statement?.recordedAt}${none}${bySeal}; not in an extract: ${counted}`;
}

// src/deep-streams.ts
function followAll(examined, platform) {
  const heads = /* @__PURE__ */ new Map();
  return {
    apply: ({ stream, revision, prev, index, hash: hash2 }) => {
      const head = heads.get(stream);
      const count2 = head?.count ?? 0;
      const isNext = revision === String(count2) && prev === (head?.lastHash ?? null);
      const lastHash = toBase64(hash2);
      if (head) Object.assign(head, { count: count2 + 1, lastIndex: index, lastHash });
      else heads.set(stream, { count: 1, lastIndex: index, lastHash });
      return isNext ? void 0 : `it does not follow the ${count2} events before it in its stream`;
    },
    compare: async () => await compareHeads(heads, examined, platform)
  };
}
async function compareHeads(heads, { manifest, extract, reading }, platform) {
  if (!manifest.heads || !reading.statement || !extract.has(headsMember)) return [];
  const { size } = manifest.heads;
  const listed = /* @__PURE__ */ new Map();
  const lines = linesOf(extract.bytes(headsMember), headsMember);
  const stated = { size, streams: Number(reading.statement.data.streams) };
  try {
    await readHeads(
      lines,
      stated,
      manifest.origin,
      [],
      platform,
      (record) => listed.set(record.lastLeafHash, record)
    );
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [{ message: error.message }];
  }
  const { batchId } = manifest;
  const verifiable = /* @__PURE__ */ new Set([`batch-${batchId}`, ...bulkStreams(batchId)]);
  const found = [];
  for (const [stream, { count: count2, lastIndex, lastHash }] of heads) {
    const record = listed.get(lastHash);
    const isKey = !(verifiable.has(stream) || stream.startsWith("ledger-")) || record?.streamKey === streamKeyOf(manifest.origin, stream, platform);
    if (record?.count === count2 && record.lastIndex === lastIndex && isKey) continue;
    const event = { stream, revision: count2 - 1, index: lastIndex };
    found.push({
      message: `the log has ${count2} events of its stream, the heads statement says otherwise`,
      event
    });
  }
  if (listed.size !== heads.size)
    found.push({ message: `the log has ${heads.size} streams, the heads statement lists ${listed.size}` });
  return found;
}

// src/note.ts
var noteKeyType = 1;
var witnessKeyType = 4;
function parseKey(verifierKey, platform) {
  const [name = "", keyId = "", ...rest] = verifierKey.split("+");
  const bytes = fromBase64(rest.join("+"));
  if (!isKeyName(name) || !/^[0-9a-f]{8}$/.test(keyId) || !bytes || bytes.length !== 33)
    throw new Refusal(`"${verifierKey}" is no verifier key (<name>+<8 hex digits>+<base64>)`);
  const type = bytes[0];
  if (type !== noteKeyType && type !== witnessKeyType)
    throw new Refusal(`the key of ${name} has the unknown algorithm ${type}`);
  const id = toHex(platform.hash(concat(utf8(`${name}
`), bytes)).subarray(0, 4));
  if (id !== keyId) throw new Refusal(`the key id of ${name} is not the one of its key`);
  return { verifierKey, name, keyId, type, publicKey: bytes.subarray(1) };
}
function parseNote(bytes, what) {
  const whole = fromUtf8(bytes);
  if (whole === void 0 || /[\u0000-\u0009\u000b-\u001f]/.test(whole))
    throw new Refusal(`${what} is not plain UTF-8 text`);
  const split = whole.lastIndexOf("\n\n");
  if (split < 0 || !whole.endsWith("\n") || whole.length === split + 2)
    throw new Refusal(`${what} carries no signature`);
  const lines = whole.slice(split + 2, -1).split("\n");
  if (lines.length > 100) throw new Refusal(`${what} has more than 100 signatures`);
  const signatures2 = lines.map((line) => {
    const [, name = "", encoded = ""] = /^\u2014 (\S+) (\S+)$/u.exec(line) ?? [];
    const decoded = fromBase64(encoded);
    if (!isKeyName(name) || !decoded || decoded.length < 5)
      throw new Refusal(`${what} has a line among its signatures that is none`);
    return { name, keyId: toHex(decoded.subarray(0, 4)), bytes: decoded.subarray(4) };
  });
  return { text: whole.slice(0, split + 1), signatures: signatures2 };
}
async function signersOf(note, keys, what, platform) {
  const signers = [];
  for (const key of keys) {
    const signature = note.signatures.find((one) => one.name === key.name && one.keyId === key.keyId);
    if (!signature) continue;
    if (!await isSigned(note.text, signature.bytes, key, platform))
      throw new Refusal(`the signature of ${key.name} (${key.keyId}) on ${what} is wrong`);
    signers.push(key);
  }
  return signers;
}
async function isSigned(text2, signature, key, platform) {
  if (key.type === noteKeyType)
    return signature.length === 64 && await platform.verifyEd25519(key.publicKey, utf8(text2), signature);
  if (signature.length !== 72) return false;
  const time2 = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
  const message = utf8(`cosignature/v1
time ${time2}
${text2}`);
  return time2 < 1n << 63n && await platform.verifyEd25519(key.publicKey, message, signature.subarray(8));
}
function parseCheckpoint(text2) {
  const [origin = "", spelt3 = "", encoded = "", ...extensions] = text2.slice(0, -1).split("\n");
  const root = fromBase64(encoded);
  if (!isKeyName(origin) || !/^[1-9]\d{0,15}$/.test(spelt3) || root?.length !== 32 || extensions.includes(""))
    throw new Refusal("the checkpoint is not origin, size and root");
  const size = Number(spelt3);
  if (!Number.isSafeInteger(size)) throw new Refusal("the checkpoint is of an absurd size");
  return { origin, size, root };
}
function isKeyName(name) {
  return name !== "" && !/[\s+]/u.test(name);
}

// src/deep.ts
var width = 256;
var maximumBundleBytes = width * (65535 + 2);
async function keptCheckpoints(notes, keys, platform) {
  return await Promise.all(
    notes.map(async (bytes) => {
      const note = parseNote(bytes, "the kept checkpoint");
      const checkpoint = parseCheckpoint(note.text);
      const mine = keys.filter(({ name }) => name === checkpoint.origin);
      if ((await signersOf(note, mine, "the kept checkpoint", platform)).length === 0)
        throw new Refusal("no key that you gave signed the kept checkpoint");
      return checkpoint;
    })
  );
}
async function checkWholeLog(examined, fetchLog, kept2, platform) {
  const { manifest, checkpoint, reading, findings } = examined;
  const fail = (message, event) => findings.fail("deep", message, event ? { event } : {});
  const { size } = checkpoint;
  const wanted = /* @__PURE__ */ new Map();
  for (const one of [checkpoint, ...kept2]) {
    if (one.origin !== checkpoint.origin) fail(`a kept checkpoint is of ${one.origin}`);
    else if (one.size > size)
      fail(`a kept checkpoint is of size ${one.size}, larger than the extract's ${size}`);
    else wanted.set(one.size, [...wanted.get(one.size) ?? [], one]);
  }
  const bound = manifest.heads?.size ?? size;
  const streams = followAll(examined, platform);
  const tree = growingTree(platform);
  const ofBatch = streamsOfBatch(manifest.batchId);
  const seen = /* @__PURE__ */ new Map();
  try {
    for (let bundle = 0; bundle * width < size; bundle++) {
      const entries = await bundleOf(fetchLog, bundle, Math.min(width, size - bundle * width));
      for (const entry of entries) {
        const text2 = fromUtf8(entry);
        if (text2 === void 0) throw new Refusal(`entry ${tree.size} is not valid UTF-8`);
        const hash2 = platform.leafHash(text2);
        follow(text2, tree.size, hash2);
        tree.appendLeaf(hash2);
        if (tree.size === bound) for (const one of await streams.compare()) fail(one.message, one.event);
        for (const one of wanted.get(tree.size) ?? [])
          if (!equalBytes(tree.root(), one.root))
            fail(`the log has another root at size ${one.size} than the checkpoint that was signed`);
      }
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    fail(error.message);
    return;
  }
  compare();
  if (!findings.has("deep"))
    findings.note(
      "deep",
      `${size} entries read, ${kept2.length} kept checkpoints found again; every stream is a chain, counted as stated; the batch has no other event`
    );
  function follow(text2, index, hash2) {
    const leaf = parseJson(text2, `entry ${index}`);
    if (!isObject(leaf)) throw new Refusal(`entry ${index} is no object`);
    const { stream, revision, prev } = leaf;
    if (typeof stream !== "string" || typeof revision !== "string" || prev !== null && typeof prev !== "string")
      throw new Refusal(`entry ${index} names no stream and revision`);
    const objection = streams.apply({ stream, revision, prev, index, hash: hash2 });
    if (objection) fail(objection, { stream, revision: Number(revision), index });
    const { recordedUpTo } = reading.statement?.data ?? {};
    if (index === bound - 1 && recordedUpTo !== void 0 && leaf.recordedAt !== recordedUpTo)
      fail(`the heads statement says that it was recorded at ${JSON.stringify(recordedUpTo)}`, {
        ...{ stream, revision: Number(revision), index }
      });
    if (index < bound && ofBatch.has(stream)) count2(stream, Number(revision), index);
  }
  function count2(stream, revision, index) {
    seen.set(stream, (seen.get(stream) ?? 0) + 1);
    const state = reading.streams.states.get(stream);
    const { scope, asOf } = manifest.request;
    const isLeftOut = scope === "range" || asOf !== void 0 || manifest.omitted.includes(stream);
    if (isLeftOut || state && revision <= state.last) return;
    fail("the log has it, the extract has not", { stream, revision, index });
  }
  function compare() {
    if (manifest.request.scope === "range" || manifest.request.asOf !== void 0) return;
    for (const [stream, state] of reading.streams.states)
      if (ofBatch.has(stream) && seen.get(stream) !== state.events)
        fail(`the log has ${seen.get(stream) ?? 0} events of its stream, the extract ${state.events}`, {
          stream,
          revision: state.last
        });
  }
}
async function bundleOf(fetchLog, bundle, needed) {
  const path = `tile/entries/${spelt(bundle)}`;
  const bytes = (needed < width ? await fetchLog(`${path}.p/${needed}`) : void 0) ?? await fetchLog(path);
  if (!bytes) throw new Refusal(`the log has no ${path}`);
  if (bytes.length > maximumBundleBytes) throw new Refusal(`${path} is too large`);
  const entries = [];
  for (let at2 = 0; entries.length < needed; ) {
    if (at2 + 2 > bytes.length) throw new Refusal(`${path} holds too few entries`);
    const length = bytes[at2] << 8 | bytes[at2 + 1];
    at2 += 2;
    if (at2 + length > bytes.length) throw new Refusal(`${path} is cut off`);
    entries.push(bytes.subarray(at2, at2 + length));
    at2 += length;
  }
  return entries;
}
function spelt(index) {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/\d{3}/g) ?? [];
  return groups.map((group, at2) => at2 < groups.length - 1 ? `x${group}` : group).join("/");
}

// src/platform-node.ts
import * as crypto from "node:crypto";
import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import * as zlib from "node:zlib";

// src/crc32.ts
var tables = makeTables();
function crc32(bytes, before) {
  const [first, second, third, fourth] = tables;
  let crc = ~before;
  let at2 = 0;
  for (const end = bytes.length - 3; at2 < end; at2 += 4) {
    crc ^= bytes[at2] | bytes[at2 + 1] << 8 | bytes[at2 + 2] << 16 | bytes[at2 + 3] << 24;
    crc = fourth[crc & 255] ^ third[crc >>> 8 & 255] ^ second[crc >>> 16 & 255] ^ first[crc >>> 24 & 255];
  }
  for (; at2 < bytes.length; at2++) crc = first[(crc ^ bytes[at2]) & 255] ^ crc >>> 8;
  return ~crc >>> 0;
}
function makeTables() {
  const [first, ...more] = Array.from({ length: 4 }, () => new Uint32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 3988292384 ^ crc >>> 1 : crc >>> 1;
    first[byte] = crc;
  }
  let before = first;
  for (const table of more) {
    for (let byte = 0; byte < 256; byte++) table[byte] = before[byte] >>> 8 ^ first[before[byte] & 255];
    before = table;
  }
  return [first, ...more];
}

// src/signature-algorithms.ts
var hashes = {
  "608648016503040201": "SHA-256",
  "608648016503040202": "SHA-384",
  "608648016503040203": "SHA-512"
};
var signatures = {
  "2a864886f70d01010b": { kind: "RSA", hash: "SHA-256" },
  "2a864886f70d01010c": { kind: "RSA", hash: "SHA-384" },
  "2a864886f70d01010d": { kind: "RSA", hash: "SHA-512" },
  "2a8648ce3d040302": { kind: "ECDSA", hash: "SHA-256" },
  "2a8648ce3d040303": { kind: "ECDSA", hash: "SHA-384" },
  "2a8648ce3d040304": { kind: "ECDSA", hash: "SHA-512" }
};
var rsaEncryption = "2a864886f70d010101";
var ecPublicKey = "2a8648ce3d0201";
var curves = {
  "2a8648ce3d030107": "P-256",
  "2b81040022": "P-384"
};
var [shortestModulus, longestModulus] = [2048 / 8, 8192 / 8];
function withDigest(algorithm2, digest) {
  if (algorithm2 !== rsaEncryption) return algorithm2;
  const [found] = Object.entries(signatures).find(([, { kind, hash: hash2 }]) => kind === "RSA" && hash2 === digest) ?? [];
  return found ?? algorithm2;
}
function signatureKind(algorithm2) {
  const known = signatures[algorithm2];
  if (!known) throw new Refusal(`its signature is of the unknown algorithm ${algorithm2}`);
  return known;
}
function publicKind(spki2) {
  const parts = inside(elements(spki2), 0, tags.sequence);
  const identifier = inside(parts, 0, tags.sequence);
  const kind = oid(identifier, 0);
  if (kind === ecPublicKey) {
    const curve = curves[oid(identifier, 1)];
    if (!curve) throw new Refusal("its key is on an unknown curve");
    return { kind: "ECDSA", curve };
  }
  if (kind !== rsaEncryption) throw new Refusal("its key is of an unknown algorithm");
  const bits = at(parts, 1, tags.bits).bytes.subarray(1);
  const modulus = at(inside(elements(bits), 0, tags.sequence), 0, tags.integer).bytes;
  const length = modulus.length - (modulus[0] === 0 ? 1 : 0);
  if (length < shortestModulus || length > longestModulus)
    throw new Refusal("its RSA key has fewer than 2048 bits, or more than 8192");
  return { kind: "RSA" };
}
function sideBySide(signature, curve) {
  const length = curve === "P-256" ? 32 : 48;
  const numbers = inside(elements(signature), 0, tags.sequence);
  const whole = new Uint8Array(2 * length);
  for (const place2 of [0, 1]) {
    const digits = at(numbers, place2, tags.integer).bytes;
    const plain2 = digits[0] === 0 ? digits.subarray(1) : digits;
    if (plain2.length > length || toHex(digits) === "") return void 0;
    whole.set(plain2, (place2 + 1) * length - plain2.length);
  }
  return whole;
}

// src/platform-node.ts
var spki = Buffer.from("302a300506032b6570032100", "hex");
function once(bytes) {
  return typeof crypto.hash === "function" ? crypto.hash("sha256", bytes, "buffer") : crypto.createHash("sha256").update(bytes).digest();
}
var nodePlatform = {
  sha256: () => {
    const hash2 = crypto.createHash("sha256");
    return { update: (bytes) => void hash2.update(bytes), digest: () => hash2.digest() };
  },
  hash: once,
  leafHash: (text2) => once(`\0${text2}`),
  crc32: typeof zlib.crc32 === "function" ? (bytes, before) => zlib.crc32(bytes, before) : crc32,
  inflate,
  digest: async (hash2, bytes) => crypto.createHash(hash2.replace("-", "").toLowerCase()).update(bytes).digest(),
  verifySignature: async (spki2, algorithm2, message, signature) => {
    const { kind, hash: hash2 } = signatureKind(algorithm2);
    const own = publicKind(spki2);
    if (own.kind !== kind) return false;
    const given = own.kind === "ECDSA" ? sideBySide(signature, own.curve) : signature;
    if (!given) return false;
    try {
      const key = crypto.createPublicKey({ key: Buffer.from(spki2), format: "der", type: "spki" });
      return crypto.verify(hash2.replace("-", ""), message, { key, dsaEncoding: "ieee-p1363" }, given);
    } catch {
      return false;
    }
  },
  verifyEd25519: async (publicKey, message, signature) => crypto.verify(
    null,
    message,
    crypto.createPublicKey({ key: Buffer.concat([spki, publicKey]), format: "der", type: "spki" }),
    signature
  )
};
async function* inflate(compressed) {
  let given = 0;
  async function* counted() {
    for await (const chunk of compressed) {
      given += chunk.length;
      yield chunk;
    }
  }
  const inflater = zlib.createInflateRaw({ chunkSize: 1 << 18 });
  const input = Readable.from(counted(), { objectMode: false });
  input.on("error", (error) => inflater.destroy(error));
  input.pipe(inflater);
  try {
    yield* inflater;
    if (inflater.bytesWritten !== given) throw new Error("bytes after the end of the deflate stream");
  } finally {
    input.destroy();
    inflater.destroy();
  }
}
async function openFile(path) {
  const file = await open(path, "r");
  const { size } = await file.stat();
  return {
    size,
    read: async (offset, length) => {
      const bytes = Buffer.allocUnsafe(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
        if (bytesRead === 0) throw new Error("the file ended early");
        filled += bytesRead;
      }
      return bytes;
    },
    close: () => file.close()
  };
}

// src/sentences.ts
var textOf2 = (value) => typeof value === "string" ? value : canonical(value ?? null);
var text = textOf2;
var numberOf = (value) => typeof value === "number" ? value : Number.NaN;
var list2 = (value) => Array.isArray(value) ? value.filter(isObject) : [];
var sentences = {
  BatchCreated: (d, who) => `${who} created batch ${text(d.number)}${numberOf(d.attempt) > 1 ? ` (attempt ${text(d.attempt)})` : ""} of campaign ${text(d.campaign)}, phase ${text(d.phase)}, on vessel ${text(d.vessel)}`,
  BatchInoculated: (d, who) => `${who} inoculated the batch (T = 0)${d.inoculumOd600 ? `, inoculum OD600 ${text(d.inoculumOd600)}` : ""}`,
  SampleTaken: (d, who) => `${who} recorded sample ${text(d.sampleNumber)} at ${text(d.timepointHours)} h: OD600 ${text(d.od600)} (${text(d.od600Raw)} × ${text(d.dilutionFactor)})${d.contaminationDetected === true ? ", CONTAMINATION seen" : ""}`,
  BatchClosed: (d, who) => `${who} closed the batch as complete after ${text(d.totalRuntimeHours)} h, final OD600 ${text(d.finalOd600)}, approved by ${text(d.approvedBy)}`,
  BatchAborted: (d, who, reason) => `${who} aborted the batch (${text(d.outcome)})${reason ? `: ${text(reason.text)}` : ""}`,
  SensorReadingRecorded: (d) => `${text(d.tag)} of ${text(d.vessel)} read ${text(d.value)} ${text(d.unit)} (${text(d.quality)})`,
  ReadingQuarantined: (d) => `a message on ${text(d.topic)} was quarantined: ${text(d.rule)} (${text(d.reason)})`,
  SensorGapDetected: (d) => `${text(d.tag)} of ${text(d.vessel)} fell silent after ${text(d.lastReadingAt)}`,
  SensorGapClosed: (d) => `${text(d.tag)} of ${text(d.vessel)} came back: ${text(d.missing)} readings missing from ${text(d.from)} to ${text(d.to)}`,
  SourceClockStepped: (d) => `the clock behind ${text(d.topic)} stepped by ${text(d.stepSeconds)} s`,
  AlarmRaised: (d) => `${text(d.level)} alarm ${text(d.name)}: ${text(d.message)}`,
  IngressStated: (d) => `${list2(d.sources).reduce((sum, source) => sum + numberOf(source.received), 0)} readings had arrived from ${list2(d.sources).length} sources`,
  StreamSealed: (d) => `the stream was sealed after ${text(d.count)} events`,
  ProcessWindowDerived: (d) => `process values of ${text(d.vessel)} were derived for the 30 s up to ${isObject(d.window) ? text(d.window.to) : ""}`,
  OdForecastIssued: (d) => {
    const half = list2(d.horizons).find((one) => one.horizon === "PT30M") ?? list2(d.horizons)[0] ?? {};
    const [p5, p50, p95] = [half.p5, half.p50, half.p95].map((value) => numberOf(value).toFixed(2));
    return `${text(d.modelId)} ${text(d.modelVersion)} forecast OD600 ${p50} (90 % interval ${p5} to ${p95}) ${text(half.horizon).slice(2).toLowerCase()} ahead for ${text(d.vessel)}`;
  },
  ForecastWithheld: (d) => `${text(d.modelId)} ${text(d.modelVersion)} withheld its forecast for ${text(d.vessel)}: ${text(d.detail)} (${text(d.reason)})`,
  ForecastScored: (d) => {
    const half = list2(d.scores).find((one) => one.horizon === "PT30M") ?? list2(d.scores)[0] ?? {};
    return `offline OD600 ${text(d.measured)} met the forecast ${numberOf(half.p50).toFixed(2)} of ${text(half.issuedAt)} (${text(half.horizon)}): ${(100 * numberOf(half.relativeError)).toFixed(1)} % off`;
  }
};
function sentenceOf(type, data, who, reason) {
  const sentence = sentences[type];
  return sentence ? sentence(data, who, reason) : `${who}: ${type}`;
}

// src/approvals.ts
var approvingTypes = ["BatchInoculated", "BatchClosed", "BatchAborted"];
function approvalsOf(told) {
  const { type, data, who, stream, revision, index, recordedAt: at2 } = told;
  if (!data) return { approvals: [] };
  const approval = (by, meaning) => ({
    who: textOf2(by),
    meaning,
    at: at2,
    stream,
    revision,
    index
  });
  if (type === "BatchInoculated") {
    const go = approval(who, "gave the go for inoculation");
    if (!isObject(data.override)) return { approvals: [go] };
    const { approvedBy } = data.override;
    return {
      approvals: [go, approval(approvedBy, "approved the override of the inoculation gate")],
      ...approvedBy === who ? { objection: `${who} both entered and approved the override` } : {}
    };
  }
  if (type === "BatchClosed") {
    const by = data.closedBy ?? who;
    return {
      approvals: [approval(by, "closed the batch"), approval(data.approvedBy, "approved the closure")],
      ...data.approvedBy === by || data.approvedBy === who ? { objection: `${textOf2(data.approvedBy)} both closed the batch and approved the closure` } : {}
    };
  }
  if (type === "BatchAborted") return { approvals: [approval(who, "aborted the batch")] };
  return { approvals: [] };
}

// src/csv.ts
var columns = "at,tag,value,unit,quality,flags,vessel,receivedAt,recordedAt,origin,stream,revision,index,id";
var readingType = "SensorReadingRecorded";
var flushLength = 1 << 16;
function readingsTable(platform) {
  const hasher = platform.sha256();
  let rows2 = 0;
  let size = 0;
  let text2 = `${columns}\r
`;
  function flush() {
    const bytes = utf8(text2);
    hasher.update(bytes);
    size += bytes.length;
    text2 = "";
  }
  return {
    add: (entry, data) => {
      rows2++;
      text2 += row(entry.leaf, data, entry.index);
      if (text2.length > flushLength) flush();
    },
    finish: () => {
      flush();
      return { rows: rows2, size, sha256: toHex(hasher.digest()) };
    }
  };
}
function unlikeReading(data) {
  const { flags = [] } = data;
  for (const key of ["tag", "unit", "quality", "vessel"])
    if (typeof data[key] !== "string") return `the ${key} of the reading is no text`;
  if (typeof data.value !== "number") return "the value of the reading is no number";
  if (!Array.isArray(flags) || flags.some((flag) => typeof flag !== "string"))
    return "the flags of the reading are no texts";
  return void 0;
}
function row(leaf, data, index) {
  const flags = Array.isArray(data.flags) ? data.flags.join(" ") : "";
  const texts = [leaf.occurredAt, data.tag].map(cell).join(",");
  const rest = [data.unit, data.quality, flags, data.vessel, leaf.receivedAt, leaf.recordedAt, leaf.origin].concat([leaf.stream, leaf.revision, String(index), leaf.id]).map(cell).join(",");
  return `${texts},${JSON.stringify(data.value)},${rest}\r
`;
}
function cell(value) {
  const text2 = typeof value === "string" ? value : isObject(value) ? "" : String(value ?? "");
  if (/^[A-Za-z0-9][A-Za-z0-9 .:_%/-]*$/.test(text2)) return text2;
  const safe = /^[=+\-@\t\r]/.test(text2) ? `'${text2}` : text2;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

// src/keys.ts
function keyHistory() {
  const keys = /* @__PURE__ */ new Map();
  function objection(verifierKey, purpose, size) {
    const key = keys.get(verifierKey);
    const id = verifierKey.split("+")[1] ?? verifierKey;
    if (!key || key.purpose !== purpose) return `the log's key history has no ${purpose} key ${id}`;
    if (key.firstBad !== void 0 && size >= key.firstBad)
      return `the ${purpose} key ${id} was revoked from size ${key.firstBad} on`;
    if (key.last !== void 0 && size > key.last)
      return `the ${purpose} key ${id} was retired at size ${key.last}`;
    return size < key.from ? `the ${purpose} key ${id} holds only from size ${key.from} on` : void 0;
  }
  function known(data) {
    const key = keys.get(String(data.verifierKey));
    if (!key || key.purpose !== data.purpose) throw new Refusal("it speaks of a key that was never added");
    return key;
  }
  function lower(key, field, size) {
    key[field] = Math.min(key[field] ?? size, size);
  }
  return {
    get count() {
      return keys.size;
    },
    apply: (type, data, index) => {
      if (type === "LedgerKeyAdded") {
        if (typeof data.verifierKey !== "string" || typeof data.purpose !== "string" || keys.has(data.verifierKey))
          throw new Refusal("it adds no new key");
        keys.set(data.verifierKey, { purpose: data.purpose, index, from: count(data.fromSize, "fromSize") });
      } else if (type === "LedgerKeyRetired") lower(known(data), "last", count(data.lastSize, "lastSize"));
      else if (type === "LedgerKeyRevoked")
        lower(known(data), "firstBad", count(data.firstBadSize, "firstBadSize"));
      else throw new Refusal(`${type} is no event of a key`);
    },
    objection,
    has: (verifierKey) => keys.has(verifierKey),
    logKeysAddedBefore: (size) => [...keys].filter(([, key]) => key.purpose === "log" && key.index < size).map(([key]) => key),
    holding: (purpose, size) => [...keys.keys()].filter((verifierKey) => objection(verifierKey, purpose, size) === void 0)
  };
}

// src/leaf.ts
var maximumLeafBytes = 65535;
var decimal = /^(0|[1-9]\d{0,15})$/;
var base64Of32 = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;
var uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
var streamName = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$/;
var always = [
  "actor",
  "id",
  "ledger",
  "occurredAt",
  "origin",
  "prev",
  "receivedAt",
  "recordedAt",
  "revision"
].concat(["schemaVersion", "site", "stream", "type", "v"]);
var allowed = /* @__PURE__ */ new Set([...always, "causationId", "correlationId", "data", "payload", "reason", "source"]);
function placeOf(line) {
  const beginning = line.slice(0, 2 * maximumLeafBytes);
  const [, index] = /^\{"index":"(\d{1,15})"/.exec(beginning) ?? [];
  const at2 = beginning.lastIndexOf('"revision":"', lastLeafField(beginning));
  const [, revision] = /^"revision":"(\d{1,15})"/.exec(beginning.slice(at2, at2 + 30)) ?? [];
  const streamAt = at2 < 0 ? -1 : beginning.indexOf('"stream":"', at2);
  const [, stream] = /^"stream":"([^"]{1,200})"/.exec(beginning.slice(streamAt, streamAt + 220)) ?? [];
  if (revision === void 0 || stream === void 0) return void 0;
  return { stream, revision: Number(revision), ...index === void 0 ? {} : { index: Number(index) } };
}
function lastLeafField(text2) {
  const beside = text2.indexOf('},"payload":');
  return beside < 0 ? text2.length : beside;
}
function parseLine(line, origin, platform) {
  const whole = parseJson(line, "the line");
  if (!isObject(whole) || !isObject(whole.leaf) || typeof whole.index !== "string")
    throw new Refusal("the line is not index and leaf");
  const { index, leaf, payload, salt } = whole;
  const { leafText, payloadText } = textsOf(line, whole, index, leaf);
  if (!decimal.test(index)) throw new Refusal("its index is no decimal number");
  requireFields(leaf, origin);
  if (leafText.length * 3 > maximumLeafBytes && utf8(leafText).length > maximumLeafBytes)
    throw new Refusal(`the leaf is longer than ${maximumLeafBytes} bytes`);
  const place2 = { index: Number(index), revision: Number(leaf.revision) };
  if (!Number.isSafeInteger(place2.index) || !Number.isSafeInteger(place2.revision))
    throw new Refusal("its index or revision is absurd");
  const held = payloadOf(leaf, payload, payloadText, salt, platform);
  return {
    ...place2,
    leaf,
    hash: platform.leafHash(leafText),
    stream: leaf.stream,
    type: leaf.type,
    recordedAt: leaf.recordedAt,
    prev: leaf.prev,
    ...held
  };
}
function textsOf(line, whole, index, leaf) {
  const { payload, salt } = whole;
  const start = `{"index":"${index}","leaf":`;
  if (payload === void 0 && salt === void 0 && Object.keys(whole).length === 2) {
    if (isPlainlyCanonical(whole, line))
      return { leafText: line.slice(start.length, -1), payloadText: void 0 };
  }
  const leafText = canonical(leaf);
  const payloadText = payload === void 0 ? void 0 : canonical(payload);
  const beside = payloadText === void 0 ? "" : `,"payload":${payloadText}`;
  const salted = salt === void 0 ? "" : `,"salt":${canonical(salt)}`;
  if (`${start}${leafText}${beside}${salted}}` !== line)
    throw new Refusal("the line is not the canonical spelling (RFC 8785) of what it says");
  return { leafText, payloadText };
}
function requireFields(leaf, origin) {
  for (const key of Object.keys(leaf))
    if (!allowed.has(key)) throw new Refusal(`the leaf has the unknown field ${key}`);
  for (const key of always) if (!(key in leaf)) throw new Refusal(`the leaf has no ${key}`);
  if (leaf.v !== 1) throw new Refusal(`the leaf has the unknown version ${JSON.stringify(leaf.v)}`);
  if (leaf.ledger !== origin) throw new Refusal(`it belongs to the ledger ${JSON.stringify(leaf.ledger)}`);
  requireText(leaf, "stream", streamName);
  requireText(leaf, "revision", decimal);
  requireText(leaf, "type", /^[A-Z][A-Za-z0-9]{0,99}$/);
  requireText(leaf, "id", uuid);
  for (const key of ["occurredAt", "receivedAt", "recordedAt"]) requireInstant(leaf, key);
  if (leaf.prev !== null) requireText(leaf, "prev", base64Of32);
  if (leaf.prev === null !== (leaf.revision === "0"))
    throw new Refusal("prev is null at revision 0 and only there");
  if (leaf.origin !== "live" && leaf.origin !== "simulated" && leaf.origin !== "replayed")
    throw new Refusal("its origin is neither live, simulated nor replayed");
  if (!Number.isSafeInteger(leaf.schemaVersion)) throw new Refusal("its schemaVersion is no whole number");
  const { actor } = leaf;
  if (!isObject(actor) || typeof actor.id !== "string" || typeof actor.role !== "string")
    throw new Refusal("its actor has no id and role");
}
function payloadOf(leaf, payload, payloadText, salt, platform) {
  const { payload: digest } = leaf;
  if (digest === void 0) {
    if (!isObject(leaf.data)) throw new Refusal("the leaf has neither data nor a digest");
    if (payload !== void 0 || salt !== void 0)
      throw new Refusal("a payload stands beside a leaf that has its own");
    return { payload: "in the leaf", data: leaf.data, reason: objectOrNothing(leaf.reason, "reason") };
  }
  if (leaf.data !== void 0 || leaf.reason !== void 0)
    throw new Refusal("the leaf has data and a digest of them");
  if (!isObject(digest) || Object.keys(digest).some((key) => !["alg", "hash", "salted", "size"].includes(key)))
    throw new Refusal("the digest of the payload has an unknown field");
  if (digest.alg !== "sha256")
    throw new Refusal(`the digest has the unknown algorithm ${JSON.stringify(digest.alg)}`);
  requireText(digest, "hash", base64Of32);
  requireText(digest, "size", decimal);
  if (digest.salted !== void 0 && digest.salted !== false) throw new Refusal("salted is false or absent");
  if (payload === void 0 || payloadText === void 0) {
    if (salt !== void 0) throw new Refusal("a salt without its payload", true);
    return { payload: "left out", data: void 0, reason: void 0 };
  }
  requireDigest(digest, payloadText, salt, platform);
  if (!isObject(payload) || !isObject(payload.data) || Object.keys(payload).some((key) => key !== "data" && key !== "reason"))
    throw new Refusal("the payload is not data and reason", true);
  return { payload: "beside the leaf", data: payload.data, reason: objectOrNothing(payload.reason, "reason") };
}
function requireDigest(digest, payloadText, salt, platform) {
  const isSalted = digest.salted !== false;
  const saltBytes = typeof salt === "string" ? fromBase64(salt) : void 0;
  if (isSalted && saltBytes?.length !== 32) throw new Refusal("the payload has no salt of 32 bytes", true);
  if (!isSalted && salt !== void 0) throw new Refusal("a salt stands beside an unsalted payload", true);
  const bytes = utf8(payloadText);
  const hasher = platform.sha256();
  hasher.update(utf8(isSalted ? "bioprocess-ledger/payload/v1\n" : "bioprocess-ledger/unsalted-payload/v1\n"));
  if (saltBytes && isSalted) hasher.update(saltBytes);
  hasher.update(bytes);
  const stated = fromBase64(digest.hash);
  const found = hasher.digest();
  if (String(bytes.length) !== digest.size || stated.some((byte, at2) => byte !== found[at2]))
    throw new Refusal("its payload is not the one whose digest is in the log", true);
}
function objectOrNothing(value, what) {
  if (value === void 0 || isObject(value)) return value;
  throw new Refusal(`its ${what} is no object`);
}
function requireText(object2, key, pattern) {
  const value = object2[key];
  if (typeof value !== "string" || !pattern.test(value))
    throw new Refusal(`its ${key} is not as the format says`);
}
function requireInstant(leaf, key) {
  const value = leaf[key];
  if (typeof value !== "string" || !isInstant(value)) throw new Refusal(`its ${key} is no instant`);
}

// src/report-facts.ts
var maximumStory = 5e3;
var maximumStoryLength = 2e6;
var maximumSentence = 4e3;
var maximumApprovals = 1e3;
var maximumTags = 1e3;
var maximumTypes = 1e3;
var otherTypes = "other types";
var quietTypes = /* @__PURE__ */ new Set(["ProcessWindowDerived", "OdForecastIssued", "ForecastWithheld", "IngressStated"]);
var isReading = (type, stream) => type === readingType && stream.startsWith("reading-");
function collectFacts(batchId, asOf) {
  const story = [];
  const approvals = [];
  const tags2 = /* @__PURE__ */ new Map();
  const counts = /* @__PURE__ */ new Map();
  const origins = /* @__PURE__ */ new Set();
  let [storyLeftOut, storyLength, approvalCount, readingsLeftOut] = [0, 0, 0, 0];
  const isLater = (recordedAt) => asOf !== void 0 && recordedAt > asOf;
  function count2(type) {
    const counted = counts.size < maximumTypes || counts.has(type) ? type : otherTypes;
    counts.set(counted, (counts.get(counted) ?? 0) + 1);
  }
  function tell(told) {
    const { occurredAt: at2, stream, revision, index } = told;
    const sentence = told.data ? sentenceOf(told.type, told.data, told.who, told.reason) : `${told.who}: ${told.type} (payload not in this extract)`;
    const short = bounded(sentence, `${told.type}: too long to be told, read the event`);
    if (story.length >= maximumStory || storyLength + short.length > maximumStoryLength) {
      storyLeftOut++;
      return;
    }
    storyLength += short.length;
    story.push({ at: at2, stream, revision, index, sentence: short });
  }
  return {
    addReading: ({ type, occurredAt, recordedAt, origin }, { tag, unit, value, quality }) => {
      count2(type);
      origins.add(origin);
      if (isLater(recordedAt)) return;
      const key = `${tag.length} ${tag}${unit}`;
      let figures = tags2.get(key);
      if (!figures) {
        if (tags2.size >= maximumTags) {
          readingsLeftOut++;
          return;
        }
        figures = { tag, unit, count: 0, bad: 0, from: occurredAt, to: occurredAt, min: value, max: value };
        tags2.set(key, figures);
      }
      figures.count++;
      if (quality === "bad") figures.bad++;
      if (occurredAt < figures.from) figures.from = occurredAt;
      if (occurredAt > figures.to) figures.to = occurredAt;
      if (value < figures.min) figures.min = value;
      if (value > figures.max) figures.max = value;
    },
    add: (told) => {
      count2(told.type);
      if (!told.stream.endsWith(`-${batchId}`)) return;
      origins.add(told.origin);
      if (isLater(told.recordedAt)) return;
      if (told.stream === `batch-${batchId}`) {
        const given = approvalsOf(told).approvals;
        approvalCount += given.length;
        for (const one of given)
          if (approvals.length < maximumApprovals)
            approvals.push({ ...one, who: bounded(one.who, "too long to be told, read the event") });
      }
      if (!quietTypes.has(told.type)) tell(told);
    },
    finish: () => ({
      story,
      storyLeftOut,
      approvals,
      approvalCount,
      tags: [...tags2.values()],
      readingsLeftOut,
      counts,
      origins
    })
  };
}
var bounded = (text2, instead) => text2.length > maximumSentence ? instead : text2;

// src/thrift.ts
var types = { i32: 5, i64: 6, binary: 8, list: 9, struct: 12 };
function thriftStruct(fill) {
  const out = [];
  into(out, fill);
  return Uint8Array.from(out);
}
function into(out, fill) {
  let last = 0;
  function field(id, type) {
    out.push(id - last << 4 | type);
    last = id;
  }
  function list3(id, size, type) {
    field(id, types.list);
    if (size < 15) out.push(size << 4 | type);
    else {
      out.push(240 | type);
      varint(out, size);
    }
  }
  fill({
    i32: (id, value) => {
      field(id, types.i32);
      varint(out, 2 * value);
    },
    i64: (id, value) => {
      field(id, types.i64);
      varint(out, 2 * value);
    },
    text: (id, text2) => {
      field(id, types.binary);
      binary(out, text2);
    },
    struct: (id, fillInner) => {
      field(id, types.struct);
      into(out, fillInner);
    },
    structs: (id, items, fillInner) => {
      list3(id, items.length, types.struct);
      for (const [at2, item] of items.entries()) into(out, (inner) => fillInner(inner, item, at2));
    },
    i32s: (id, values2) => {
      list3(id, values2.length, types.i32);
      for (const value of values2) varint(out, 2 * value);
    },
    texts: (id, texts) => {
      list3(id, texts.length, types.binary);
      for (const text2 of texts) binary(out, text2);
    }
  });
  out.push(0);
}
function binary(out, text2) {
  const bytes = utf8(text2);
  varint(out, bytes.length);
  for (const byte of bytes) out.push(byte);
}
function varint(out, value) {
  let left = value;
  while (left >= 128) {
    out.push(left % 128 | 128);
    left = Math.floor(left / 128);
  }
  out.push(left);
}

// src/parquet.ts
var columns2 = [
  ["at", "time"],
  ["receivedAt", "time"],
  ["recordedAt", "time"],
  ["value", "number"],
  ["tag", "text"],
  ["unit", "text"],
  ["quality", "text"],
  ["flags", "text"],
  ["vessel", "text"],
  ["origin", "text"],
  ["stream", "text"],
  ["id", "text"],
  ["revision", "integer"],
  ["index", "integer"]
];
var physical = { time: 2, integer: 2, number: 5, text: 6 };
var converted = {
  time: 9,
  text: 0,
  number: void 0,
  integer: void 0
};
var [required, plain, rle, uncompressed, dataPage] = [0, 0, 3, 0, 0];
var createdBy = "bioprocess-ledger";
var magic = utf8("PAR1");
var mostRows = 5e4;
var mostBytes = 16 << 20;
function parquetTable(write) {
  const pages = columns2.map(() => growingBytes());
  const groups = [];
  let offset = 0;
  let rows2 = 0;
  let total = 0;
  emit(magic);
  function emit(bytes) {
    write(bytes);
    offset += bytes.length;
  }
  function endGroup() {
    if (rows2 === 0) return;
    const chunks = pages.map((page) => {
      const start = offset;
      emit(pageHeader(page.length, rows2));
      emit(page.take());
      return { offset: start, length: offset - start, values: rows2 };
    });
    groups.push({ chunks, rows: rows2, bytes: chunks.reduce((sum, { length }) => sum + length, 0) });
    total += rows2;
    rows2 = 0;
  }
  return {
    add: (row2) => {
      let held = 0;
      for (let at2 = 0; at2 < columns2.length; at2++) {
        const [name, kind] = columns2[at2];
        const page = pages[at2];
        const value = row2[name];
        if (kind === "text") page.text(value);
        else if (kind === "number") page.double(value);
        else page.long(kind === "time" ? Date.parse(value) : value);
        held += page.length;
      }
      rows2++;
      if (rows2 >= mostRows || held >= mostBytes) endGroup();
    },
    finish: () => {
      endGroup();
      const footer = fileMetaData(groups, total);
      emit(footer);
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, footer.length, true);
      emit(length);
      emit(magic);
    }
  };
}
function pageHeader(length, values2) {
  return thriftStruct((header) => {
    header.i32(1, dataPage);
    header.i32(2, length);
    header.i32(3, length);
    header.struct(5, (page) => {
      page.i32(1, values2);
      page.i32(2, plain);
      page.i32(3, rle);
      page.i32(4, rle);
    });
  });
}
function fileMetaData(groups, rows2) {
  return thriftStruct((file) => {
    file.i32(1, 1);
    file.structs(2, [void 0, ...columns2], (element, column) => {
      if (!column) {
        element.text(4, "root");
        element.i32(5, columns2.length);
        return;
      }
      const [name, kind] = column;
      element.i32(1, physical[kind]);
      element.i32(3, required);
      element.text(4, name);
      const type = converted[kind];
      if (type !== void 0) element.i32(6, type);
    });
    file.i64(3, rows2);
    file.structs(4, groups, (group, { chunks, rows: own, bytes }) => {
      group.structs(1, chunks, (chunk, { offset, length, values: values2 }, at2) => {
        const [name, kind] = columns2[at2];
        chunk.i64(2, offset);
        chunk.struct(3, (meta) => {
          meta.i32(1, physical[kind]);
          meta.i32s(2, [plain]);
          meta.texts(3, [name]);
          meta.i32(4, uncompressed);
          meta.i64(5, values2);
          meta.i64(6, length);
          meta.i64(7, length);
          meta.i64(9, offset);
        });
      });
      group.i64(2, bytes);
      group.i64(3, own);
    });
    file.text(6, createdBy);
  });
}
function growingBytes() {
  const encoder = new TextEncoder();
  let bytes = new Uint8Array(1 << 12);
  let view3 = new DataView(bytes.buffer);
  let length = 0;
  function room(more) {
    if (length + more <= bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * bytes.length, length + more));
    larger.set(bytes);
    bytes = larger;
    view3 = new DataView(bytes.buffer);
  }
  return {
    get length() {
      return length;
    },
    text: (text2) => {
      room(4 + 3 * text2.length);
      const written = spelt2(text2, bytes, length + 4) ?? encoder.encodeInto(text2, bytes.subarray(length + 4)).written;
      view3.setUint32(length, written, true);
      length += 4 + written;
    },
    double: (value) => {
      room(8);
      view3.setFloat64(length, value, true);
      length += 8;
    },
    /** A whole number of less than 2^53. */
    long: (value) => {
      room(8);
      const high = Math.floor(value / 2 ** 32);
      view3.setUint32(length, value - high * 2 ** 32, true);
      view3.setInt32(length + 4, high, true);
      length += 8;
    },
    take: () => {
      const taken = bytes.slice(0, length);
      length = 0;
      return taken;
    }
  };
}
function spelt2(text2, bytes, from) {
  for (let at2 = 0; at2 < text2.length; at2++) {
    const code = text2.charCodeAt(at2);
    if (code > 127) return void 0;
    bytes[from + at2] = code;
  }
  return text2.length;
}

// src/tables.ts
function readingsTables(platform) {
  const csv = readingsTable(platform);
  const hasher = platform.sha256();
  let size = 0;
  const parquet = parquetTable((bytes) => {
    hasher.update(bytes);
    size += bytes.length;
  });
  return {
    add: (entry, data) => {
      csv.add(entry, data);
      parquet.add(rowOf(entry, data));
    },
    finish: () => {
      parquet.finish();
      return { csv: csv.finish(), parquet: { size, sha256: toHex(hasher.digest()) } };
    }
  };
}
function rowOf({ leaf, stream, revision, index, recordedAt }, data) {
  const [at2, receivedAt, origin, id] = [leaf.occurredAt, leaf.receivedAt, leaf.origin, leaf.id];
  const { tag, unit, quality, vessel, value } = data;
  const flags = Array.isArray(data.flags) ? data.flags.join(" ") : "";
  return {
    ...{ at: at2, receivedAt, recordedAt, value, tag, unit, quality, flags, vessel, origin, stream, id },
    ...{ revision, index }
  };
}

// src/events.ts
var proofLine = "bioledger-multi-proof/v1\n";
var fingerprintsLine = "bioledger-fingerprints/v1\n";
var maximumBadLines = 1e3;
var maximumSearches = 1e3;
var mostHashesOfAGap = 2 * 53 * 32;
async function readEvents(sources, manifest, findings, platform) {
  const streams = followStreams(manifest);
  const keys = keyHistory();
  const tables2 = readingsTables(platform);
  const brackets = timeBrackets(manifest.stamps);
  const tree = growingTree(platform);
  const proof = await opened(sources.proof, proofLine, "proof.bin");
  const fingerprints = await opened(sources.fingerprints, fingerprintsLine, "fingerprints.bin");
  const stamps = [];
  const facts = collectFacts(manifest.batchId, manifest.request.asOf);
  let statement;
  let badLines = 0;
  const deviations = { count: 0, first: void 0 };
  let events = 0;
  let canProve = true;
  let searches = 0;
  let lastIndex = -1;
  let first;
  let last;
  for (const { name, bytes } of sources.events) {
    try {
      for await (const lines of linesOf(bytes(), name))
        for (const line of lines) {
          if (proof.held < mostHashesOfAGap) await proof.fill(1 << 18);
          if (fingerprints.held < 8) await fingerprints.fill(1 << 18);
          take(line);
        }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      canProve = false;
      const after = last ? `, after ${last.stream} revision ${last.revision}` : "";
      findings.fail("leaves", `${error.message}${after}`, { member: name });
      if (badLines > maximumBadLines) break;
    }
  }
  if (canProve) fillGap(lastIndex + 1, manifest.checkpoint.size);
  if (await proof.drain() > 0)
    findings.fail("inclusion", "it holds more hashes than the proof needs", { member: "proof.bin" });
  if (await fingerprints.drain() > 0)
    findings.fail(
      "streams",
      "something after it is missing: the list of fingerprints is longer",
      last ? { event: last } : {}
    );
  return {
    streams,
    keys,
    statement,
    stamps,
    tables: tables2.finish(),
    deviations,
    facts: facts.finish(),
    events,
    root: canProve && tree.size === manifest.checkpoint.size ? tree.root() : void 0,
    first,
    last
  };
  function take(line) {
    events++;
    const entry = read(line);
    if (!entry) {
      fingerprints.take(8);
      canProve = false;
      if (++badLines > maximumBadLines)
        throw new Refusal(`more than ${maximumBadLines} lines cannot be read; the rest was not looked at`);
      return;
    }
    const event = { stream: entry.stream, revision: entry.revision, index: entry.index };
    first ??= event;
    last = event;
    compareFingerprint(entry, event);
    const objection = streams.apply(entry);
    if (objection) findings.fail("streams", objection.message, { event: objection.event });
    prove(entry, event);
    const late = brackets.objection(entry.index, entry.recordedAt);
    if (late?.isDeviation) {
      deviations.count++;
      deviations.first ??= `${entry.stream} revision ${entry.revision}: ${late.message}`;
    } else if (late) findings.fail("times", late.message, { event });
    look(entry, event);
  }
  function compareFingerprint(entry, event) {
    if (searches > maximumSearches) return;
    const fingerprint = fingerprints.take(8);
    const own = entry.hash.subarray(0, 8);
    if (fingerprint && equalBytes(fingerprint, own)) return;
    searches++;
    const missing = fingerprints.ahead(own);
    if (fingerprint && missing !== void 0) fingerprints.take(8 * (missing + 1));
    else findings.fail("leaves", "its leaf is not the one that the extract was made with", { event });
  }
  function read(line) {
    try {
      return parseLine(line, manifest.origin, platform);
    } catch (error) {
      const place2 = placeOf(line);
      const message = error instanceof Refusal ? error.message : "the line cannot be read";
      const check = error instanceof Refusal && error.isPayload ? "payloads" : "leaves";
      findings.fail(
        check,
        message,
        place2 ? { event: place2 } : last ? { event: { ...last, revision: last.revision } } : {}
      );
      return void 0;
    }
  }
  function prove(entry, event) {
    if (!canProve) return;
    if (entry.index <= lastIndex || entry.index >= manifest.checkpoint.size) {
      canProve = false;
      findings.fail("streams", "its index does not rise, or is beyond the checkpoint", { event });
      return;
    }
    fillGap(lastIndex + 1, entry.index);
    if (!canProve) return;
    tree.appendLeaf(entry.hash);
    lastIndex = entry.index;
  }
  function fillGap(from, to) {
    for (const level of tiling(from, to)) {
      const hash2 = proof.take(32);
      if (!hash2) {
        canProve = false;
        findings.fail("inclusion", "it ends before the proof is complete", { member: "proof.bin" });
        return;
      }
      tree.appendSubtree(level, hash2);
    }
  }
  function look(entry, event) {
    const { type, stream, data } = entry;
    const isOfBatch = stream.endsWith(manifest.batchId);
    if (entry.payload === "left out") {
      const isRecord = stream === `batch-${manifest.batchId}`;
      const isAllowed = isRecord && manifest.request.scope === "signatures-only" && !approvingTypes.includes(type);
      if (!isAllowed) findings.fail("payloads", "its payload is missing", { event });
    }
    if (isOfBatch && data?.batchId !== void 0 && data.batchId !== manifest.batchId)
      findings.fail("streams", `it speaks of batch ${JSON.stringify(data.batchId)}`, { event });
    if (isReading(type, stream)) {
      const unlike = data && unlikeReading(data);
      if (unlike) findings.fail("leaves", unlike, { event });
      else if (data) {
        tables2.add(entry, data);
        facts.addReading(
          {
            type,
            occurredAt: entry.leaf.occurredAt,
            recordedAt: entry.recordedAt,
            origin: entry.leaf.origin
          },
          data
        );
      }
      return;
    }
    try {
      if (stream === "ledger-keys" && data) keys.apply(type, data, entry.index);
      if (stream === "ledger-timestamps" && data) stamps.push({ ...data, index: entry.index });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      findings.fail("keys", error.message, { event });
    }
    if (stream === "ledger-heads") {
      if (type !== "HeadsStated" || entry.index !== manifest.heads?.index)
        findings.fail("completeness", "it is not the heads statement that the manifest names", { event });
      else if (data)
        statement = {
          data,
          revision: entry.revision,
          index: entry.index,
          prev: entry.prev,
          recordedAt: entry.recordedAt
        };
    }
    const told = toldOf(entry);
    const { objection } = approvalsOf(told);
    if (objection) findings.fail("signatures", objection, { event });
    facts.add(told);
  }
}
function toldOf({ leaf, stream, revision, index, type, recordedAt, data, reason }) {
  const who = isObject(leaf.actor) ? String(leaf.actor.id) : "";
  const { occurredAt, origin } = leaf;
  return { type, stream, revision, index, occurredAt, recordedAt, origin, who, data, reason };
}
async function opened(bytes, line, name) {
  const pieces = piecesOf(bytes);
  await pieces.fill(line.length);
  const start = pieces.take(line.length);
  if (!start || String.fromCharCode(...start) !== line)
    throw new Refusal(`${name} does not begin with ${line.trim()}`);
  return pieces;
}

// src/findings.ts
var checkTitles = {
  container: "The file is one plain zip with the members of an extract",
  manifest: "Every member is the one that the signed manifest lists",
  checkpoint: "The checkpoint is signed by the key that you gave",
  witnesses: "Witnesses that you named cosigned the checkpoint",
  leaves: "Every event is one canonical entry of this ledger",
  inclusion: "Every event stands in the log at its index, under the signed root",
  streams: "Every stream is a chain without a gap, in the order of the log",
  payloads: "What people typed is what the log has digests of",
  completeness: "Nothing of the batch is missing",
  scope: "What was left out is what the request says, and nothing else",
  keys: "The keys were valid at the size of the checkpoint",
  times: "Times agree with each other and with the time stamps",
  authorities: "Time-stamping authorities that you named signed the tokens",
  signatures: "Signatures and approvals are of the people and the record they name",
  renderings: "report.html, readings.csv and readings.parquet say what the events say",
  deep: "The whole log was read and gives the same root"
};
var kept = 50;
function collectFindings() {
  const all = [];
  const failed = /* @__PURE__ */ new Map();
  const details = /* @__PURE__ */ new Map();
  return {
    all,
    fail: (check, message, at2 = {}) => {
      const count2 = failed.get(check) ?? 0;
      failed.set(check, count2 + 1);
      if (count2 < kept) all.push({ check, message, ...at2 });
    },
    note: (check, detail2) => void details.set(check, { status: "pass", detail: detail2 }),
    skip: (check, detail2) => void details.set(check, { status: "not-checked", detail: detail2 }),
    has: (check) => failed.has(check),
    isPassed: (check) => !failed.has(check) && details.get(check)?.status === "pass",
    checks: () => Object.keys(checkTitles).map((id) => {
      const count2 = failed.get(id) ?? 0;
      const first = all.find((finding) => finding.check === id);
      const known = details.get(id) ?? { status: "not-checked", detail: "not reached" };
      const title = checkTitles[id];
      if (!first) return { id, title, ...known };
      const more = count2 > 1 ? ` (and ${count2 - 1} more)` : "";
      return { id, title, status: "fail", detail: `${describe(first)}${more}` };
    })
  };
}
function describe({ message, event, member: member3 }) {
  if (event) return `${event.stream} revision ${event.revision}${placeInLog(event)}: ${message}`;
  return member3 === void 0 ? message : `${member3}: ${message}`;
}
function placeInLog({ index }) {
  return index === void 0 ? "" : ` (position ${index} of the log)`;
}

// src/key-changes.ts
var member = /^key-change-([1-9]\d{0,15})\.txt$/;
var formatLine2 = "bioledger-key-change/v1";
async function trustedKeys(context, history) {
  const { extract, pinned, checkpoint, platform } = context;
  const trusted = pinned.logKeys.filter(({ name }) => name === checkpoint.origin);
  const changes = extract.names.filter((name) => member.test(name));
  const sizeOf = (name) => Number(member.exec(name)?.[1]);
  for (const name of changes.sort((a, b) => sizeOf(a) - sizeOf(b))) {
    const whole = fromUtf8(await extract.whole(name)) ?? "";
    const split = whole.indexOf("\n\n");
    const [format, ...hashes2] = whole.slice(0, Math.max(split, 0)).split("\n");
    if (format !== formatLine2) throw new Refusal(`${name} has an unknown format`);
    const note = parseNote(utf8(whole.slice(split + 2)), name);
    const { origin, size, root } = parseCheckpoint(note.text);
    if (origin !== checkpoint.origin || size !== sizeOf(name) || size > checkpoint.size)
      throw new Refusal(`${name} is not of this log`);
    const vouching = await signersOf(note, trusted, name, platform);
    if (!vouching.some(({ verifierKey }) => history.objection(verifierKey, "log", size) === void 0))
      continue;
    const path = hashes2.map((hash2) => fromBase64(hash2) ?? new Uint8Array());
    if (!isConsistent(size, root, checkpoint.size, checkpoint.root, path, platform))
      throw new Refusal(`the checkpoint of the extract does not continue the one in ${name}`);
    const added = history.logKeysAddedBefore(size).map((key) => parseKey(key, platform));
    const unknown = added.filter((key) => !trusted.some(({ verifierKey }) => verifierKey === key.verifierKey));
    trusted.push(...await signersOf(note, unknown, name, platform));
  }
  return trusted;
}
function isConsistent(first, firstRoot, second, secondRoot, path, platform) {
  if (path.some((hash2) => hash2.length !== 32) || first < 1 || first > second) return false;
  if (first === second) return path.length === 0 && equalBytes(firstRoot, secondRoot);
  const node = (left, right) => {
    const input = new Uint8Array(65);
    input[0] = 1;
    input.set(left, 1);
    input.set(right, 33);
    return platform.hash(input);
  };
  const isPowerOfTwo = Number.isInteger(Math.log2(first)) && 2 ** Math.log2(first) === first;
  const [start, ...rest] = isPowerOfTwo ? [firstRoot, ...path] : path;
  if (!start) return false;
  let [fn, sn] = [first - 1, second - 1];
  while (fn % 2 === 1) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  let [fr, sr] = [start, start];
  for (const hash2 of rest) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      fr = node(hash2, fr);
      sr = node(hash2, sr);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
    } else sr = node(sr, hash2);
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && equalBytes(fr, firstRoot) && equalBytes(sr, secondRoot);
}

// src/export-keys.ts
var member2 = "export-key.txt";
var formatLine3 = "bioledger-export-key/v1";
async function exportKeysOf(context, reading) {
  const { checkpoint, extract, platform } = context;
  const named = reading.keys.holding("export", checkpoint.size).flatMap((key) => {
    try {
      return [parseKey(key, platform)];
    } catch (error) {
      if (error instanceof Refusal) return [];
      throw error;
    }
  });
  return extract.has(member2) ? [...named, await laterKey(context, reading)] : named;
}
async function laterKey(context, { keys }) {
  const { extract, checkpoint, pinned, platform } = context;
  const whole = fromUtf8(await extract.whole(member2)) ?? "";
  const [head = "", ...rest] = whole.split("\n\n");
  const [format, spelt3, ...hashes2] = head.split("\n");
  if (format !== formatLine3) throw new Refusal(`${member2} has an unknown format`);
  const after = rest.join("\n\n");
  const end = after.indexOf("\n");
  const text2 = after.slice(0, Math.max(end, 0));
  const note = parseNote(utf8(after.slice(end + 1)), member2);
  const { origin, size, root } = parseCheckpoint(note.text);
  if (origin !== checkpoint.origin) throw new Refusal(`${member2} is of another log`);
  if (pinned.logKeys.length > 0) {
    const signers = await signersOf(note, await trustedKeys(context, keys), member2, platform);
    if (signers.length === 0) throw new Refusal(`no key that you gave signed the checkpoint in ${member2}`);
  }
  const path = hashes2.map((hash2) => fromBase64(hash2) ?? new Uint8Array());
  if (!isIncluded(platform.leafHash(text2), count(spelt3, "the index"), size, root, path, platform))
    throw new Refusal(`the event in ${member2} is not under its checkpoint`);
  const leaf = parseCanonical(text2, "the event");
  const data = isObject(leaf) ? leaf.data : void 0;
  const isAdded = isObject(leaf) && isObject(data) && leaf.ledger === origin && leaf.stream === "ledger-keys" && leaf.type === "LedgerKeyAdded" && data.purpose === "export";
  if (!isAdded || typeof data.verifierKey !== "string") throw new Refusal(`${member2} adds no export key`);
  if (keys.has(data.verifierKey)) throw new Refusal(`${member2} adds a key that the log named before`);
  return parseKey(data.verifierKey, platform);
}
function isIncluded(leafHash, index, size, root, path, platform) {
  if (index >= size || path.some((hash3) => hash3.length !== 32)) return false;
  const input = new Uint8Array(65);
  input[0] = 1;
  const node = (left, right) => {
    input.set(left, 1);
    input.set(right, 33);
    return platform.hash(input);
  };
  let [fn, sn, hash2] = [index, size - 1, leafHash];
  for (const sibling of path) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      hash2 = node(sibling, hash2);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)];
    } else hash2 = node(hash2, sibling);
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && equalBytes(hash2, root);
}

// src/key-checks.ts
function checkKeys(reading, { size }, signers, findings) {
  const { keys } = reading;
  if (keys.count === 0) {
    findings.fail("keys", "the log names no key", { event: { stream: "ledger-keys", revision: 0 } });
    return;
  }
  const objections = signers.map(({ verifierKey }) => keys.objection(verifierKey, "log", size));
  const first = objections.find((objection) => objection !== void 0);
  if (first !== void 0 && !objections.includes(void 0)) findings.fail("keys", first);
  else findings.note("keys", `${keys.count} keys in the log's history; the export key is one of them`);
}
async function checkManifestSignature(context, reading) {
  const { extract, manifest, manifestBytes, checkpoint, pinned, findings, platform } = context;
  const member3 = "manifest.sig";
  try {
    const note = parseNote(await extract.whole(member3), member3);
    const expected = `${formatLine}
${checkpoint.origin}
${checkpoint.size}
${toBase64(checkpoint.root)}
${toBase64(platform.hash(manifestBytes))}
`;
    if (note.text !== expected) throw new Refusal("it is the signature of another manifest or checkpoint");
    const candidates = pinned.exportKeys.length > 0 ? pinned.exportKeys : await exportKeysOf(context, reading);
    const signers = await signersOf(note, candidates, "the manifest", platform);
    if (signers.length === 0) throw new Refusal("no export key that holds signed it");
    const ids = signers.map(({ keyId }) => keyId).join(", ");
    findings.note("manifest", `${manifest.members.length} members, signed by the export key ${ids}`);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    findings.fail("manifest", error.message, { member: member3 });
  }
}

// src/zip-local.ts
var hasDescriptor = 8;
var full = 4294967295;
var knownExtras = /* @__PURE__ */ new Set([1, 10, 21589, 22613, 30837]);
async function extentOf(file, entry) {
  const { name, offset } = entry;
  if (offset + 30 > file.size) throw new Refusal(`${name} begins after the end of the file`);
  const header = view(await file.read(offset, 30));
  const [nameLength, extraLength] = [header.getUint16(26, true), header.getUint16(28, true)];
  const dataOffset = offset + 30 + nameLength + extraLength;
  if (header.getUint32(0, true) !== 67324752 || dataOffset > file.size)
    throw new Refusal(`the header of ${name} is broken`);
  const tail = await file.read(offset + 30, nameLength + extraLength);
  requireKnownExtras(view(tail), nameLength, extraLength, name);
  const isSame = fromUtf8(tail.subarray(0, nameLength)) === name && header.getUint16(6, true) === entry.flags && header.getUint16(8, true) === entry.method && agrees(header, entry);
  if (!isSame) throw new Refusal(`the header of ${name} contradicts the zip's directory`);
  const end = dataOffset + entry.compressedSize;
  if (!(entry.flags & hasDescriptor)) return { dataOffset, end };
  if (entry.method === 0)
    throw new Refusal(
      `${name} is stored, and its size stands only after it: who reads onwards cannot tell its end`
    );
  return { dataOffset, end: end + await descriptorLength(file, end, entry) };
}
function agrees(header, { flags, crc, size, compressedSize }) {
  const stated = [14, 18, 22].map((at2) => header.getUint32(at2, true));
  if (flags & hasDescriptor && stated.every((value) => value === 0 || value === full)) return true;
  return stated[0] === crc && stated[1] === Math.min(compressedSize, full) && stated[2] === Math.min(size, full);
}
async function descriptorLength(file, at2, { name, crc, size, compressedSize }) {
  const bytes = view(await file.read(at2, Math.min(24, file.size - at2)));
  for (const signature of [4, 0])
    for (const width2 of [4, 8]) {
      const length = signature + 4 + 2 * width2;
      if (length > bytes.byteLength) continue;
      if (signature > 0 && bytes.getUint32(0, true) !== 134695760) continue;
      const number2 = (place2) => width2 === 4 ? bytes.getUint32(place2, true) : Number(bytes.getBigUint64(place2, true));
      const isOurs = bytes.getUint32(signature, true) === crc && number2(signature + 4) === compressedSize && number2(signature + 4 + width2) === size;
      if (isOurs) return length;
    }
  throw new Refusal(`what stands after ${name} contradicts the zip's directory`);
}
function requireKnownExtras(bytes, from, length, name) {
  let at2 = from;
  while (at2 < from + length) {
    const next = at2 + 4 <= from + length ? at2 + 4 + bytes.getUint16(at2 + 2, true) : Number.POSITIVE_INFINITY;
    if (next > from + length) throw new Refusal(`an extra field of ${name} is cut off`);
    const kind = bytes.getUint16(at2, true);
    if (!knownExtras.has(kind))
      throw new Refusal(`${name} has the extra field 0x${kind.toString(16)}, which no extract has`);
    at2 = next;
  }
}
var view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

// src/zip.ts
var maximumMembers = 1e5;
var maximumDirectoryBytes = 64 << 20;
var maximumRatio = 100;
var freeBytes = 64 << 20;
var chunkBytes = 1 << 18;
async function readDirectory(file) {
  const { count: count2, offset, size, end } = await readEnd(file);
  if (count2 > maximumMembers) throw new Refusal(`the zip has ${count2} members, at most ${maximumMembers}`);
  if (size > maximumDirectoryBytes)
    throw new Refusal(`the zip's directory is larger than ${maximumDirectoryBytes}`);
  if (offset + size !== end)
    throw new Refusal("the zip's directory does not end where the archive's end begins");
  const directory = view2(await file.read(offset, size));
  const members = /* @__PURE__ */ new Map();
  const extents = [];
  let at2 = 0;
  for (let entry = 0; entry < count2; entry++) {
    if (at2 + 46 > size || directory.getUint32(at2, true) !== 33639248)
      throw new Refusal(`entry ${entry + 1} of the zip's directory is broken`);
    const flags = directory.getUint16(at2 + 8, true);
    const method = directory.getUint16(at2 + 10, true);
    const nameLength = directory.getUint16(at2 + 28, true);
    const extraLength = directory.getUint16(at2 + 30, true);
    const commentLength = directory.getUint16(at2 + 32, true);
    const next = at2 + 46 + nameLength + extraLength + commentLength;
    if (next > size) throw new Refusal(`entry ${entry + 1} of the zip's directory is cut off`);
    const name = memberName(bytesOf(directory, at2 + 46, nameLength));
    if (members.has(name)) throw new Refusal(`the zip has two members named ${name}`);
    if (flags & 8257) throw new Refusal(`${name} is encrypted`);
    if (flags & ~2062) throw new Refusal(`${name} has flags that no plain member has`);
    if (method !== 0 && method !== 8)
      throw new Refusal(`${name} has the unknown compression method ${method}`);
    requireRegularFile(directory.getUint32(at2 + 38, true), name);
    const places = zip64(directory, at2, at2 + 46 + nameLength, extraLength, name);
    if (method === 0 && places.size !== places.compressedSize)
      throw new Refusal(`${name} is stored, but its two sizes differ`);
    const crc = directory.getUint32(at2 + 16, true);
    const listed = { name, flags, method, crc, ...places };
    const { dataOffset, end: to } = await extentOf(file, listed);
    if (to > offset) throw new Refusal(`${name} reaches into the zip's directory`);
    extents.push({ from: places.offset, to, name });
    members.set(name, {
      name,
      size: places.size,
      compressedSize: places.compressedSize,
      method,
      crc,
      dataOffset
    });
    at2 = next;
  }
  if (at2 !== size) throw new Refusal("bytes follow the last entry of the zip's directory");
  requireNoGaps(extents, offset);
  const total = [...members.values()].reduce((sum, member3) => sum + member3.size, 0);
  if (total > maximumRatio * file.size + freeBytes)
    throw new Refusal(`the members together are ${total} bytes, more than ${maximumRatio} times the file`);
  return members;
}
async function* memberBytes(file, member3, platform) {
  const raw = rawBytes(file, member3);
  let length = 0;
  let crc = 0;
  try {
    for await (const chunk of member3.method === 8 ? platform.inflate(raw) : raw) {
      length += chunk.length;
      if (length > member3.size) throw new Refusal(`${member3.name} is longer than the zip states`);
      crc = platform.crc32(chunk, crc);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`${member3.name} cannot be read after ${length} of its ${member3.size} bytes`);
  }
  if (length !== member3.size) throw new Refusal(`${member3.name} is shorter than the zip states`);
  if (crc >>> 0 !== member3.crc)
    throw new Refusal(`${member3.name} does not have the CRC-32 that the zip states`);
}
async function* rawBytes(file, member3) {
  const end = member3.dataOffset + member3.compressedSize;
  for (let at2 = member3.dataOffset; at2 < end; at2 += chunkBytes)
    yield await file.read(at2, Math.min(chunkBytes, end - at2));
}
async function readEnd(file) {
  if (file.size < 22) throw new Refusal("this is no zip file");
  const end = view2(await file.read(file.size - 22, 22));
  if (end.getUint32(0, true) !== 101010256 || end.getUint16(20, true) !== 0)
    throw new Refusal("this is no zip file, or something follows its end");
  const plain2 = {
    count: end.getUint16(10, true),
    size: end.getUint32(12, true),
    offset: end.getUint32(16, true),
    end: file.size - 22
  };
  if (end.getUint16(4, true) !== 0 || end.getUint16(6, true) !== 0 || end.getUint16(8, true) !== plain2.count)
    throw new Refusal("the zip is in several parts");
  const isZip64 = plain2.count === 65535 || plain2.size === 4294967295 || plain2.offset === 4294967295;
  if (!isZip64) return plain2;
  if (file.size < 22 + 20 + 56) throw new Refusal("the zip64 end is missing");
  const locator = view2(await file.read(file.size - 42, 20));
  const endOffset = big(locator, 8, "the place of the zip64 end");
  if (locator.getUint32(0, true) !== 117853008 || endOffset + 56 !== file.size - 42)
    throw new Refusal("the zip64 end is not where it should be");
  const record = view2(await file.read(endOffset, 56));
  if (record.getUint32(0, true) !== 101075792) throw new Refusal("the zip64 end is broken");
  return {
    count: big(record, 32, "the number of members"),
    size: big(record, 40, "the size of the directory"),
    offset: big(record, 48, "the place of the directory"),
    end: endOffset
  };
}
function zip64(directory, entry, extraAt, extraLength, name) {
  let size = directory.getUint32(entry + 24, true);
  let compressedSize = directory.getUint32(entry + 20, true);
  let offset = directory.getUint32(entry + 42, true);
  requireKnownExtras(directory, extraAt, extraLength, name);
  const end = extraAt + extraLength;
  for (let at2 = extraAt; at2 + 4 <= end; ) {
    const length = directory.getUint16(at2 + 2, true);
    if (directory.getUint16(at2, true) === 1) {
      let field = at2 + 4;
      const take = () => {
        if (field + 8 > at2 + 4 + length) throw new Refusal(`the zip64 field of ${name} is cut off`);
        field += 8;
        return big(directory, field - 8, `a size of ${name}`);
      };
      if (size === 4294967295) size = take();
      if (compressedSize === 4294967295) compressedSize = take();
      if (offset === 4294967295) offset = take();
    }
    at2 += 4 + length;
  }
  return { size, compressedSize, offset };
}
function requireRegularFile(attributes, name) {
  const kind = attributes >>> 16 & 61440;
  if (kind !== 0 && kind !== 32768 || (attributes & 24) !== 0)
    throw new Refusal(`${name} is no regular file`);
}
function requireNoGaps(extents, directoryAt) {
  let end = 0;
  for (const extent of extents.sort((a, b) => a.from - b.from)) {
    if (extent.from < end) throw new Refusal(`${extent.name} overlaps another member of the zip`);
    if (extent.from > end) throw new Refusal(`hidden bytes stand before ${extent.name}`);
    end = extent.to;
  }
  if (end !== directoryAt) throw new Refusal("hidden bytes stand before the zip's directory");
}
function memberName(bytes) {
  const name = String.fromCharCode(...bytes.subarray(0, 200));
  if (!/^[A-Za-z0-9][A-Za-z0-9.-]{0,99}$/.test(name))
    throw new Refusal(`a member of the zip has the name ${JSON.stringify(name)}, which no extract has`);
  return name;
}
function big(from, at2, what) {
  const value = from.getBigUint64(at2, true);
  if (value >= 1n << 53n) throw new Refusal(`${what} in the zip is absurd`);
  return Number(value);
}
var view2 = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
var bytesOf = (from, at2, length) => new Uint8Array(from.buffer, from.byteOffset + at2, length);

// src/members.ts
var required2 = [
  "VERIFY.txt",
  "events-000001.ndjson",
  "proof.bin",
  "fingerprints.bin",
  "checkpoint.txt",
  "readings.csv",
  "readings.parquet",
  "report.html",
  "manifest.json",
  "manifest.sig"
];
var allowed2 = /^(events-\d{6}\.ndjson|heads\.ndjson|export-key\.txt|key-change-[1-9]\d{0,15}\.txt|timestamp-[1-9]\d{0,15}\.(tsr|txt))$/;
var maximumWhole = { "manifest.json": 16 << 20, other: 1e6 };
async function openExtract(file, platform) {
  const members = await readDirectory(file);
  for (const name of required2) if (!members.has(name)) throw new Refusal(`the member ${name} is missing`);
  for (const name of members.keys())
    if (!required2.includes(name) && !allowed2.test(name))
      throw new Refusal(`the member ${name} belongs to no extract`);
  const chunks = [...members.keys()].filter((name) => name.startsWith("events-")).sort();
  for (const [at2, name] of chunks.entries())
    if (name !== `events-${String(at2 + 1).padStart(6, "0")}.ndjson`)
      throw new Refusal(`the member events-${String(at2 + 1).padStart(6, "0")}.ndjson is missing`);
  const digests = /* @__PURE__ */ new Map();
  function find(name) {
    const member3 = members.get(name);
    if (!member3) throw new Refusal(`the member ${name} is missing`);
    return member3;
  }
  async function* bytes(name) {
    const hasher = platform.sha256();
    for await (const chunk of memberBytes(file, find(name), platform)) {
      hasher.update(chunk);
      yield chunk;
    }
    digests.set(name, toHex(hasher.digest()));
  }
  return {
    names: [...members.keys()],
    has: (name) => members.has(name),
    sizeOf: (name) => find(name).size,
    bytes,
    whole: async (name) => {
      const { size } = find(name);
      const limit = name === "manifest.json" ? maximumWhole["manifest.json"] : maximumWhole.other;
      if (size > limit) throw new Refusal(`${name} is larger than ${limit} bytes`);
      const whole = new Uint8Array(size);
      let at2 = 0;
      for await (const chunk of bytes(name)) {
        whole.set(chunk, at2);
        at2 += chunk.length;
      }
      return whole;
    },
    digest: async (name) => {
      if (!digests.has(name)) for await (const chunk of bytes(name)) void chunk;
      return digests.get(name);
    }
  };
}

// src/visible.ts
var hidden = /[\p{Cc}\u00ad\u061c\u115f\u1160\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
function visible(text2) {
  return text2.replace(/[\t\n\r]/g, " ").replace(
    hidden,
    (character) => `[U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}]`
  );
}

// src/report.ts
var style = `body{font:14px/1.45 system-ui,sans-serif;color:#111;margin:24px auto;max-width:1080px}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:3px 10px 3px 0}
.sheet>thead td{font-size:11px;color:#444;border-bottom:1px solid #999;padding:0 0 4px}
h1{font-size:22px;margin:12px 0 4px}h2{font-size:16px;margin:22px 0 6px}
.data td,.data th{border-bottom:1px solid #ddd}.number{text-align:right;font-variant-numeric:tabular-nums}
.time{white-space:nowrap;font-variant-numeric:tabular-nums}.place{color:#555;font-size:12px;word-break:break-all}
tr{break-inside:avoid}@media print{body{margin:0;max-width:none}}`;
function* reportPieces(head, facts) {
  yield { html: opening(head, facts), about: "its head" };
  yield* rows(
    ["Stream", "Events"],
    head.streams.map(({ stream, events }) => ({
      html: cells([escaped(stream), number(events)]),
      about: `the count of ${stream}`
    }))
  );
  yield { html: `<p>${headsText(head)} ${head.events} events in all.</p>
`, about: "its count of events" };
  yield { html: "<h2>Signatures and approvals</h2>\n", about: "its headings" };
  if (facts.approvals.length === 0) yield { html: "<p>None.</p>\n", about: "that nobody signed" };
  else yield* rows(["Who", "Meaning", "Recorded (UTC+00:00)", "Record"], facts.approvals.map(approvalRow));
  yield leftOut(facts.approvalCount - facts.approvals.length, "signatures and approvals");
  yield { html: "<h2>What happened</h2>\n", about: "its headings" };
  yield* rows(["Time (UTC)", "What", "Record"], facts.story.map(storyRow));
  yield leftOut(facts.storyLeftOut, "events");
  yield { html: "<h2>Readings</h2>\n", about: "its headings" };
  if (facts.tags.length === 0)
    yield { html: "<p>None in this extract.</p>\n", about: "that there are no readings" };
  else
    yield* rows(
      ["Tag", "Unit", "Readings", "Bad", "Lowest", "Highest", "First", "Last"],
      [...facts.tags].sort(byTagAndUnit).map(tagRow)
    );
  yield leftOut(facts.readingsLeftOut, "readings of other tags");
  yield { html: "<h2>Events by type</h2>\n", about: "its headings" };
  yield* rows(
    ["Type", "Events"],
    [...facts.counts].sort(byFirst).map(([type, count2]) => ({
      html: cells([escaped(type), number(count2)]),
      about: `the count of ${type}`
    }))
  );
  yield { html: "</td></tr></tbody></table>\n</body></html>\n", about: "its end" };
}
function opening(head, { origins }) {
  const { batchId, origin, checkpoint, heads, request, omitted } = head;
  const asOf = heads ? `size ${heads.size}, under the checkpoint of size ${checkpoint.size}` : `the checkpoint of size ${checkpoint.size}`;
  const purpose = request.purposeText === void 0 ? request.purpose : `${request.purpose}: ${request.purposeText}`;
  const left = omitted.length === 0 ? "" : ` <strong>Not in this copy: ${omitted.map(escaped).join(", ")}.</strong>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Batch ${escaped(batchId)}</title>
<meta name="generator" content="bioledger-report/v1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
${style}
</style></head><body>
<table class="sheet"><thead><tr><td>Batch ${escaped(batchId)} · ${escaped(origin)} as of ${asOf}, root ${escaped(checkpoint.root)} · all times UTC (UTC+00:00)</td></tr></thead><tbody><tr><td>
<h1>Batch record</h1>
<p>Origin of the data: <strong>${escaped([...origins].sort().join(", "))}</strong>. Purpose of this copy: ${escaped(purpose)}. Scope: ${escaped(scopeText(request))}${escaped(asOfText(request))}.${left}
People stand in it by their pseudonymous ids. This page is a reading of the events in the same file; the events are the record.</p>
`;
}
function scopeText({ scope, from, to }) {
  if (scope === "whole") return "everything the ledger holds of the batch";
  if (scope === "signatures-only")
    return "the record of the batch with the payloads of signatures and approvals only";
  return `the record of the batch, and sensor data, process values and forecasts recorded from ${from ?? "the start"} to ${to ?? "the end"}`;
}
var asOfText = ({ asOf }) => asOf === void 0 ? "" : `, as recorded up to ${asOf}; where a stream goes on, the event files and their counts have one later event, which shows that none before it is missing and is not told here`;
var headsText = ({ heads }) => heads ? `The heads statement about size ${heads.size} says where each stream ended then.` : "No heads statement covers these streams.";
function approvalRow(approval) {
  const { who, meaning, at: at2 } = approval;
  return {
    html: cells([escaped(who), escaped(meaning), time(at2), place(approval)]),
    about: `that ${who} ${meaning}, recorded at ${at2}`,
    event: placeOf2(approval)
  };
}
function storyRow(line) {
  const { at: at2, sentence } = line;
  return {
    html: cells([time(at2), escaped(sentence), place(line)]),
    about: `${at2} ${sentence}`,
    event: placeOf2(line)
  };
}
function tagRow({ tag, unit, count: count2, bad, min, max, from, to }) {
  return {
    html: cells(
      [escaped(tag), escaped(unit), number(count2), number(bad), number(min), number(max), time(from)].concat([
        time(to)
      ])
    ),
    about: `the figures of ${tag} in ${unit}`
  };
}
function leftOut(count2, what) {
  return {
    html: count2 > 0 ? `<p>${count2} further ${what} are in the event files only.</p>
` : "",
    about: "what it leaves out"
  };
}
function* rows(head, all) {
  const names = head.map((name) => `<th>${name}</th>`).join("");
  yield { html: `<table class="data"><thead><tr>${names}</tr></thead><tbody>
`, about: "its headings" };
  yield* all;
  yield { html: "</tbody></table>\n", about: `the end of the table ${head.join(", ")}` };
}
var cells = (all) => `<tr>${all.map((cell2) => `<td>${cell2}</td>`).join("")}</tr>
`;
var number = (value) => `<span class="number">${value}</span>`;
var time = (at2) => `<span class="time">${escaped(at2)}</span>`;
var placeOf2 = ({ stream, revision, index }) => ({ stream, revision, index });
var place = ({ stream, revision, index }) => `<span class="place">${escaped(stream)} revision ${revision}, position ${index} of the log</span>`;
var byFirst = ([a], [b]) => a < b ? -1 : a > b ? 1 : 0;
var byTagAndUnit = (a, b) => byFirst([a.tag, 0], [b.tag, 0]) || byFirst([a.unit, 0], [b.unit, 0]);
function escaped(text2) {
  return visible(text2).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;");
}

// src/report-check.ts
var shown = 200;
async function checkReport({ extract, manifest, findings, platform }, reading) {
  const member3 = "report.html";
  const hasher = platform.sha256();
  for (const { html } of reportPieces(manifest, reading.facts)) hasher.update(utf8(html));
  const expected = hasher.digest();
  const found = platform.sha256();
  for await (const chunk of extract.bytes(member3)) found.update(chunk);
  if (equalBytes(found.digest(), expected)) return;
  const actual = extract.bytes(member3)[Symbol.asyncIterator]();
  let held = new Uint8Array(0);
  try {
    for (const { html, about, event } of reportPieces(manifest, reading.facts)) {
      const bytes = utf8(html);
      while (held.length < bytes.length) {
        const { done, value } = await actual.next();
        if (done) break;
        held = joined(held, value);
      }
      if (equalBytes(held.subarray(0, bytes.length), bytes)) {
        held = held.subarray(bytes.length);
        continue;
      }
      const instead = fromUtf8(held.subarray(0, Math.min(held.length, bytes.length)));
      const says = instead === void 0 ? "something else" : `“${clipped(textIn(instead))}”`;
      const message = `${member3} says ${says} where the events give “${clipped(about)}”`;
      findings.fail("renderings", message, event ? { event } : { member: member3 });
      return;
    }
    findings.fail("renderings", "it goes on after its end", { member: member3 });
  } finally {
    await actual.return?.();
  }
}
var textIn = (html) => html.replace(/<[^>]*>?/g, " ").replace(/\s+/g, " ").trim();
var clipped = (text2) => visible(text2.length > shown ? `${text2.slice(0, shown)}…` : text2);
function joined(a, b) {
  if (a.length === 0) return b;
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}

// src/renderings.ts
var knownVerifyTexts = [
  "609ad441e988c4e2e8b94ca0f2992996d1267a9e838af17a3ba92a86dbc8513d"
];
async function checkRenderings(context, reading) {
  const { manifest, extract, findings, platform } = context;
  const { csv, parquet } = reading.tables;
  const rows2 = csv.rows;
  for (const [name, table] of [
    ["readings.csv", csv],
    ["readings.parquet", parquet]
  ]) {
    const member3 = manifest.members.find((one) => one.name === name);
    if (rows2 !== manifest.readings || member3?.sha256 !== table.sha256 || extract.sizeOf(name) !== table.size)
      findings.fail("renderings", "it is not what the events say", { member: name });
  }
  const digest = toHex(platform.hash(await extract.whole("VERIFY.txt")));
  if (!knownVerifyTexts.includes(digest))
    findings.fail("renderings", "it is no text of this format: do not do what it says", {
      member: "VERIFY.txt"
    });
  await checkReport(context, reading);
  if (!findings.has("renderings"))
    findings.note(
      "renderings",
      `written anew from the events, ${rows2} rows and the report give the same bytes; VERIFY.txt is the known one`
    );
}

// src/scope.ts
function checkScope(reading, manifest, heads, findings) {
  const { request, batchId, omitted } = manifest;
  const isComplete = findings.isPassed("completeness");
  const fail = (message) => findings.fail("scope", message, { member: "manifest.json" });
  const { from, to, asOf } = request;
  if (request.scope === "range" !== (from !== void 0 || to !== void 0))
    fail("a range has a beginning or an end, and nothing else has");
  for (const [name, bound] of Object.entries({ from, to, asOf }))
    if (bound !== void 0 && !isInstant(bound)) fail(`${name} is no instant`);
  if (from !== void 0 && to !== void 0 && from > to) fail("the range ends before it begins");
  for (const { stream, last, lastIndex, ...state } of reading.streams.states.values())
    if (asOf !== void 0 && (state.lastButOneRecordedAt ?? "") > asOf && endOf(stream, manifest) !== void 0)
      findings.fail("scope", `more than one event follows what was recorded up to ${asOf}`, {
        event: { stream, revision: last, index: lastIndex }
      });
  for (const stream of omitted) {
    if (request.scope !== "signatures-only" || !isBulk(stream, batchId)) fail(`${stream} may not be left out`);
    if (reading.streams.states.has(stream)) fail(`${stream} is in the extract, although it says otherwise`);
  }
  if (request.scope === "signatures-only") checkSignaturesOnly(reading, manifest, heads, findings, fail);
  else if (manifest.signatureTypes.length > 0) fail("only an extract of signatures has types of signatures");
  if (findings.has("scope")) return;
  if (!isComplete) {
    findings.skip("scope", "not made, as it is not shown that nothing of the batch is missing");
    return;
  }
  const bounds = request.scope === "range" ? `, bulk streams as recorded ${from ?? "from the start"} to ${to ?? "the end"}` : "";
  const upTo = asOf === void 0 ? "" : `, as recorded up to ${asOf}`;
  const without = omitted.map((stream) => `${stream} (${heads?.recordOf(stream)?.count ?? "?"} events)`);
  const left = without.length > 0 ? `; left out: ${without.join(", ")}` : "";
  findings.note("scope", `${request.scope}${bounds}${upTo}${left}; purpose: ${request.purpose}`);
}
function checkSignaturesOnly({ streams }, { batchId, omitted, signatureTypes }, heads, findings, fail) {
  if (signatureTypes.join() !== approvingTypes.join())
    fail(`the types of signatures are ${approvingTypes.join(", ")}, and no others`);
  for (const { stream, first, lastIndex: index } of streams.states.values())
    if (isBulk(stream, batchId))
      findings.fail("scope", "its stream is not of an extract of signatures only", {
        event: { stream, revision: first, index }
      });
  if (!heads) return;
  const there = bulkStreams(batchId).filter((stream) => heads.recordOf(stream));
  if ([...omitted].sort().join() !== there.sort().join())
    fail(
      `it says that ${omitted.join(", ") || "nothing"} was left out, but that is ${there.join(", ") || "nothing"}`
    );
}

// src/signer-checks.ts
async function checkSigners(note, checkpoint, context) {
  const { extract, pinned, findings, platform } = context;
  if (pinned.logKeys.length === 0)
    findings.skip(
      "checkpoint",
      `size ${checkpoint.size} of ${checkpoint.origin}; no key was given, so nobody vouches for it`
    );
  else {
    const mayFollow = extract.names.some((name) => name.startsWith("key-change-"));
    await attemptSigners(note, checkpoint, pinned.logKeys, context, mayFollow);
  }
  const { witnesses, quorum = witnesses.length } = pinned;
  if (witnesses.length === 0) {
    findings.skip("witnesses", "no witness key was given");
    return;
  }
  try {
    const cosigners = await signersOf(note, witnesses, "the checkpoint", platform);
    if (cosigners.length < quorum)
      throw new Refusal(`${cosigners.length} of ${witnesses.length} cosigned, ${quorum} are needed`);
    findings.note("witnesses", `cosigned by ${cosigners.map((key) => key.name).join(", ")}`);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    findings.fail("witnesses", error.message, { member: "checkpoint.txt" });
  }
}
async function attemptSigners(note, { origin, size }, keys, { findings, platform }, mayFollow) {
  try {
    const mine = keys.filter((key) => key.name === origin);
    const signers = await signersOf(note, mine, "the checkpoint", platform);
    const ids = signers.map((key) => key.keyId).join(", ");
    if (signers.length > 0) findings.note("checkpoint", `size ${size} of ${origin}, signed by ${ids}`);
    else if (!mayFollow) throw new Refusal("no key that you gave signed it");
    return signers;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    findings.fail("checkpoint", error.message, { member: "checkpoint.txt" });
    return [];
  }
}
async function followKeys(context, reading) {
  const { extract, checkpoint, pinned, findings } = context;
  if (pinned.logKeys.length === 0) return [];
  try {
    const trusted = await trustedKeys(context, reading.keys);
    const note = parseNote(await extract.whole("checkpoint.txt"), "the checkpoint");
    return findings.has("checkpoint") ? [] : await attemptSigners(note, checkpoint, trusted, context, false);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    findings.fail("keys", error.message);
    return [];
  }
}

// src/time-stamp-token.ts
var signedData = "2a864886f70d010702";
var tstInfo = "2a864886f70d0109100104";
var sha256 = "608648016503040201";
var [contentType, messageDigest] = ["2a864886f70d010903", "2a864886f70d010904"];
var [signingCertificate, signingCertificateV2] = ["2a864886f70d010910020c", "2a864886f70d010910022f"];
function readToken(bytes) {
  const whole = elements(bytes);
  if (whole.length !== 1) throw new Refusal("it is no time stamp token (RFC 3161)");
  const answer = inside(whole, 0, tags.sequence);
  const status = at(inside(answer, 0, tags.sequence), 0, tags.integer).bytes;
  if (status.length !== 1 || status[0] > 1) throw new Refusal("it is no granted time stamp");
  const contentInfo = inside(answer, 1, tags.sequence);
  requireOid(contentInfo, signedData);
  const signed = inside(inside(contentInfo, 1, 160), 0, tags.sequence);
  const encapsulated = inside(signed, 2, tags.sequence);
  requireOid(encapsulated, tstInfo);
  const content = at(inside(encapsulated, 1, 160), 0, tags.octets).bytes;
  const info = inside(elements(content), 0, tags.sequence);
  const imprint = inside(info, 2, tags.sequence);
  requireOid(inside(imprint, 0, tags.sequence), sha256);
  const stampedAt = instantOf(at(info, 4, tags.generalizedTime));
  return { imprint: toBase64(at(imprint, 1, tags.octets).bytes), stampedAt, signed, content };
}
async function requireAuthority({ signed, content, stampedAt }, given, platform) {
  const held = signed.find(({ tag }) => tag === 160);
  const found = held ? elements(held.bytes).filter(({ tag }) => tag === tags.sequence).map(({ whole }) => parseCertificate(whole)) : [];
  const signers = inside(signed, signed.length - 1, tags.set);
  const [signer, ...others] = signers;
  if (!signer || others.length > 0) throw new Refusal("it has not exactly one signer");
  const parts = inside(signers, 0, tags.sequence);
  const digest = hashes[algorithm(parts, 2)];
  if (!digest) throw new Refusal("its digest is of an unknown algorithm");
  const attributes = attributesOf(at(parts, 3, 160));
  if (toHexOid(attributes, contentType) !== tstInfo)
    throw new Refusal("its signature is over another kind of content");
  const stated = at(attributes.get(messageDigest) ?? [], 0, tags.octets).bytes;
  if (!equalBytes(stated, await platform.digest(digest, content)))
    throw new Refusal("its content is not the one that was signed");
  const named = [...given, ...found].filter((certificate2) => isNamed(certificate2, parts[1]));
  const certificate = await firstThat(named, (one) => isMeant(one, attributes, platform));
  if (!certificate)
    throw new Refusal("neither it nor you gave the certificate that it says it was signed with");
  const message = at(parts, 3, 160).whole.slice();
  message[0] = tags.set;
  const signature = at(parts, 5, tags.octets).bytes;
  const by = withDigest(algorithm(parts, 4), digest);
  if (!await platform.verifySignature(certificate.spki, by, message, signature))
    throw new Refusal("its signature is wrong");
  requireTimeStamping(certificate);
  await requirePath(certificate, { given, found, instant: stampedAt }, platform);
}
function attributesOf({ bytes }) {
  const found = /* @__PURE__ */ new Map();
  for (const { bytes: one } of elements(bytes)) {
    const parts = elements(one);
    const type = oid(parts, 0);
    const values2 = inside(parts, 1, tags.set);
    if (found.has(type) || values2.length !== 1)
      throw new Refusal("a signed attribute of it has not one value");
    found.set(type, values2);
  }
  return found;
}
var toHexOid = (attributes, type) => oid(attributes.get(type) ?? [], 0);
function isNamed({ issuer, serial, keyId }, identifier) {
  if (identifier.tag === 128) return keyId !== void 0 && equalBytes(keyId, identifier.bytes);
  const parts = elements(identifier.bytes);
  return equalBytes(at(parts, 0, tags.sequence).whole, issuer) && equalBytes(at(parts, 1, tags.integer).bytes, serial);
}
async function isMeant({ whole }, attributes, platform) {
  const second = attributes.get(signingCertificateV2);
  const value = second ?? attributes.get(signingCertificate);
  if (!value) throw new Refusal("it does not name the certificate that it was signed with");
  const id = inside(inside(inside(value, 0, tags.sequence), 0, tags.sequence), 0, tags.sequence);
  const isStated = second !== void 0 && id[0]?.tag === tags.sequence;
  const hash2 = second ? isStated ? hashes[algorithm(id, 0)] : "SHA-256" : "SHA-1";
  if (!hash2) throw new Refusal("it names its certificate by an unknown digest");
  return equalBytes(at(id, isStated ? 1 : 0, tags.octets).bytes, await platform.digest(hash2, whole));
}
async function firstThat(all, holds) {
  for (const one of all) if (await holds(one)) return one;
  return void 0;
}
function requireOid(all, expected) {
  if (oid(all, 0) !== expected) throw new Refusal("it is no time stamp token over a SHA-256 digest");
}

// src/tokens.ts
var formatLine4 = "bioledger-time-stamp/v1";
async function checkTokens(context, { stamps, deviations }) {
  const { extract, manifest, findings, platform } = context;
  const spelt3 = (all) => all.map(({ index, size, stampedAt }) => `${index} ${size} ${stampedAt}`).join("\n");
  if (spelt3(stamps) !== spelt3(manifest.stamps))
    findings.fail("times", "its time stamps are not those of the log's", { member: "manifest.json" });
  const stated = new Map(stamps.map((stamp) => [`${stamp.size} ${stamp.tokenSha256}`, stamp]));
  const tokens = [];
  for (const name of extract.names) {
    const [, size, kind] = /^timestamp-(\d+)\.(tsr|txt)$/.exec(name) ?? [];
    if (size === void 0) continue;
    try {
      if (kind === "txt") {
        if (!extract.has(`timestamp-${size}.tsr`)) throw new Refusal("its token is missing");
        continue;
      }
      const bytes = await extract.whole(name);
      const stamp = stated.get(`${size} ${toBase64(platform.hash(bytes))}`);
      if (!stamp) throw new Refusal("no time stamp of the log is this token");
      const token = readToken(bytes);
      if (token.imprint !== stamp.imprint || token.stampedAt !== stamp.stampedAt)
        throw new Refusal(
          `it is over another digest, or of another time (${token.stampedAt}), than its event says`
        );
      await requireStamped(Number(size), token, context);
      tokens.push({ name, token });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      findings.fail("times", error.message, { member: name });
    }
  }
  await checkAuthorities(tokens, context);
  const noted = deviations.count > 0 ? `; DEVIATION of clocks, noted at ${deviations.count} events: ${deviations.first}` : "";
  if (tokens.length === 0)
    findings.skip(
      "times",
      `${stamps.length} time stamps in the log, none of their tokens in the extract; recorded times never step back in the order of the log${noted}`
    );
  else
    findings.note(
      "times",
      `${stamps.length} time stamps, ${tokens.length} tokens over checkpoints that this one continues${noted}`
    );
}
async function requireStamped(size, { imprint }, context) {
  const { extract, checkpoint, platform } = context;
  const name = `timestamp-${size}.txt`;
  if (!extract.has(name)) throw new Refusal(`${name}, which says what was stamped, is missing`);
  const whole = fromUtf8(await extract.whole(name)) ?? "";
  const split = whole.indexOf("\n\n");
  const [format, ...hashes2] = whole.slice(0, Math.max(split, 0)).split("\n");
  if (format !== formatLine4) throw new Refusal(`${name} has an unknown format`);
  const text2 = whole.slice(split + 2);
  if (toBase64(platform.hash(utf8(text2))) !== imprint)
    throw new Refusal(`it is not over the checkpoint in ${name}`);
  const stamped = parseCheckpoint(text2);
  if (stamped.origin !== checkpoint.origin || stamped.size !== size || size > checkpoint.size)
    throw new Refusal(`the checkpoint in ${name} is not of this log and size`);
  const path = hashes2.map((hash2) => fromBase64(hash2) ?? new Uint8Array());
  if (!isConsistent(size, stamped.root, checkpoint.size, checkpoint.root, path, platform))
    throw new Refusal(`the checkpoint of the extract does not continue the one in ${name}`);
}
async function checkAuthorities(tokens, { findings, pinned, platform }) {
  const given = pinned.authorities ?? [];
  if (given.length === 0) {
    findings.skip("authorities", "no certificate of an authority was given, so nobody vouches for the tokens");
    return;
  }
  if (tokens.length === 0) {
    findings.skip("authorities", "there is no token that holds");
    return;
  }
  for (const { name, token } of tokens)
    try {
      await requireAuthority(token, given, platform);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      findings.fail("authorities", error.message, { member: name });
    }
  const times = tokens.map(({ token }) => token.stampedAt).sort();
  findings.note("authorities", `${tokens.length} tokens, from ${times[0]} to ${times.at(-1)}`);
}

// src/verify.ts
async function verifyExtract(file, pinned, platform, further) {
  const findings = collectFindings();
  const seen = {};
  try {
    const extract = await openExtract(file, platform);
    findings.note("container", `${extract.names.length} members`);
    const manifestBytes = await extract.whole("manifest.json");
    const manifest = attempt(findings, "manifest", "manifest.json", () => parseManifest(manifestBytes));
    if (manifest) {
      seen.manifest = manifest;
      const checkpoint = await checkCheckpoint(extract, manifest, pinned, findings, platform);
      if (checkpoint) {
        seen.checkpoint = checkpoint;
        seen.reading = await examine({
          extract,
          manifest,
          manifestBytes,
          checkpoint,
          pinned,
          findings,
          platform
        });
        findings.skip("deep", "only with --deep, where the log can be reached");
        await further?.({ extract, manifest, checkpoint, reading: seen.reading, findings });
      }
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    findings.fail("container", error.message);
  }
  return verdictOf(findings, pinned, seen);
}
async function examine(context) {
  const { extract, manifest, checkpoint, findings, platform } = context;
  const reading = await readEvents(
    {
      events: extract.names.filter((name) => name.startsWith("events-")).sort().map((name) => ({ name, bytes: () => extract.bytes(name) })),
      proof: extract.bytes("proof.bin"),
      fingerprints: extract.bytes("fingerprints.bin")
    },
    manifest,
    findings,
    platform
  );
  checkCounts(reading, manifest, findings);
  checkRoot(reading, checkpoint, findings);
  const heads = await checkCompleteness(context, reading);
  checkScope(reading, manifest, heads, findings);
  checkKeys(reading, checkpoint, await followKeys(context, reading), findings);
  await checkTokens(context, reading);
  await checkMembers(extract, manifest, findings);
  await checkManifestSignature(context, reading);
  await checkRenderings(context, reading);
  findings.note(
    "signatures",
    `${reading.facts.approvalCount} signatures and approvals; who enters a closure does not approve it`
  );
  return reading;
}
async function checkCheckpoint(extract, manifest, pinned, findings, platform) {
  const bytes = await extract.whole("checkpoint.txt");
  const member3 = "checkpoint.txt";
  const note = attempt(findings, "checkpoint", member3, () => parseNote(bytes, "the checkpoint"));
  const checkpoint = note && attempt(findings, "checkpoint", member3, () => parseCheckpoint(note.text));
  if (!note || !checkpoint) return void 0;
  await checkSigners(note, checkpoint, { extract, pinned, findings, platform });
  const { origin, size, root } = checkpoint;
  if (manifest.origin !== origin || manifest.checkpoint.size !== size || manifest.checkpoint.root !== toBase64(root)) {
    findings.fail("manifest", "it speaks of another checkpoint than checkpoint.txt", {
      member: "manifest.json"
    });
    return void 0;
  }
  return checkpoint;
}
function checkCounts(reading, manifest, findings) {
  if (reading.events !== manifest.events)
    findings.fail("leaves", `${reading.events} events are in it, the manifest counts ${manifest.events}`);
  findings.note("leaves", `${reading.events} events`);
  const stated = new Map(manifest.streams.map((stream) => [stream.stream, stream]));
  if (stated.size !== manifest.streams.length)
    findings.fail("manifest", "it lists a stream twice", { member: "manifest.json" });
  for (const state of reading.streams.states.values()) {
    const one = stated.get(state.stream);
    stated.delete(state.stream);
    if (one && one.first === state.first && one.last === state.last && one.events === state.events) continue;
    const { stream, last, lastIndex } = state;
    if (one && one.last > last)
      findings.fail("streams", "it is missing", { event: { stream, revision: last + 1 } });
    else
      findings.fail("streams", "the manifest counts its stream otherwise", {
        event: { stream, revision: last, index: lastIndex }
      });
  }
  for (const { stream, first } of stated.values())
    findings.fail("streams", "the whole stream is missing", { event: { stream, revision: first } });
  findings.note("streams", `${reading.streams.states.size} streams`);
  findings.note("payloads", "every payload has the digest that its leaf states");
}
function checkRoot(reading, checkpoint, findings) {
  const { root, first, last } = reading;
  if (findings.has("inclusion")) return;
  if (!root) findings.skip("inclusion", "not made, as an event could not be read or is out of order");
  else if (equalBytes(root, checkpoint.root))
    findings.note("inclusion", `${reading.events} events under the root of size ${checkpoint.size}`);
  else
    findings.fail(
      "inclusion",
      `the events lead to another root than the signed one; which of them is not in the log (${first?.stream} revision ${first?.revision} to ${last?.stream} revision ${last?.revision}) only the log itself can say`
    );
}
async function checkMembers(extract, manifest, findings) {
  const stated = new Map(manifest.members.map((member3) => [member3.name, member3]));
  if (stated.size !== manifest.members.length)
    findings.fail("manifest", "it lists a member twice", { member: "manifest.json" });
  for (const name of extract.names) {
    if (name === "manifest.json" || name === "manifest.sig") continue;
    const member3 = stated.get(name);
    stated.delete(name);
    if (!member3) findings.fail("manifest", "the manifest does not list it", { member: name });
    else
      try {
        const digest = await extract.digest(name);
        if (digest !== member3.sha256 || extract.sizeOf(name) !== member3.size)
          findings.fail("manifest", "it is not what the manifest lists", { member: name });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        findings.fail("manifest", error.message, { member: name });
      }
  }
  for (const name of stated.keys()) findings.fail("manifest", "it is missing", { member: name });
}
var extra = ["witnesses", "times", "authorities", "deep"];
function verdictOf(findings, pinned, { manifest, checkpoint, reading }) {
  const checks = findings.checks();
  const isFailed = findings.all.length > 0;
  const isAsked = (id) => !extra.includes(id) || id === "authorities" && (pinned.authorities ?? []).length > 0;
  const isIncomplete = checks.some(({ id, status }) => status === "not-checked" && isAsked(id));
  const exit = isFailed ? 1 : pinned.logKeys.length === 0 || isIncomplete ? 2 : 0;
  const heads = manifest?.heads;
  const verdict = {
    0: `VERIFIED${manifest?.request.asOf === void 0 ? "" : ` as recorded up to ${manifest.request.asOf},`} as of size ${heads?.size} of the log, stated at ${reading?.statement?.recordedAt}${reading?.deviations.count ? ", with a noted deviation of clocks" : ""}`,
    1: "FAILED: do not rely on this extract",
    2: pinned.logKeys.length === 0 ? "CONSISTENT WITH ITSELF, but nobody vouches for it: verify with --key" : "INCOMPLETE: nothing contradicts it, but not everything could be shown"
  }[exit];
  return {
    exit,
    verdict,
    checks,
    findings: findings.all,
    firstBadEvent: findings.all.find((finding) => finding.event)?.event,
    manifest,
    checkpoint,
    counts: Object.fromEntries(reading?.facts.counts ?? []),
    events: reading?.events ?? 0,
    approvals: reading?.facts.approvals ?? [],
    story: reading?.facts.story ?? []
  };
}
function attempt(findings, check, member3, make) {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    findings.fail(check, error.message, { member: member3 });
    return void 0;
  }
}

// src/command-line.ts
var usageOf = (command) => `usage: ${command} <extract.zip> --key <verifier key or file with it>
  --key         the log's key, from a place the operator cannot rewrite; again for several
  --export-key  the key of the manifest, instead of the one that the log names
  --witness     key of a witness that must have cosigned; again for several
  --quorum      how many of them must have (default: all)
  --tsa-cert    certificate (PEM file) of a time-stamping authority, or of who vouches for it; again for several
  --deep        also read the whole log: a folder with its tiles, or its URL
  --token       bearer token for that URL, or a file with it
  --kept        a checkpoint kept from before, which the log must still contain (with --deep); again for several
  --story       also print what happened, a sentence an event
  --json        answer for machines
exit 0 verified, 1 a finding, 2 usage or incomplete (without --key at most what is consistent is said)
`;
var words = { pass: "PASS", fail: "FAIL", "not-checked": "----" };
async function verifyCommandLine(given, command) {
  const usage = usageOf(command);
  try {
    const { values: values2, positionals } = parseArgs({
      args: [...given],
      allowPositionals: true,
      options: {
        key: { type: "string", multiple: true, default: [] },
        "export-key": { type: "string", multiple: true, default: [] },
        witness: { type: "string", multiple: true, default: [] },
        quorum: { type: "string" },
        "tsa-cert": { type: "string", multiple: true, default: [] },
        deep: { type: "string" },
        token: { type: "string" },
        kept: { type: "string", multiple: true, default: [] },
        story: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false }
      }
    });
    if (values2.help) {
      process.stdout.write(usage);
      return 0;
    }
    const [path, ...others] = positionals;
    if (path === void 0 || others.length > 0) throw new Error("one extract is expected");
    if (values2.quorum !== void 0 && !/^[1-9]\d{0,2}$/.test(values2.quorum))
      throw new Error("--quorum is a whole number");
    if (Number(values2.quorum ?? 0) > values2.witness.length)
      throw new Error(
        `--quorum ${values2.quorum} needs as many --witness, ${values2.witness.length} were given`
      );
    const pinned = {
      logKeys: values2.key.map((key) => keyOf(key, noteKeyType)),
      exportKeys: values2["export-key"].map((key) => keyOf(key, noteKeyType)),
      witnesses: values2.witness.map((key) => keyOf(key, witnessKeyType)),
      authorities: values2["tsa-cert"].flatMap((path2) => parsePem(readFileSync(path2, "utf8"))),
      ...values2.quorum === void 0 ? {} : { quorum: Number(values2.quorum) }
    };
    const file = await openFile(path);
    const { deep, token } = values2;
    if (deep === void 0 && values2.kept.length > 0) throw new Error("--kept needs --deep");
    const notes = values2.kept.map((path2) => readFileSync(path2));
    const kept2 = await keptCheckpoints(notes, pinned.logKeys, nodePlatform);
    const verdict = await verifyExtract(file, pinned, nodePlatform, async (examined) => {
      if (deep !== void 0) await checkWholeLog(examined, logAt(deep, token), kept2, nodePlatform);
    });
    await file.close();
    if (values2.json) process.stdout.write(`${JSON.stringify(verdict)}
`);
    else print(verdict, values2.story);
    return verdict.exit;
  } catch (error) {
    process.stderr.write(
      `verify: ${error instanceof Error ? error.message : String(error)}
${error instanceof Refusal ? "" : usage}`
    );
    return 2;
  }
}
function logAt(place2, token) {
  if (!/^https?:\/\//.test(place2))
    return async (path) => await readFile(join(place2, path)).catch((error) => {
      if (error.code === "ENOENT") return void 0;
      throw error;
    });
  const root = place2.replace(/\/+$/, "");
  const bearer = token === void 0 ? void 0 : textOrFile(token);
  return async (path) => {
    const response = await fetch(`${root}/${path}`, {
      headers: bearer === void 0 ? {} : { authorization: `Bearer ${bearer}` }
    });
    if (response.status === 404) return void 0;
    if (!response.ok) throw new Error(`${root}/${path} answers ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  };
}
function textOrFile(text2) {
  try {
    return readFileSync(text2, "utf8").trim();
  } catch {
    return text2;
  }
}
function keyOf(text2, type) {
  const spelt3 = /\+[0-9a-f]{8}\+/.test(text2) ? text2 : (readFileSync(text2, "utf8").split("\n")[0] ?? "").trim();
  const key = parseKey(spelt3, nodePlatform);
  if (key.type !== type) throw new Refusal(`the key of ${key.name} is of another kind`);
  return key;
}
function print({ checks, verdict, manifest, story, approvals }, withStory) {
  const out = (line) => process.stdout.write(`${line.replace(new RegExp("\\p{Cc}", "gu"), " ")}
`);
  if (manifest)
    out(
      `batch ${manifest.batchId}, ledger ${manifest.origin} as of size ${manifest.heads?.size ?? manifest.checkpoint.size}`
    );
  for (const { status, title, detail: detail2 } of checks) out(`${words[status]}  ${title}: ${detail2}`);
  if (withStory) {
    for (const { at: at2, sentence } of story) out(`${at2}  ${sentence}`);
    for (const { at: at2, who, meaning } of approvals) out(`${at2}  ${who}: ${meaning}`);
  }
  out(verdict);
}

// src/cli.ts
process.exitCode = await verifyCommandLine(process.argv.slice(2), "node verify.mjs");
