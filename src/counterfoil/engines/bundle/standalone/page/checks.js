// Judge a Counterfoil court bundle: the third implementation, in plain JavaScript, for a browser without a network.
//
// verify(bundle: Blob, policy: Uint8Array | null, progress) returns a verdict. Nothing in a bundle can raise: a check
// that meets something it cannot make sense of has failed, and one that cannot run here concludes nothing. The checks
// are those of CLAIMS.md, in its order. Node can load this file too, so that tests drive it by the thousand.
"use strict";

class Bad extends Error {
  constructor(code, facts = {}) { super(code); this.code = code; this.facts = facts; }
}
class CannotRun extends Error {
  constructor(code, facts = {}) { super(code); this.code = code; this.facts = facts; }
}
const need = (ok, code = "malformed", facts = {}) => { if (!ok) throw new Bad(code, facts); return ok; };

const EXIT = {
  "VERIFIED-WITNESSED": 0, "VERIFIED-UNWITNESSED": 3, "INTEGRITY-ONLY": 4, "NOT-VERIFIABLE": 5, INVALID: 6,
};
const UNLISTED = ["manifest.json", "manifest.note", "tagmanifest-sha256.txt"];
const SMALL = 1 << 20, LARGE = 1 << 26, REPORT = 1 << 29, CHUNK = 1 << 22, BIG = 0xffffffff;
const SAFE = /^(?=[^]{1,240}$)[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;
const STAMP_FILE = /^tsa\/([a-z0-9][a-z0-9-]{0,31})(?:\.renewed-([1-9][0-9]?))?\.tsr$/;
const CHAIN_FILE = /^tsa\/([a-z0-9][a-z0-9-]{0,31})\/chain\/(crl-)?[0-9][0-9]\.pem$/;
const CONSISTENCY_FILE = /^log\/consistency-from-([1-9][0-9]{0,17})\.txt$/;
const LISTING = "annex audience built_at case development events exhibits force format name papers urn";
const ROW = "derivation duration_ms events label media_type note original_name parent path produced_by recipe_sha256 " +
  "recorded restricted sha256 size title working";

// ---- bytes and text
const utf8 = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const bytesOf = (text) => utf8.encode(text);
const textOf = (bytes) => { try { return strict.decode(bytes); } catch { throw new Bad("not-utf8"); } };
const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
const unhex = (text) => Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
const same = (a, b) => a.length === b.length && a.every((value, n) => value === b[n]);
function join(...parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { out.set(part, at); at += part.length; }
  return out;
}
function binary(bytes) { // one character for each byte, for regular expressions over a PDF
  const out = [];
  for (let at = 0; at < bytes.length; at += 8192) out.push(String.fromCharCode(...bytes.subarray(at, at + 8192)));
  return out.join("");
}
const fromBinary = (text) => Uint8Array.from(text, (c) => c.charCodeAt(0));
function b64(text) { // base64 in its one form
  need(typeof text === "string", "base64");
  let raw;
  try { raw = atob(text); } catch { throw new Bad("base64"); }
  need(btoa(raw) === text, "base64");
  return fromBinary(raw);
}
const toB64 = (bytes) => btoa(binary(bytes));
const plain = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const keysAre = (value, keys) => plain(value) && Object.keys(value).sort().join(" ") === keys;

// ---- SHA-256 (FIPS 180-4), streaming, because WebCrypto cannot; tested against it
const K = new Int32Array(64), START = new Int32Array(8);
{
  let found = 0;
  for (let n = 2; found < 64; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
    if (!prime) continue;
    if (found < 8) START[found] = ((Math.sqrt(n) % 1) * 2 ** 32) | 0;
    K[found++] = ((Math.cbrt(n) % 1) * 2 ** 32) | 0;
  }
}
class Sha256 {
  constructor() { this.state = START.slice(); this.rest = new Uint8Array(64); this.held = 0; this.length = 0; }
  update(data) {
    this.length += data.length;
    let at = 0;
    if (this.held) {
      at = Math.min(64 - this.held, data.length);
      this.rest.set(data.subarray(0, at), this.held);
      this.held += at;
      if (this.held < 64) return this;
      this.blocks(this.rest, 0, 64);
      this.held = 0;
    }
    const whole = at + ((data.length - at) & ~63);
    this.blocks(data, at, whole);
    this.rest.set(data.subarray(whole), 0);
    this.held = data.length - whole;
    return this;
  }
  blocks(data, from, to) {
    const w = Sha256.words, s = this.state;
    for (let at = from; at < to; at += 64) {
      for (let i = 0, j = at; i < 16; i++, j += 4) {
        w[i] = (data[j] << 24) | (data[j + 1] << 16) | (data[j + 2] << 8) | data[j + 3];
      }
      for (let i = 16; i < 64; i++) {
        const x = w[i - 15], y = w[i - 2];
        w[i] = (w[i - 16] + w[i - 7] + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)) +
          (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10))) | 0;
      }
      let a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
      for (let i = 0; i < 64; i++) {
        const t = (h + (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))) +
          ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
        const u = ((((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) +
          ((a & b) ^ (a & c) ^ (b & c))) | 0;
        h = g; g = f; f = e; e = (d + t) | 0; d = c; c = b; b = a; a = (t + u) | 0;
      }
      s[0] += a; s[1] += b; s[2] += c; s[3] += d; s[4] += e; s[5] += f; s[6] += g; s[7] += h;
    }
  }
  digest() {
    const bits = this.length * 8, pad = new Uint8Array((this.held < 56 ? 64 : 128) - this.held);
    pad[0] = 0x80;
    new DataView(pad.buffer).setUint32(pad.length - 8, Math.floor(bits / 2 ** 32));
    new DataView(pad.buffer).setUint32(pad.length - 4, bits >>> 0);
    this.update(pad);
    const out = new Uint8Array(32);
    this.state.forEach((word, n) => new DataView(out.buffer).setInt32(4 * n, word));
    return out;
  }
}
Sha256.words = new Int32Array(64);
const sha256 = (data) => new Sha256().update(data).digest();
const shaHex = (data) => hex(sha256(data));

const CRC = new Int32Array(1024);
for (let n = 0; n < 256; n++) {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  CRC[n] = c;
}
for (let n = 256; n < 1024; n++) CRC[n] = CRC[CRC[n - 256] & 255] ^ (CRC[n - 256] >>> 8);
function crc32(data, before = 0) {
  let c = ~before, at = 0;
  for (const end = data.length - 3; at < end; at += 4) {
    c ^= data[at] | (data[at + 1] << 8) | (data[at + 2] << 16) | (data[at + 3] << 24);
    c = CRC[768 + (c & 255)] ^ CRC[512 + ((c >>> 8) & 255)] ^ CRC[256 + ((c >>> 16) & 255)] ^ CRC[c >>> 24];
  }
  for (; at < data.length; at++) c = CRC[(c ^ data[at]) & 255] ^ (c >>> 8);
  return ~c >>> 0;
}

// ---- JSON in its one form (RFC 8785, for whole numbers and ASCII keys)
function jcs(value, depth = 0) {
  if (value === null || value === true || value === false) return String(value);
  if (typeof value === "number") { need(Number.isSafeInteger(value), "json"); return String(value); }
  if (typeof value === "string") { need(!/[\ud800-\udfff]/u.test(value), "json"); return JSON.stringify(value); }
  need(depth < 64, "json");
  if (Array.isArray(value)) return "[" + value.map((item) => jcs(item, depth + 1)).join(",") + "]";
  return "{" + Object.keys(value).sort().map((key) => {
    need(/^[\x00-\x7f]*$/.test(key), "json");
    return JSON.stringify(key) + ":" + jcs(value[key], depth + 1);
  }).join(",") + "}";
}
function canonical(bytes) {
  const text = textOf(bytes);
  let value;
  try { value = JSON.parse(text); } catch { throw new Bad("json"); }
  need(jcs(value) === text, "json");
  return value;
}

// ---- Ed25519 (RFC 8032): the browser's own, or in its place a slow and simple one
const P = 2n ** 255n - 19n, L = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (a, m = P) => ((a % m) + m) % m;
function power(base, exponent) {
  let result = 1n;
  for (base = mod(base); exponent; exponent >>= 1n, base = (base * base) % P) if (exponent & 1n) result = (result * base) % P;
  return result;
}
const D = mod(-121665n * power(121666n, P - 2n)), ROOT_OF_MINUS_1 = power(2n, (P - 1n) / 4n);
function addPoints([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = mod((y1 - x1) * (y2 - x2)), b = mod((y1 + x1) * (y2 + x2)), c = mod(2n * D * t1 * t2), d = mod(2n * z1 * z2);
  const e = b - a, f = d - c, g = d + c, h = b + a;
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}
function times(scalar, point) {
  let sum = [0n, 1n, 1n, 0n];
  for (; scalar; scalar >>= 1n, point = addPoints(point, point)) if (scalar & 1n) sum = addPoints(sum, point);
  return sum;
}
const little = (bytes) => bytes.reduceRight((sum, b) => (sum << 8n) | BigInt(b), 0n);
function unpackPoint(bytes) {
  const all = little(bytes), sign = all >> 255n, y = all & (2n ** 255n - 1n);
  if (y >= P) return null;
  const square = mod((y * y - 1n) * power(D * y * y + 1n, P - 2n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x - square)) x = mod(x * ROOT_OF_MINUS_1);
  if (mod(x * x - square) || (!x && sign)) return null;
  if ((x & 1n) !== sign) x = P - x;
  return [x, y, 1n, mod(x * y)];
}
function packPoint([x, y, z]) {
  const inverse = power(z, P - 2n), all = mod(y * inverse) | ((mod(x * inverse) & 1n) << 255n);
  return Uint8Array.from({ length: 32 }, (_, n) => Number((all >> BigInt(8 * n)) & 255n));
}
const BASE = unpackPoint(Uint8Array.from({ length: 32 }, (_, n) => (n ? 0x66 : 0x58)));
async function slowEd25519(key, message, signature) {
  const a = unpackPoint(key), s = little(signature.subarray(32));
  if (!a || signature.length !== 64 || s >= L) return false;
  const k = little(await digestOf("SHA-512", join(signature.subarray(0, 32), key, message))) % L;
  const minus = [mod(-a[0]), a[1], a[2], mod(-a[3])];
  return same(packPoint(addPoints(times(s, BASE), times(k, minus))), signature.subarray(0, 32));
}
function subtle() {
  if (!globalThis.crypto || !globalThis.crypto.subtle) throw new CannotRun("no-webcrypto");
  return globalThis.crypto.subtle;
}
const digestOf = async (name, data) => new Uint8Array(await subtle().digest(name, data));
let ownEd25519 = null; // whether this browser has Ed25519; asked once
async function ed25519(key, message, signature) {
  if (signature.length !== 64) return false;
  if (ownEd25519 === null) {
    try {
      await subtle().importKey("raw", packPoint(BASE), "Ed25519", false, ["verify"]);
      ownEd25519 = true;
    } catch (error) {
      if (error instanceof CannotRun) throw error;
      ownEd25519 = false;
    }
  }
  if (!ownEd25519) return slowEd25519(key, message, signature);
  try {
    const imported = await subtle().importKey("raw", key, "Ed25519", false, ["verify"]);
    return await subtle().verify("Ed25519", imported, signature, message);
  } catch { return false; }
}

// ---- notes, keys, proofs and the policy (C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-policy; RFC 9162)
const goodName = (name) => name !== "" && !/[\s+\x00-\x1f]/.test(name);
const idOf = (name, id) => name + "+" + hex(id);
function readVkey(vkey, kind) {
  const [, name, given, coded] = /^([^+]*)\+([^+]*)\+([^]*)$/.exec(vkey) || [];
  need(name !== undefined && goodName(name), "key");
  const data = b64(coded), id = sha256(join(bytesOf(name + "\n"), data)).subarray(0, 4);
  need(data.length === 33 && data[0] === kind && hex(id) === given, "key");
  return { name, id: idOf(name, id), kind, public: data.subarray(1), vkey };
}
function splitNote(bytes) {
  const text = textOf(bytes), gap = text.lastIndexOf("\n\n");
  need(bytes.length <= SMALL && !/[\x00-\x09\x0b-\x1f]/.test(text) && gap > 0 && text.endsWith("\n"), "note");
  const lines = text.slice(gap + 2, -1).split("\n");
  need(lines.length <= 100 && text.length > gap + 2, "note");
  const signatures = lines.map((line) => {
    const [, name, coded] = /^— ([^ ]+) ([^ ]+)$/.exec(line) || [];
    need(name !== undefined && goodName(name), "note");
    const raw = b64(coded);
    need(raw.length > 4, "note");
    return { id: idOf(name, raw.subarray(0, 4)), name, signature: raw.subarray(4) };
  });
  need(new Set(signatures.map((s) => s.id)).size === signatures.length, "note");
  return { text: text.slice(0, gap + 1), signatures };
}
async function openNote(bytes, keys) { // a known key whose signature fails refuses the note; at least one must hold
  const { text, signatures } = splitNote(bytes), known = new Map(keys.map((key) => [key.id, key])), signed = [];
  for (const { id, name, signature } of signatures) {
    const key = known.get(id);
    if (!key) continue;
    const head = key.kind === 4 ? 8 : 0;
    let message = bytesOf(text);
    if (head && signature.length === 72) {
      const at = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
      need(at < 2n ** 63n, "signature", { key: name });
      message = bytesOf(`cosignature/v1\ntime ${at}\n${text}`);
    }
    need(signature.length === 64 + head && await ed25519(key.public, message, signature.subarray(head)), "signature", { key: name });
    signed.push(key);
  }
  need(signed.length, "nobody-signed");
  return { text, signed };
}
const leafHash = (commitment) => sha256(join(Uint8Array.of(0), commitment));
const nodeHash = (left, right) => sha256(join(Uint8Array.of(1), left, right));
function rootOf(leaf, index, size, proof) { // RFC 9162, section 2.1.3; sizes fit in 53 bits here
  need(index >= 0 && index < size && Number.isSafeInteger(size), "proof");
  let fn = index, sn = size - 1, hash = leaf;
  for (const step of proof) {
    need(sn > 0, "proof");
    if (fn % 2 || fn === sn) {
      hash = nodeHash(step, hash);
      while (fn % 2 === 0 && fn) { fn = Math.floor(fn / 2); sn = Math.floor(sn / 2); }
    } else {
      hash = nodeHash(hash, step);
    }
    fn = Math.floor(fn / 2); sn = Math.floor(sn / 2);
  }
  need(sn === 0, "proof");
  return hash;
}
function grewFrom(oldSize, newSize, oldRoot, newRoot, given) { // RFC 9162, section 2.1.4.2
  if (oldSize === newSize) return !given.length && same(oldRoot, newRoot);
  if (oldSize <= 0 || !given.length) return false;
  let proof = given, fn = oldSize - 1, sn = newSize - 1;
  if (Number.isInteger(Math.log2(oldSize))) proof = [oldRoot, ...given];
  while (fn % 2) { fn = Math.floor(fn / 2); sn = Math.floor(sn / 2); }
  let fr = proof[0], sr = proof[0];
  for (const c of proof.slice(1)) {
    if (sn === 0) return false;
    if (fn % 2 || fn === sn) {
      fr = nodeHash(c, fr); sr = nodeHash(c, sr);
      while (fn % 2 === 0 && fn) { fn = Math.floor(fn / 2); sn = Math.floor(sn / 2); }
    } else {
      sr = nodeHash(sr, c);
    }
    fn = Math.floor(fn / 2); sn = Math.floor(sn / 2);
  }
  return sn === 0 && same(fr, oldRoot) && same(sr, newRoot);
}
function moment(text, form = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) { // milliseconds; only for a time that exists
  const at = form.test(text) ? Date.parse(text.replace(/(\.\d{3})\d*Z$/, "$1Z")) : NaN;
  need(!Number.isNaN(at) && new Date(at).toISOString().slice(0, 19) === text.slice(0, 19), "time");
  return at;
}
const EVENT_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z$/;
const toSecond = (ms) => Math.floor(ms / 1000);
const utcText = (ms) => new Date(ms).toISOString().slice(0, 19).replace("T", " ");

class Policy {
  constructor(bytes) {
    need(bytes.length <= SMALL, "policy-line", { line: 0 });
    this.fingerprint = shaHex(bytes);
    this.logs = []; this.witnesses = []; this.groups = []; this.quorum = null; this.manifest = [];
    this.roots = { "tsa-root": [], "seal-root": [] }; this.operators = new Map(); this.ended = []; this.published = [];
    this.tolerance = null;
    const text = new TextDecoder().decode(bytes);
    need(!/[\x00-\x08\x0b-\x1f\x7f]/.test(text), "policy-line", { line: 0 });
    const names = new Set(["none"]), members = new Set(), keys = new Set();
    text.split("\n").forEach((row, number) => {
      try { this.line(row.split(/[ \t]+/).filter(Boolean), names, members, keys); } catch (error) {
        throw new Bad("policy-line", { line: number + 1 });
      }
    });
    need(this.quorum !== null, "policy-quorum");
    if (this.tolerance === null) this.tolerance = 300;
  }
  line(w, names, members, keys) {
    const fresh = (key) => { const k = hex(key.public); need(!keys.has(k)); keys.add(k); return key; };
    if (!w.length || (w[0].startsWith("#") && w[0] !== "#counterfoil")) return;
    if (w[0] === "#counterfoil") return this.pin(w.slice(1));
    if (w[0] === "log" && w.length >= 2 && w.length <= 3) return void this.logs.push(fresh(readVkey(w[1], 1)));
    if (w[0] === "witness" && w.length >= 3 && w.length <= 4) {
      need(!names.has(w[1]));
      this.witnesses.push({ name: w[1], key: fresh(readVkey(w[2], 4)) });
      return void names.add(w[1]);
    }
    if (w[0] === "group" && w.length > 3) {
      const list = w.slice(3), many = { all: list.length, any: 1 }[w[2]] || (/^[1-9][0-9]{0,4}$/.test(w[2]) ? +w[2] : 0);
      need(!names.has(w[1]) && many >= 1 && many <= list.length);
      for (const m of list) { need(m !== "none" && names.has(m) && !members.has(m)); members.add(m); }
      this.groups.push({ name: w[1], many, members: list });
      return void names.add(w[1]);
    }
    need(w[0] === "quorum" && w.length === 2 && this.quorum === null && names.has(w[1]));
    this.quorum = w[1];
  }
  pin(w) {
    if (w[0] === "manifest-key" && w.length === 2) return void this.manifest.push(readVkey(w[1], 1));
    if (w[0] in this.roots && w.length === 3) {
      need(/^[0-9a-f]{64}$/.test(w[2]));
      return void this.roots[w[0]].push(w[2]);
    }
    if (w[0] === "operator" && w.length === 3) {
      need(this.witnesses.some((x) => x.name === w[1]) && !this.operators.has(w[1]));
      return void this.operators.set(w[1], w[2]);
    }
    if (w[0] === "tsa-tolerance" && w.length === 2) {
      need(/^(0|[1-9][0-9]{0,5})$/.test(w[1]) && this.tolerance === null);
      return void (this.tolerance = +w[1]);
    }
    if (w[0] === "ended" && w.length === 3) {
      const [, name, id] = /^([^+]*)\+([0-9a-f]{8})$/.exec(w[1]) || [];
      need(id !== undefined);
      return void this.ended.push({ id: name + "+" + id, at: moment(w[2]) });
    }
    need(w[0] === "checkpoint" && w.length === 4 && /^(0|[1-9][0-9]{0,18})$/.test(w[2]) && BigInt(w[2]) < 2n ** 63n);
    const root = b64(w[3]);
    need(root.length === 32);
    this.published.push({ origin: w[1], size: Number(w[2]), root });
  }
  satisfied(given) { // of one operator's witnesses only the first in the policy that cosigned counts
    const met = new Set(), operators = new Set();
    for (const { name } of this.witnesses) {
      if (!given.has(name)) continue;
      const operator = this.operators.get(name);
      if (operator === undefined || !operators.has(operator)) met.add(name);
      if (operator !== undefined) operators.add(operator);
    }
    for (const g of this.groups) if (g.members.filter((m) => met.has(m)).length >= g.many) met.add(g.name);
    return this.quorum === "none" || met.has(this.quorum);
  }
}

// ---- the container: an archive must be, byte for byte, the one that its files give
function record(...fields) { // little-endian: [width, value] each
  const out = new Uint8Array(fields.reduce((sum, [width]) => sum + width, 0)), view = new DataView(out.buffer);
  let at = 0;
  for (const [width, value] of fields) {
    if (width === 2) view.setUint16(at, value, true);
    if (width === 4) view.setUint32(at, value, true);
    if (width === 8) view.setBigUint64(at, BigInt(value), true);
    at += width;
  }
  return out;
}
const u16 = (...values) => values.map((v) => [2, v]);
const u32 = (...values) => values.map((v) => [4, v]);
const u64 = (...values) => values.map((v) => [8, v]);
function localHeader(name, crc, size) {
  const extra = size >= BIG ? record(...u16(1, 16), ...u64(size, size)) : new Uint8Array(0), shown = Math.min(size, BIG);
  return join(record(...u32(0x04034b50), ...u16(extra.length ? 45 : 20, 0, 0, 0, 33), ...u32(crc, shown, shown),
    ...u16(name.length, extra.length)), name, extra);
}
function centralEntry(name, crc, size, at) {
  const wide = [...(size >= BIG ? [size, size] : []), ...(at >= BIG ? [at] : [])], version = wide.length ? 45 : 20;
  const extra = wide.length ? record(...u16(1, 8 * wide.length), ...u64(...wide)) : new Uint8Array(0);
  return join(record(...u32(0x02014b50), ...u16(768 | version, version, 0, 0, 0, 33),
    ...u32(crc, Math.min(size, BIG), Math.min(size, BIG)), ...u16(name.length, extra.length, 0, 0, 0),
    ...u32((0o100644 << 16) >>> 0, Math.min(at, BIG))), name, extra);
}
function ending(count, size, at) {
  const few = Math.min(count, 0xffff);
  const wide = count >= 0xffff || size >= BIG || at >= BIG ? [record(...u32(0x06064b50), ...u64(44), ...u16(813, 45),
    ...u32(0, 0), ...u64(count, count, size, at)), record(...u32(0x07064b50, 0), ...u64(at + size), ...u32(1))] : [];
  return join(...wide, record(...u32(0x06054b50), ...u16(0, 0, few, few), ...u32(Math.min(size, BIG), Math.min(at, BIG)), ...u16(0)));
}
class Reader { // reads a Blob from front to back through one buffer
  constructor(blob) { this.blob = blob; this.from = 0; this.held = new Uint8Array(0); }
  async bytes(at, length) {
    if (at < this.from || at + length > this.from + this.held.length) {
      this.from = at;
      try {
        this.held = new Uint8Array(await this.blob.slice(at, at + Math.max(length, CHUNK)).arrayBuffer());
      } catch (error) { throw new CannotRun("cannot-read", { why: String(error.message || error) }); }
    }
    return this.held.subarray(at - this.from, at - this.from + length);
  }
}
const number32 = (bytes, at) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
async function readArchive(c, progress) {
  const reader = new Reader(c.blob), total = c.blob.size, rows = [], twins = new Set(), broken = [];
  let at = 0, last = "", hashed = 0;
  for (;;) {
    const fixed = await reader.bytes(at, 30), magic = fixed.length >= 4 ? number32(fixed, 0) : 0;
    if (magic === 0x02014b50 || magic === 0x06054b50 || magic === 0x06064b50) break;
    need(fixed.length === 30 && magic === 0x04034b50, "container-start");
    const crc = number32(fixed, 14), shown = number32(fixed, 18);
    const n = fixed[26] | (fixed[27] << 8), m = fixed[28] | (fixed[29] << 8);
    const all = (await reader.bytes(at, 30 + n + m)).slice(), name = all.subarray(30, 30 + n);
    let size = shown;
    if (shown === BIG && m === 20 && all.length === 50 + n) size = Number(new DataView(all.buffer).getBigUint64(34 + n, true));
    need(Number.isSafeInteger(size) && same(all, localHeader(name, crc, size)), "container-header", { number: rows.length + 1 });
    const text = binary(name);
    need(text > last, "container-order");
    last = text;
    const slash = text.indexOf("/"), top = text.slice(0, slash), inner = text.slice(slash + 1);
    need(slash > 0 && SAFE.test(text) && (!rows.length || top === c.top), "container-name");
    need(!twins.has(inner.toLowerCase()), "container-twin", { path: inner });
    need(rows.length < 20000, "container-many");
    twins.add(inner.toLowerCase());
    c.top = top;
    const start = at + all.length;
    need(size <= total - start, "container-cut", { path: inner });
    let check = 0;
    const sum = new Sha256();
    for (let done = 0; done < size; ) {
      const chunk = await reader.bytes(start + done, Math.min(CHUNK, size - done));
      need(chunk.length, "container-cut", { path: inner });
      check = crc32(chunk, check);
      sum.update(chunk);
      done += chunk.length;
      hashed += chunk.length;
      if (progress && (hashed > CHUNK || done === size)) { hashed = 0; await progress(start + done, total, inner); }
    }
    if (check !== crc) broken.push(inner);
    c.files.set(inner, { start, size, sha256: hex(sum.digest()) });
    rows.push(centralEntry(name, crc, size, at));
    at = start + size;
  }
  need(!broken.length, "container-crc", { path: broken[0] });
  const directory = join(...rows), rest = join(directory, ending(rows.length, directory.length, at));
  need(total - at === rest.length && same(await new Reader(c.blob).bytes(at, rest.length), rest), "container-end");
}

class Case {
  constructor(blob, policy) {
    this.blob = blob; this.policyBytes = policy; this.policy = null; this.top = ""; this.files = new Map();
    this.events = []; this.cosigned = []; this.stamps = []; this.development = false; this.witnessed = false;
  }
  has(path) { return this.files.has(path); }
  async read(path, limit = SMALL) {
    const file = this.files.get(path);
    need(file, "no-file", { path });
    need(file.size <= limit, "too-long", { path });
    return new Uint8Array(await this.blob.slice(file.start, file.start + file.size).arrayBuffer());
  }
  async json(path) { return canonical(await this.read(path, LARGE)); }
  async history() { // every period of every key: {role, from, to, key, revoked, reason}
    const [head, ...lines] = splitNote(await this.read("keys/history.note")).text.slice(0, -1).split("\n");
    need(head === "counterfoil/key-history/v1", "history");
    return lines.map((line) => {
      const w = line.split(" "), late = w.slice(4);
      need(["log", "receipt", "manifest"].includes(w[0]) && (w.length === 4 || (late.length === 3 && late[0] === "revoked" &&
        /^[a-z][a-z-]{0,39}$/.test(late[2]))), "history");
      return { role: w[0], from: moment(w[1]), to: w[2] === "-" ? Infinity : moment(w[2]), key: readVkey(w[3], 1),
        revoked: late.length ? moment(late[1]) : Infinity, reason: late[2] || "" };
    });
  }
  async ownKeys(role) {
    const found = new Map((await this.history()).filter((p) => p.role === role).map((p) => [p.key.id, p.key]));
    return [...found.values()];
  }
}
const paths = (c, test) => [...c.files.keys()].filter(test).sort();
const folderOf = (label) => {
  const name = String(label).replaceAll("/", "-");
  need(SAFE.test(name) && name !== "bundle", "label", { label: String(label) });
  return name;
};

// ---- the checks; each returns nothing when it is proved, or [state, code, facts]
const notProved = (code, facts = {}) => ["not-proved", code, facts];
const CHECKS = {
  container: (c, progress) => readArchive(c, progress),

  async manifest(c) {
    c.manifest = await c.json("manifest.json");
    need(keysAre(c.manifest, "files format name") && c.manifest.format === "counterfoil/bundle/v1", "manifest-form");
    need(c.top === c.manifest.name, "manifest-name");
    for (const row of c.manifest.files) {
      need(keysAre(row, "path sha256 size") && Number.isInteger(row.size), "manifest-form");
    }
    const listed = c.manifest.files.map((row) => row.path);
    need(listed.every((path, n) => typeof path === "string" && (!n || listed[n - 1] < path)), "manifest-form");
  },

  async files(c) {
    const listed = new Set();
    for (const { path, size, sha256: digest } of c.manifest.files) {
      const file = c.files.get(path);
      need(file, "file-missing", { path });
      need(file.size === size && file.sha256 === digest, "file-altered", { path });
      listed.add(path);
    }
    const extra = paths(c, (p) => !listed.has(p) && !UNLISTED.includes(p));
    need(!extra.length, "file-extra", { path: extra[0] });
    need(!UNLISTED.some((p) => listed.has(p)), "manifest-form");
  },

  async bag(c) {
    const lines = (test) => paths(c, test).map((p) => `${c.files.get(p).sha256}  ${p}\n`).join("");
    for (const [path, wanted] of [
      ["bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"],
      ["manifest-sha256.txt", lines((p) => p.startsWith("data/"))],
      ["tagmanifest-sha256.txt", lines((p) => !p.startsWith("data/") && p !== "tagmanifest-sha256.txt")],
    ]) need(same(await c.read(path, LARGE), bytesOf(wanted)), "bag", { path });
  },

  async exhibits(c) {
    const x = (c.listing = await c.json("data/exhibits.json"));
    need(keysAre(x, LISTING) && x.format === "counterfoil/exhibits/v2", "listing-form");
    need(x.exhibits.every((row) => keysAre(row, ROW)), "listing-form");
    need(x.name === c.manifest.name, "listing-name");
    const wanted = new Set(["data/exhibits.json", "data/report.pdf", ...Object.keys(x.papers)]), folders = new Set();
    for (const e of x.exhibits) {
      const folder = folderOf(e.label), places = e.restricted ? [] : [["master", e.path, e]];
      places.push(...e.working.map((w) => ["working", w.path, w]));
      need(!folders.has(folder.toLowerCase()) && !(e.restricted && (e.path !== null || places.length)), "exhibit-twice", { label: e.label });
      folders.add(folder.toLowerCase());
      for (const [kind, path, row] of places) {
        const head = `data/exhibits/${folder}/${kind}/${row.sha256.slice(0, 16)}.`, file = c.files.get(path);
        need(String(path).startsWith(head) && /^[a-z0-9]{1,5}$/.test(path.slice(head.length)), "exhibit-place", { label: e.label });
        wanted.add(path);
        need(file && file.size === row.size && file.sha256 === row.sha256, "exhibit-file", { label: e.label, path });
      }
    }
    for (const [path, digest] of [...Object.entries(x.papers), ...Object.entries(x.annex)]) {
      need(c.has(path) && c.files.get(path).sha256 === digest, "paper", { path });
    }
    need(Object.keys(x.annex).every((p) => !p.startsWith("data/")) && !Object.keys(x.annex).some((p) => p in x.papers), "listing-form");
    const data = paths(c, (p) => p.startsWith("data/")), odd = data.find((p) => !wanted.has(p));
    need(!odd && data.length === wanted.size, "data-extra", { path: odd || [...wanted].find((p) => !c.has(p)) });
    const octets = data.reduce((sum, p) => sum + c.files.get(p).size, 0);
    need(textOf(await c.read("bag-info.txt")) === `Bag-Software-Agent: Counterfoil ${x.format}\nBagging-Date: ${x.built_at.slice(0, 10)}\n` +
      `External-Identifier: ${x.urn}\nPayload-Oxum: ${octets}.${data.length}\nSource-Organization: ${x.force}\n`, "bag", { path: "bag-info.txt" });
    const fixed = new Set([...UNLISTED, "bagit.txt", "bag-info.txt", "manifest-sha256.txt", "custody/events.jsonl", "log/checkpoint",
      "proofs/bundle.tlog-proof", ...Object.keys(x.annex), ...x.exhibits.map((e) => `proofs/${folderOf(e.label)}.tlog-proof`)]);
    const stray = paths(c, (p) => !p.startsWith("data/") && !fixed.has(p) && ![STAMP_FILE, CHAIN_FILE, CONSISTENCY_FILE].some((f) => f.test(p)));
    need(!stray.length, "no-place", { path: stray[0] });
    const titles = await c.json("custody/titles.json");
    c.actors = await c.json("custody/actors.json");
    need(Object.entries(titles).every(([digest, text]) => shaHex(bytesOf(text)) === digest), "title");
    need(x.exhibits.every((e) => shaHex(bytesOf(e.title)) in titles), "title");
    c.development ||= Boolean(x.development);
  },

  async custody(c) {
    const lines = textOf(await c.read("custody/events.jsonl", LARGE)).split("\n");
    need(lines.pop() === "" && lines.length && lines.length <= 200000, "events-form");
    c.events = lines.map((line) => readEvent(bytesOf(line)));
    need(c.events.every((e, n) => !n || c.events[n - 1].index < e.index), "events-order");
    const by = (c.byCommitment = new Map(c.events.map((e) => [e.commitmentHex, e])));
    c.proved = new Map();
    const wanted = new Set(c.listing.events);
    for (const x of c.listing.exhibits) {
      const mine = x.events.map((h) => by.get(h)), gap = mine.findIndex((e) => !e);
      need(gap < 0, "event-missing", { label: x.label, place: gap + 1, of: mine.length, before: mine[gap - 1], after: mine.slice(gap).find(Boolean) });
      need(mine.every((e, n) => !n || mine[n - 1].index < e.index), "exhibit-order", { label: x.label });
      const own = mine.find((e) => e.body && e.body.sha256 === x.sha256);
      need(own, "exhibit-unlogged", { label: x.label });
      c.proved.set(folderOf(x.label), own);
      x.events.forEach((h) => wanted.add(h));
    }
    need([...wanted].every((h) => by.has(h)), "case-event-missing");
    const rest = c.events.filter((e) => !wanted.has(e.commitmentHex));
    need(by.size === c.events.length && rest.length === 1 && rest[0].body && rest[0].body.act === "bundle.sealed", "sealing");
    c.sealed = rest[0];
    c.proved.set("bundle", c.sealed);
    const indexed = new Map(c.events.map((e) => [e.index, e]));
    for (const e of c.events) {
      if (e.body) { e.at = moment(String(e.body.at), EVENT_TIME); continue; }
      const eraser = indexed.get(e.erasedBy), named = eraser && eraser.body && eraser.body.act === "exhibit.erased" && eraser.body.entries;
      need(Array.isArray(named) && named.includes(e.index), "erased", { index: e.index });
    }
  },

  async derivations(c) {
    const rows = new Map(c.listing.exhibits.map((x) => [x.label, x])), whole = new Map();
    for (const s of Object.values(await schedulesOf(c))) for (const i of itemsOf(s)) if (i.exhibit) whole.set(i.exhibit, i.sha256);
    const papers = new Set(Object.keys(c.listing.papers).filter((p) => p.startsWith("data/exhibits/")));
    c.derivations = new Map();
    for (const [label, x] of rows) {
      const place = `data/exhibits/${folderOf(label)}/derivation.json`, told = x.parent !== null || x.working.length ? place : null;
      need(x.derivation === told && (x.parent === null) === (x.recipe_sha256 === null), "underived", { label });
      if (told === null) continue;
      papers.delete(place);
      const made = await c.json(place);
      need(keysAre(made, "format label parent recipe sha256 working") && made.format === "counterfoil/derivation/v1" && made.label === label &&
        made.sha256 === x.sha256 && made.parent === x.parent && made.working.length === x.working.length &&
        made.working.every((w, n) => w.path === x.working[n].path && w.recipe.input_sha256 === x.sha256), "derivation", { label });
      c.derivations.set(label, made);
      if (x.parent === null) continue;
      const parent = rows.get(x.parent), digest = parent ? parent.sha256 : whole.get(x.parent);
      need(digest !== undefined, "no-parent", { label, parent: x.parent });
      need(made.recipe.input_sha256 === digest && !(parent && parent.restricted), "other-parent", { label, parent: x.parent });
      const recipe = shaHex(bytesOf(jcs(made.recipe)));
      const logged = x.events.some((h) => (c.byCommitment.get(h).body || {}).recipe_sha256 === recipe);
      need(x.recipe_sha256 === recipe && logged, "recipe", { label });
    }
    need(!papers.size, "derivation", { label: [...papers][0] });
  },

  async schedules(c) {
    const found = (c.schedules = await schedulesOf(c)), audience = c.listing.audience;
    need(["defence", "prosecutor"].includes(audience) && (audience === "prosecutor" || !("MG6D" in found)), "mg6d-defence");
    need(audience !== "prosecutor" || !("MG6C" in found) || "MG6D" in found, "mg6d-missing");
    for (const [form, s] of Object.entries(found)) {
      need(["MG12", "MG6C", "MG6D"].includes(form) && keysAre(s, "form format issues") && s.form === form &&
        s.format === "counterfoil/schedule/v1" && s.issues.length, "schedule-form", { form });
      s.issues.forEach((issue, n) => {
        need(keysAre(issue, "endorsed_nil items number signed_at signed_by") && issue.number === n + 1, "schedule-issue", { form, number: n + 1 });
        need(issue.endorsed_nil === !issue.items.length, "schedule-nil", { form, number: n + 1 });
      });
      const things = new Map();
      for (const { number: issue, items } of s.issues) items.forEach((item, n) => {
        need(keysAre(item, "comment decision description exhibit location number reason sha256") && (!item.reason || form === "MG6D"), "schedule-form", { form });
        need(Number.isInteger(item.number) && (!n || items[n - 1].number < item.number), "schedule-order", { form, number: issue });
        need((things.get(item.number) ?? item.exhibit) === item.exhibit, "schedule-other", { form, number: item.number });
        things.set(item.number, item.exhibit);
      });
      [...things.keys()].sort((a, b) => a - b).forEach((number, n) => need(number === n + 1, "schedule-item", { form, number: n + 1 }));
      if (form === "MG12") {
        const one = s.issues[s.issues.length - 1].items.map((i) => i.exhibit + " " + i.sha256).sort().join("\n");
        need(one === c.listing.exhibits.map((x) => x.label + " " + x.sha256).sort().join("\n"), "mg12");
      }
    }
  },

  async policy(c) {
    if (!c.policyBytes) return notProved("no-policy");
    try { c.policy = new Policy(c.policyBytes); } catch (error) {
      throw new CannotRun(error instanceof Bad ? error.code : "policy-line", error.facts || { line: 0 });
    }
    return ["ok", "policy-read", { fingerprint: c.policy.fingerprint }];
  },

  async "manifest-note"(c) {
    const bytes = await c.read("manifest.note"), { text, signatures } = splitNote(bytes);
    need(text === `counterfoil/bundle/v1\n${c.manifest.name}\n${c.files.get("manifest.json").sha256}\n`, "other-list");
    need(signatures.length === 1, "one-signature");
    const pinned = c.policy ? c.policy.manifest : [];
    c.manifestKey = (await openNote(bytes, pinned.length ? pinned : await c.ownKeys("manifest"))).signed[0];
    c.development ||= c.manifestKey.name.includes("DEVELOPMENT");
    if (!pinned.length) return notProved("unpinned-list", { key: c.manifestKey.name });
  },

  async checkpoint(c) {
    const bytes = await c.read("log/checkpoint"), logs = c.policy ? c.policy.logs : await c.ownKeys("log");
    const { text, signed } = await openNote(bytes, [...logs, ...(c.policy ? c.policy.witnesses.map((w) => w.key) : [])]);
    const rows = text.slice(0, -1).split("\n");
    need(rows.length >= 3 && rows.every(Boolean) && /^(0|[1-9][0-9]{0,18})$/.test(rows[1]), "checkpoint-form");
    c.size = Number(rows[1]);
    c.root = b64(rows[2]);
    need(c.root.length === 32, "checkpoint-form");
    c.log = signed.find((key) => key.kind === 1 && key.name === rows[0]);
    need(c.log, "checkpoint-log");
    c.signed = new Set(signed.map((key) => key.id));
    c.development ||= c.log.name.includes("DEVELOPMENT");
    for (const known of c.policy ? c.policy.published : []) {
      if (known.origin !== rows[0] || known.size > c.size) continue;
      const path = `log/consistency-from-${known.size}.txt`;
      let grew = known.size === c.size && same(known.root, c.root);
      if (known.size < c.size) {
        if (!c.has(path)) continue;
        const lines = textOf(await c.read(path)).split("\n");
        need(lines.pop() === "" && lines.length <= 63, "malformed");
        grew = grewFrom(known.size, c.size, known.root, c.root, lines.map(b64));
      }
      need(grew, "rewritten", { size: known.size });
    }
    if (!c.policy) return notProved("unpinned-log", { key: c.log.name });
  },

  async inclusion(c) {
    for (const e of c.events) {
      let root;
      try { root = rootOf(leafHash(e.commitment), e.index, c.size, e.proof); } catch { root = new Uint8Array(0); }
      need(same(root, c.root), "not-in-log", { event: e });
    }
    const note = await c.read("log/checkpoint");
    for (const [name, e] of c.proved) {
      const head = ["c2sp.org/tlog-proof@v1", `index ${e.index}`, ...e.proof.map(toB64)].join("\n") + "\n\n";
      need(same(await c.read(`proofs/${name}.tlog-proof`, LARGE), join(bytesOf(head), note)), "proof-file", { name, event: e });
    }
  },

  async payload(c) {
    need(c.sealed.body.payload_sha256 === c.files.get("manifest-sha256.txt").sha256, "other-payload", { event: c.sealed });
  },

  async witnesses(c) {
    if (!c.policy) return notProved("witness-nopolicy");
    c.cosigned = c.policy.witnesses.filter((w) => c.signed.has(w.key.id));
    const names = (list) => new Set(list.map((w) => w.name)), real = c.cosigned.filter((w) => !w.key.name.includes("DEVELOPMENT"));
    if (c.policy.quorum === "none") return notProved("witness-none");
    c.witnessed = c.policy.satisfied(names(real));
    if (c.witnessed) return ["ok", "witness-quorum", { names: real.map((w) => w.name).join(", ") }];
    if (c.policy.satisfied(names(c.cosigned))) return notProved("witness-development");
    throw new Bad("witness-few", { signed: c.cosigned.length, of: c.policy.witnesses.length });
  },

  async timestamp(c) {
    const names = new Set(), pinned = c.policy ? c.policy.roots["tsa-root"] : [];
    for (const p of c.files.keys()) { const m = STAMP_FILE.exec(p); if (m && !m[2]) names.add(m[1]); }
    for (const p of c.files.keys()) { const m = STAMP_FILE.exec(p) || CHAIN_FILE.exec(p); need(!m || names.has(m[1]), "stamp-stray", { path: p }); }
    for (const name of [...names].sort()) c.stamps.push(await checkStamp(c, name, pinned));
    need(c.stamps.length, "stamp-none");
    const times = c.stamps.map((s) => s.at), tolerance = c.policy ? c.policy.tolerance : 300;
    c.stamped = Math.min(...times);
    need(Math.max(...times) - c.stamped <= tolerance * 1000, "stamp-apart", { seconds: tolerance });
    const facts = { when: utcText(c.stamped), names: c.stamps.map((s) => s.name).join(", ") };
    return pinned.length ? ["ok", "stamped", facts] : notProved("unpinned-stamp", facts);
  },

  async "key-history"(c) {
    await openNote(await c.read("keys/history.note"), [c.log]);
    const built = moment(c.listing.built_at), at = toSecond(c.stamped) * 1000, history = await c.history();
    for (const [role, key] of [["log", c.log], ["manifest", c.manifestKey]]) {
      const mine = history.filter((p) => p.role === role && p.key.vkey === key.vkey), covers = (p, t) => p.from <= t && t <= p.to;
      need(mine.some((p) => covers(p, built) && covers(p, at)), "key-unknown", { role, key: key.name });
      const gone = mine.find((p) => p.revoked <= at);
      need(!gone, "key-revoked", { role, key: key.name, reason: gone && gone.reason });
      need(!(c.policy && c.policy.ended.some((e) => e.id === key.id && e.at <= at)), "key-ended", { role, key: key.name });
    }
  },

  async report(c) {
    c.pdf = new Pdf(await c.read("data/report.pdf", REPORT));
    c.pdf.checkWhole();
  },

  async attachment(c) {
    need(same(await c.pdf.attached(), await c.read("data/exhibits.json", LARGE)), "attachment");
  },

  async seal(c) {
    const roots = c.policy ? c.policy.roots : { "tsa-root": [], "seal-root": [] };
    c.sealedAt = await c.pdf.checkSeal(roots, c);
    if (!roots["tsa-root"].length || !roots["seal-root"].length) return notProved("unpinned-seal");
    return ["ok", "sealed", { when: utcText(c.sealedAt) }];
  },
};

function readEvent(bytes) {
  const value = canonical(bytes), erased = keysAre(value, "commitment erased index proof");
  need(erased || keysAre(value, "body index proof salt"), "events-form");
  need(Number.isInteger(value.index) && value.index >= 0 && Array.isArray(value.proof), "events-form");
  const proof = value.proof.map(b64);
  need(proof.every((h) => h.length === 32), "events-form");
  let commitment;
  if (erased) {
    need(keysAre(value.erased, "by_index") && Number.isInteger(value.erased.by_index) && /^[0-9a-f]{64}$/.test(value.commitment), "events-form");
    commitment = unhex(value.commitment);
  } else {
    need(plain(value.body) && typeof value.salt === "string" && /^[0-9a-f]{64}$/.test(value.salt), "events-form");
    commitment = sha256(join(bytesOf("counterfoil/entry/v1\0"), unhex(value.salt), bytesOf(jcs(value.body))));
  }
  return { index: value.index, body: erased ? null : value.body, erasedBy: erased ? value.erased.by_index : null, proof, commitment,
    commitmentHex: hex(commitment), at: null };
}
async function schedulesOf(c) {
  const found = {};
  for (const p of Object.keys(c.listing.papers)) if (p.startsWith("data/schedules/")) found[p.slice(15, -5)] = await c.json(p);
  return found;
}
const itemsOf = (schedule) => schedule.issues.flatMap((issue) => issue.items);

// ---- DER, certificates, revocation lists and CMS (X.690, RFC 5280, RFC 5652, RFC 3161)
const OID = {
  "2a864886f70d010702": "signedData", "2a864886f70d010701": "data", "2a864886f70d0109100104": "tstInfo",
  "2a864886f70d010903": "contentType", "2a864886f70d010904": "messageDigest", "2a864886f70d010910022f": "signingCertificateV2",
  "2a864886f70d010910020c": "signingCertificate",
  "608648016503040201": "SHA-256", "608648016503040202": "SHA-384", "608648016503040203": "SHA-512", "2b0e03021a": "SHA-1",
  "2a864886f70d010101": "RSA", "2a864886f70d01010b": "RSA-SHA-256", "2a864886f70d01010c": "RSA-SHA-384", "2a864886f70d01010d": "RSA-SHA-512",
  "2a864886f70d01010a": "RSA-PSS", "2a8648ce3d0201": "EC", "2a8648ce3d030107": "P-256", "2b81040022": "P-384", "2b81040023": "P-521",
  "2a8648ce3d040302": "EC-SHA-256", "2a8648ce3d040303": "EC-SHA-384", "2a8648ce3d040304": "EC-SHA-512", "2b6570": "Ed25519",
  "551d13": "basicConstraints", "551d25": "extKeyUsage", "551d0f": "keyUsage", "2b06010505070308": "timeStamping",
};
class Der {
  constructor(bytes, at = 0, limit = bytes.length) {
    need(at + 2 <= limit, "der");
    let length = bytes[at + 1], start = at + 2;
    if (length & 0x80) {
      const count = length & 0x7f;
      need(count >= 1 && count <= 4 && start + count <= limit, "der");
      length = 0;
      for (let n = 0; n < count; n++) length = length * 256 + bytes[start + n];
      need(length >= 128 && (count === 1 || bytes[start] !== 0), "der");
      start += count;
    }
    need(start + length <= limit && (bytes[at] & 0x1f) !== 0x1f, "der");
    Object.assign(this, { bytes, at, start, end: start + length, tag: bytes[at] });
  }
  get body() { return this.bytes.subarray(this.start, this.end); }
  get whole() { return this.bytes.subarray(this.at, this.end); }
  get parts() {
    const found = [];
    for (let at = this.start; at < this.end; at = found[found.length - 1].end) found.push(new Der(this.bytes, at, this.end));
    return found;
  }
  is(tag) { need(this.tag === tag, "der"); return this; }
  get oid() { this.is(6); return OID[hex(this.body)] || hex(this.body); }
  get time() { // RFC 5280, section 4.1.2.5; a GeneralizedTime may carry a fraction
    const text = binary(this.body), m = this.tag === 0x17 ? /^(\d\d)(\d{10})Z$/.exec(text) : /^(\d{14})(\.\d{1,6})?Z$/.exec(text);
    need(m && (this.tag === 0x17 || this.tag === 0x18), "der");
    const full = this.tag === 0x17 ? (m[1] < "50" ? "20" : "19") + m[1] + m[2] : m[1];
    const t = full.replace(/(....)(..)(..)(..)(..)(..)/, "$1-$2-$3T$4:$5:$6");
    return moment(t + "Z") + (this.tag === 0x18 && m[2] ? Math.floor(Number(m[2]) * 1000) : 0);
  }
  bits() { this.is(3); need(this.body[0] === 0, "der"); return this.body.subarray(1); }
}
const der = (bytes) => { const value = new Der(bytes); need(value.end === bytes.length, "der-trailing"); return value; };
class Certificate {
  constructor(bytes) {
    const [tbs, algorithm, signature] = der(bytes).is(0x30).parts, rows = tbs.is(0x30).parts;
    if (rows[0].tag === 0xa0) rows.shift();
    const [serial, , issuer, validity, subject, spki, ...more] = rows, exts = more.find((r) => r.tag === 0xa3);
    Object.assign(this, { der: bytes, tbs: tbs.whole, algorithm, signature: signature.bits(), serial: hex(serial.is(2).body), issuer: hex(issuer.whole),
      subject: hex(subject.whole), from: validity.parts[0].time, to: validity.parts[1].time, spki, fingerprint: shaHex(bytes),
      development: binary(subject.whole).includes("DEVELOPMENT"), extensions: new Map() });
    for (const row of exts ? exts.parts[0].parts : []) {
      const cells = row.parts;
      need(!this.extensions.has(cells[0].oid), "der");
      this.extensions.set(cells[0].oid, { critical: cells.length === 3 && cells[1].body[0] === 255, value: new Der(cells[cells.length - 1].is(4).body) });
    }
    this.name = (/[^\x00-\x1f\x7f-\xff]{4,}$/.exec(binary(subject.whole)) || ["?"])[0];
  }
  get authority() {
    const basic = this.extensions.get("basicConstraints"), usage = this.extensions.get("keyUsage");
    return Boolean(basic && basic.value.parts[0] && basic.value.parts[0].tag === 1 && basic.value.parts[0].body[0] === 255 &&
      (!usage || (usage.value.body[1] & 4)));
  }
  get stamps() {
    const usage = this.extensions.get("extKeyUsage");
    return Boolean(usage && usage.critical && usage.value.parts.length === 1 && usage.value.parts[0].oid === "timeStamping");
  }
}
class RevocationList {
  constructor(bytes) {
    const [tbs, algorithm, signature] = der(bytes).is(0x30).parts, rows = tbs.parts.filter((r, n) => !(n === 0 && r.tag === 2));
    const [, issuer, from, ...more] = rows;
    Object.assign(this, { tbs: tbs.whole, algorithm, signature: signature.bits(), issuer: hex(issuer.whole), from: from.time });
    this.to = more.length && (more[0].tag === 0x17 || more[0].tag === 0x18) ? more.shift().time : Infinity;
    this.revoked = new Set(more.length && more[0].tag === 0x30 ? more[0].parts.map((r) => hex(r.parts[0].body)) : []);
  }
}
function rawEcdsa(signature, width) { // r and s, each in its full width, as WebCrypto wants them
  const parts = der(signature).is(0x30).parts;
  need(parts.length === 2, "der");
  return join(...parts.map((p) => {
    let value = p.is(2).body;
    while (value.length && value[0] === 0) value = value.subarray(1);
    need(value.length <= width && !(p.body[0] & 0x80), "der");
    return join(new Uint8Array(width - value.length), value);
  }));
}
async function signedBy(spki, algorithm, data, signature, digest = null) { // say whether the key of an SPKI signed this
  const [keyKind, parameter] = spki.parts[0].parts, kind = keyKind.oid, cells = algorithm.parts, scheme = cells[0].oid;
  try {
    if (kind === "EC" && scheme.startsWith("EC-")) {
      const curve = parameter.oid, width = { "P-256": 32, "P-384": 48, "P-521": 66 }[curve];
      const key = await subtle().importKey("spki", spki.whole, { name: "ECDSA", namedCurve: curve }, false, ["verify"]);
      return await subtle().verify({ name: "ECDSA", hash: scheme.slice(3) }, key, rawEcdsa(signature, width), data);
    }
    if (kind === "RSA" && (scheme === "RSA" || scheme.startsWith("RSA-SHA"))) {
      const hash = scheme === "RSA" ? digest : scheme.slice(4), name = "RSASSA-PKCS1-v1_5";
      const key = await subtle().importKey("spki", spki.whole, { name, hash }, false, ["verify"]);
      return await subtle().verify(name, key, signature, data);
    }
    if (kind === "RSA" && scheme === "RSA-PSS") {
      const rows = Object.fromEntries(cells[1].parts.map((r) => [r.tag, r.parts[0]]));
      const hash = rows[0xa0].parts[0].oid, saltLength = rows[0xa2].body[rows[0xa2].body.length - 1];
      const key = await subtle().importKey("spki", spki.whole, { name: "RSA-PSS", hash }, false, ["verify"]);
      return await subtle().verify({ name: "RSA-PSS", saltLength }, key, signature, data);
    }
    if (kind === "Ed25519" && scheme === "Ed25519") return await ed25519(spki.parts[1].bits(), data, signature);
  } catch (error) {
    if (error instanceof CannotRun) throw error;
    return false;
  }
  return false;
}
// Return the path from a certificate to a trusted root, each valid at a time, signed by the next and not revoked.
async function chainTo(leaf, others, trusted, at, crls, crlsNeeded) {
  const path = [leaf], isTrusted = (x) => trusted.some((t) => t.fingerprint === x.fingerprint);
  for (;;) {
    const last = path[path.length - 1];
    need(last.from <= at && at <= last.to, "cert-time", { name: last.name });
    if (isTrusted(last)) break;
    need(path.length <= 6, "cert-chain");
    let next = null;
    for (const candidate of [...trusted, ...others]) {
      if (candidate.subject !== last.issuer || path.some((x) => x.fingerprint === candidate.fingerprint) || !candidate.authority) continue;
      if (await signedBy(candidate.spki, last.algorithm, last.tbs, last.signature)) { next = candidate; break; }
    }
    need(next, "cert-chain");
    path.push(next);
  }
  for (let n = 0; n + 1 < path.length; n++) {
    const [cert, issuer] = [path[n], path[n + 1]], mine = crls.filter((l) => l.issuer === issuer.subject);
    need(mine.length || !(crls.length || crlsNeeded), "crl-missing", { name: cert.name });
    const inForce = mine.filter((l) => l.from <= at && at <= l.to);
    need(inForce.length || !mine.length, "crl-time", { name: cert.name });
    for (const list of inForce) {
      need(await signedBy(issuer.spki, list.algorithm, list.tbs, list.signature), "crl-signature", { name: issuer.name });
      need(!list.revoked.has(cert.serial), "revoked", { name: cert.name });
    }
  }
  return path;
}
// Check a CMS SignedData over `content` (null: what it carries itself); return who signed and what it carries.
async function checkCms(bytes, content, wantedType, others) {
  const [type, wrapper] = der(bytes).is(0x30).parts;
  need(type.oid === "signedData" && wrapper.tag === 0xa0, "cms");
  const rows = wrapper.parts[0].is(0x30).parts, certs = rows.find((r) => r.tag === 0xa0), signers = rows[rows.length - 1].is(0x31).parts;
  const inner = rows[2].parts, version = rows[0].body[0];
  need(inner[0].oid === wantedType && signers.length === 1, "cms");
  const carried = inner[1] ? inner[1].parts[0].is(4).body : null, data = content === null ? carried : content;
  need(data && (content === null || carried === null), "cms");
  const embedded = (certs ? certs.parts : []).map((r) => new Certificate(r.whole));
  const cells = signers[0].is(0x30).parts, sid = cells[1], hash = cells[2].parts[0].oid, attributes = cells[3];
  need(sid.tag === 0x30 && cells[0].body[0] === 1 && attributes.tag === 0xa0 && /^SHA-(256|384|512)$/.test(hash), "cms");
  if (wantedType === "tstInfo") need(version === 3, "cms");
  const issuer = hex(sid.parts[0].whole), serial = hex(sid.parts[1].body);
  const signer = [...embedded, ...others].find((x) => x.issuer === issuer && x.serial === serial);
  need(signer, "cms");
  const found = new Map();
  for (const row of attributes.parts) {
    const [name, values] = row.parts;
    need(!found.has(name.oid) && values.is(0x31).parts.length === 1, "cms");
    found.set(name.oid, values.parts[0]);
  }
  need(found.has("contentType") && found.get("contentType").oid === wantedType, "cms");
  need(found.has("messageDigest") && same(found.get("messageDigest").is(4).body, await digestOf(hash, data)), "cms-digest");
  const ess = found.get("signingCertificateV2");
  need(ess, "cms");
  const [first] = ess.parts[0].parts, essCells = first.parts, named = essCells[0].tag === 0x30 ? essCells[0].parts[0].oid : "SHA-256";
  need(same(essCells.find((r) => r.tag === 4).body, await digestOf(named, signer.der)), "cms");
  const scheme = cells[4], schemeName = scheme.parts[0].oid, signature = cells[5].is(4).body;
  need(schemeName === "RSA" || schemeName === "RSA-PSS" || schemeName === "Ed25519" || schemeName.endsWith(hash), "cms");
  const signed = attributes.whole.slice();
  signed[0] = 0x31;
  need(await signedBy(signer.spki, scheme, signed, signature, hash), "cms-signature");
  return { signer, embedded, carried };
}
// Check an RFC 3161 token over a SHA-256 digest, to a trusted root; return its time and the certificates it used.
async function checkToken(bytes, digest, certs, roots, crls, crlsNeeded) {
  const { signer, embedded, carried } = await checkCms(bytes, null, "tstInfo", []);
  need(embedded.length === 1, "stamp-certs");
  const info = der(carried).is(0x30).parts, [algorithm, imprint] = info[2].parts;
  need(hex(info[0].body) === "01" && algorithm.parts[0].oid === "SHA-256" && same(imprint.is(4).body, digest), "stamp-other");
  const at = info[4].is(0x18).time, trusted = certs.filter((x) => roots.includes(x.fingerprint));
  need(trusted.length, "stamp-unnamed");
  need(signer.stamps, "stamp-usage");
  const path = await chainTo(signer, certs, trusted, at, crls, crlsNeeded);
  return { at, path, development: path.some((x) => x.development) };
}
function unblock(kind, text) {
  const found = [], form = new RegExp(`-----BEGIN ${kind}-----([A-Za-z0-9+/=\\s]*)-----END ${kind}-----`, "g");
  for (let m; (m = form.exec(text)); ) found.push(b64(m[1].replace(/\s/g, "")));
  return found;
}
const ownRoots = (certs) => certs.filter((x) => x.subject === x.issuer).map((x) => x.fingerprint);
async function checkStamp(c, name, pinned) { // each authority whose timestamp is here must hold
  const certs = [], crls = [];
  for (const p of paths(c, (q) => (CHAIN_FILE.exec(q) || [])[1] === name)) {
    const text = binary(await c.read(p, LARGE));
    if (p.includes("/crl-")) crls.push(...unblock("X509 CRL", text).map((d) => new RevocationList(d)));
    else {
      const found = unblock("CERTIFICATE", text);
      need(found.length, "cert-form", { path: p });
      certs.push(new Certificate(found[0]));
    }
  }
  const numbers = paths(c, (p) => { const m = STAMP_FILE.exec(p); return m && m[1] === name && m[2]; })
    .map((p) => +STAMP_FILE.exec(p)[2]).sort((a, b) => a - b);
  need(numbers.every((number, n) => number === n + 1), "stamp-renewal");
  let covered = await c.read("log/checkpoint"), first = null, last = -Infinity;
  for (const path of [`tsa/${name}.tsr`, ...numbers.map((n) => `tsa/${name}.renewed-${n}.tsr`)]) {
    const reply = await c.read(path), response = new Der(reply);
    need(response.end === reply.length, "stamp-trailing");
    const rows = response.is(0x30).parts;
    need(rows.length === 2 && rows[0].parts.length && hex(rows[0].parts[0].whole) === "020100", "stamp-refused");
    const found = await checkToken(rows[1].whole, sha256(covered), certs, pinned.length ? pinned : ownRoots(certs), crls, false);
    need(found.at >= last, "stamp-renewal");
    c.development ||= found.development;
    first ||= { name, at: found.at, authority: found.path[0].name, renewals: numbers.length };
    covered = reply;
    last = found.at;
  }
  const late = c.events.find((e) => e.at !== null && toSecond(first.at) < toSecond(e.at));
  need(!late, "stamp-early", { event: late });
  return first;
}

// ---- the report (PDF 32000-1): base, seal and archive timestamp are three sections, and nothing else may follow
const FIELD = new RegExp("^\\d+ 0 obj\\n<<\\n/FT /Sig\\n/T \\(\\w+\\)\\n/Type /Annot\\n/Subtype /Widget\\n/F 132\\n/Rect \\[ 0 0 0 0 \\]\\n" +
  "/P \\d+ 0 R\\n/TU \\(\\w+\\)\\n/V \\d+ 0 R\\n>>\\nendobj\\n$");
const firstNumber = (pattern, text) => { const m = pattern.exec(text); need(m, "pdf"); return Number(m[1]); };
class Pdf {
  constructor(bytes) {
    this.bytes = bytes;
    this.text = binary(bytes);
    this.sections = [];
    let at = firstNumber(/startxref\s+(\d{1,12})\s+%%EOF\s*$/, this.text.slice(-64));
    while (at !== null) {
      need(this.sections.length < 3, "pdf-added");
      const form = new RegExp("xref\\s+((?:\\d+ \\d+\\s+(?:\\d{10} \\d{5} [nf]\\s\\s)*)+)trailer\\s+<<([^]*?)>>\\s+startxref\\s+" + at + "\\s+%%EOF\\n?", "y");
      form.lastIndex = at;
      const m = form.exec(this.text), table = new Map();
      need(m, "pdf");
      const words = m[1].split(/\s+/).filter(Boolean);
      for (let w = 0; w < words.length; ) {
        const start = +words[w], count = +words[w + 1];
        for (let n = 0; n < count; n++) {
          const cell = w + 2 + 3 * n;
          if (words[cell + 2] === "n") table.set(start + n, +words[cell]);
        }
        w += 2 + 3 * count;
      }
      this.sections.push({ table, trailer: m[2], at, end: form.lastIndex });
      at = m[2].includes("/Prev") ? firstNumber(/\/Prev (\d+)/, m[2]) : null;
    }
    need(this.sections.length === 3, "pdf-sections");
    this.root = firstNumber(/\/Root (\d+) 0 R/, this.sections[0].trailer);
  }
  bodies(number) { // cut a section into its objects; together they must fill it
    const { table, at: end } = this.sections[number], order = [...table].sort((a, b) => a[1] - b[1]), found = new Map();
    order.forEach(([n, at], k) => {
      const body = this.text.slice(at, k + 1 < order.length ? order[k + 1][1] : end);
      need(body.startsWith(`${n} 0 obj\n`) && body.endsWith("\nendobj\n"), "pdf-hidden");
      found.set(n, body);
    });
    need(order.length && order[0][1] === this.sections[number + 1].end, "pdf-hidden");
    return found;
  }
  get(n) { // an object's dictionary as the newest section has it, and its stream's bytes if it has one
    const section = this.sections.find((s) => s.table.has(n));
    need(section, "pdf");
    const form = new RegExp(`${n} 0 obj\\s+([^]*?)\\s*(?:endobj|stream\\r?\\n)`, "y");
    form.lastIndex = section.table.get(n);
    const m = form.exec(this.text);
    need(m, "pdf");
    const length = m[1].includes("/Length") ? firstNumber(/\/Length (\d+)/, m[1]) : 0;
    return { head: m[1], stream: this.bytes.subarray(form.lastIndex, form.lastIndex + length) };
  }
  signed(number, kind) { // the one signature of a section; it must cover everything up to the section's end
    const all = [...this.bodies(number).values()].join("");
    const found = [...all.matchAll(/\/Contents <([0-9A-Fa-f]+)>\n\/ByteRange \[0 (\d+) (\d+) (\d+)\] *\n\/Type \/(\w+)/g)];
    need(found.length === 1, "pdf-uncovered");
    const [, coded, a, b, n, type] = found[0], raw = unhex(coded), value = new Der(raw);
    need(type === kind && this.text.slice(+a, +b) === `<${coded}>` && +b + +n === this.sections[number].end &&
      raw.subarray(value.end).every((byte) => byte === 0), "pdf-uncovered");
    return { covered: join(this.bytes.subarray(0, +a), this.bytes.subarray(+b, +b + +n)), der: value.whole };
  }
  checkWhole() {
    need(this.text.split("/ByteRange").length === 3 && this.sections[0].end === this.text.length, "pdf-changed");
    this.seal = this.signed(1, "Sig");
    this.stamp = this.signed(0, "DocTimeStamp");
    const before = this.bodies(1), after = this.bodies(0), fresh = [...after.keys()].filter((n) => !before.has(n)).sort((a, b) => a - b);
    need(fresh.length === 2 && fresh[0] >= firstNumber(/\/Size (\d+)/, this.sections[1].trailer) && FIELD.test(after.get(fresh[0])) &&
      firstNumber(/\/Root (\d+) 0 R/, this.sections[1].trailer) === this.root, "pdf-changed");
    for (const [n, body] of after) {
      if (fresh.includes(n)) continue;
      const [now, then] = [body, before.get(n)].map((t) => t.replace(/\/ModDate \([^)]*\)\n/g, ""));
      const metadata = [now, then].every((t) => t.split("stream")[0].includes("\n/Type /Metadata\n"));
      need(now.replaceAll(` ${fresh[0]} 0 R ]`, " ]") === then || metadata, "pdf-changed");
    }
  }
  async attached() {
    const names = firstNumber(/\/EmbeddedFiles <<\n\/Names \[ \(exhibits\\056json\) (\d+) 0 R \]\n>>/, this.get(this.root).head);
    const file = /\/EF\s*<<([^>]*)>>/.exec(this.get(names).head), numbers = new Set([...(file ? file[1] : "").matchAll(/(\d+) 0 R/g)].map((m) => +m[1]));
    need(numbers.size === 1, "pdf");
    const { head, stream } = this.get([...numbers][0]);
    if (!head.includes("/FlateDecode")) return stream;
    if (typeof DecompressionStream === "undefined") throw new CannotRun("no-inflate");
    try {
      return new Uint8Array(await new Response(new Blob([stream]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer());
    } catch { throw new Bad("attachment"); }
  }
  async checkSeal(roots, c) {
    const store = this.get(firstNumber(/\/DSS (\d+) 0 R/, this.get(this.root).head)).head;
    const list = (key) => [...(new RegExp(`/${key} \\[([^\\]]*)\\]`).exec(store) || ["", ""])[1].matchAll(/(\d+) 0 R/g)].map((m) => this.get(+m[1]).stream);
    const certs = list("Certs").map((d) => new Certificate(d)), crls = list("CRLs").map((d) => new RevocationList(d));
    const pick = (kind) => (roots[kind].length ? roots[kind] : ownRoots(certs));
    const stamped = await checkToken(this.stamp.der, sha256(this.stamp.covered), certs, pick("tsa-root"), crls, true);
    const { signer, embedded } = await checkCms(this.seal.der, this.seal.covered, "data", certs);
    const trusted = [...certs, ...embedded].filter((x) => pick("seal-root").includes(x.fingerprint));
    need(trusted.length, "seal-unnamed");
    await chainTo(signer, [...certs, ...embedded], trusted, stamped.at, crls, true);
    c.development ||= certs.some((x) => x.development);
    return stamped.at;
  }
}

// ---- the verdict
async function verify(blob, policyBytes, progress = null) {
  const c = new Case(blob, policyBytes), checks = [];
  let stopped = false, broken = null;
  for (const [name, run] of Object.entries(CHECKS)) {
    let state = "not-run", code = "not-reached", facts = {};
    if (!stopped) {
      try {
        [state, code, facts] = (await run(c, progress)) || ["ok", "ok", {}];
      } catch (error) {
        if (error instanceof CannotRun || error instanceof RangeError) [state, code, facts] = ["not-run", error.code || "no-memory", error.facts || {}];
        else if (error instanceof Bad) [state, code, facts] = ["failed", error.code, error.facts];
        else [state, code, facts] = ["failed", "no-sense", { why: String(error.message || error) }];
      }
    }
    stopped ||= state === "failed" || state === "not-run";
    if (state === "failed") broken = { name, code, facts };
    checks.push({ name, state, code, facts });
  }
  const states = new Set(checks.map((row) => row.state));
  let word = "VERIFIED-UNWITNESSED";
  if (broken) word = "INVALID";
  else if (states.has("not-run")) word = "NOT-VERIFIABLE";
  else if (!policyBytes) word = "INTEGRITY-ONLY";
  else if (c.witnessed && !c.development && states.size === 1) word = "VERIFIED-WITNESSED";
  return { word, exit: EXIT[word], failed: broken ? broken.name : null, checks, case: c, located: broken ? await locate(c, broken) : [] };
}

// ---- where it is: after a failure, say which exhibit, paper and event it touches, as far as what is left can tell
async function locate(c, broken) {
  const found = [], attempt = async (work) => { try { return await work(); } catch { return null; } };
  const listing = c.listing || (await attempt(async () => JSON.parse(textOf(await c.read("data/exhibits.json", LARGE)))));
  c.listing ||= listing;
  c.actors ||= (await attempt(async () => JSON.parse(textOf(await c.read("custody/actors.json", LARGE))))) || {};
  if (!listing || !Array.isArray(listing.exhibits)) return found;
  const events = new Map();
  await attempt(async () => {
    for (const line of textOf(await c.read("custody/events.jsonl", LARGE)).split("\n")) {
      const e = await attempt(() => readEvent(bytesOf(line)));
      if (!e) continue;
      if (e.body) e.at = await attempt(() => moment(String(e.body.at), EVENT_TIME));
      events.set(e.commitmentHex, e);
    }
  });
  const all = [...events.values()].sort((a, b) => a.index - b.index);
  if (!c.events.length) c.events = all;
  const known = new Set([...(listing.events || []), ...listing.exhibits.flatMap((x) => x.events || [])]);
  const sealing = all.find((e) => e.body && e.body.act === "bundle.sealed");
  for (const x of listing.exhibits) {
    const mine = (x.events || []).map((h) => events.get(h)), own = mine.find((e) => e && e.body && e.body.sha256 === x.sha256) || null;
    const file = c.files.get(x.path);
    if (x.path && file && (file.sha256 !== x.sha256 || broken.facts.path === x.path)) found.push({ code: "at-exhibit", label: x.label, title: x.title, event: own });
    if (x.path && !file && c.files.size) found.push({ code: "at-exhibit-gone", label: x.label, title: x.title, event: own });
    for (const w of x.working || []) {
      const copy = c.files.get(w.path);
      if (!copy || copy.sha256 !== w.sha256) found.push({ code: "at-working", label: x.label, title: x.title, event: own });
    }
    mine.forEach((e, n) => {
      if (e || !all.length) return;
      const before = mine.slice(0, n).reverse().find(Boolean) || null, after = mine.slice(n + 1).find(Boolean) || null;
      const altered = all.find((o) => !known.has(o.commitmentHex) && o !== sealing && (!before || o.index > before.index) && (!after || o.index < after.index));
      found.push({ code: altered ? "at-event-altered" : "at-event-gone", label: x.label, title: x.title, place: n + 1, of: mine.length, event: altered || null, before, after });
    });
  }
  for (const h of listing.events || []) if (all.length && !events.has(h)) found.push({ code: "at-case-event" });
  for (const [path, digest] of Object.entries(listing.papers || {})) {
    const file = c.files.get(path);
    if (file && file.sha256 === digest && broken.facts.path !== path) continue;
    const paper = await attempt(async () => JSON.parse(textOf(await c.read(path, LARGE)))), of = path.split("/")[1];
    const signing = paper && paper.text_sha256 && all.find((e) => e.body && Object.values(e.body).includes(paper.text_sha256));
    found.push({ code: file ? "at-paper" : "at-paper-gone", path, kind: of, who: paper && paper.witness, event: signing || null });
  }
  if (["payload", "files", "paper"].includes(broken.name)) await attempt(() => restated(c, listing, all, found));
  if (broken.name === "payload") await attempt(() => revised(c, sealing, found));
  const report = (c.manifest && c.manifest.files || []).find((r) => r.path === "data/report.pdf");
  const held = c.files.get("data/report.pdf");
  if (["report", "attachment", "seal"].includes(broken.name) || (report && held && held.sha256 !== report.sha256)) found.push({ code: "at-report", event: sealing || null });
  if (broken.name === "timestamp") found.push({ code: "at-stamp", event: sealing || null });
  if (broken.code === "witness-few" || broken.code === "rewritten" || ["checkpoint", "manifest-note", "key-history"].includes(broken.name)) {
    for (const x of listing.exhibits) {
      const own = (x.events || []).map((h) => events.get(h)).find((e) => e && e.body && e.body.sha256 === x.sha256);
      found.push({ code: "at-unvouched", label: x.label, title: x.title, event: own || null });
    }
    found.push({ code: "at-sealing", event: sealing || null });
  }
  const seen = new Set();
  return found.filter((row) => { const key = row.code + row.label + row.path + row.place; return !seen.has(key) && seen.add(key); });
}

async function restated(c, listing, all, found) { // a statement whose words are not those whose digest the log holds
  const signings = all.filter((e) => e.body && e.body.act === "statement.signed"), used = new Set(), odd = [];
  for (const path of Object.keys(listing.papers || {}).filter((p) => p.startsWith("data/statements/"))) {
    const paper = await c.json(path), digest = shaHex(bytesOf(paper.text));
    const signing = signings.find((e) => Object.values(e.body).includes(digest));
    if (signing) used.add(signing);
    else odd.push([path, paper]);
  }
  for (const [path, paper] of odd) {
    const left = signings.filter((e) => !used.has(e));
    const exact = left.find((e) => e.body.number !== undefined && paper.reference === `S/${e.body.number}`);
    const event = exact || (left.length === 1 ? left[0] : null);
    found.push({ code: "at-words", path, kind: "statements", who: paper.witness, event });
  }
}
async function revised(c, sealing, found) { // a report that went on after its seal
  try { new Pdf(await c.read("data/report.pdf", REPORT)).checkWhole(); } catch (error) {
    found.push({ code: error.code === "pdf-added" || error.code === "pdf-changed" || error.code === "pdf-sections" ? "at-report-added" : "at-report", event: sealing || null });
  }
}

const exported = { verify, EXIT, CHECKS, Sha256, sha256, crc32, jcs, canonical, ed25519, slowEd25519, Policy, localHeader, centralEntry, ending, rootOf,
  grewFrom, hex, unhex, toB64, Der, Certificate };
if (typeof module !== "undefined") module.exports = exported;
