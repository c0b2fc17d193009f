"""Judge a Counterfoil court bundle offline: python3 verify.py BUNDLE(.zip or folder) [--policy FILE]

Needs Python 3.11 and openssl 3. Use a copy, and a policy (whose keys count), from outside the bundle. Exit codes: 0 VERIFIED-WITNESSED,
3 VERIFIED-UNWITNESSED, 4 INTEGRITY-ONLY, 5 NOT-VERIFIABLE (a check could not run), 6 INVALID."""

# ruff: noqa: B905, E401, E501, E701, E702, FURB167, I001, RET503, RUF010, SIM115, SIM905, UP017
# fmt: off
import base64, datetime, hashlib, json, os, re, struct, subprocess, sys, tempfile, zlib
SENTENCES = {
    "VERIFIED-WITNESSED": (0, "Unchanged since it was sealed, custody record complete, in a log that independent witnesses saw."),
    "VERIFIED-UNWITNESSED": (3, "Unchanged since it was sealed, custody record complete, but no independent witness that counts saw the log."),
    "INTEGRITY-ONLY": (4, "The files agree with one another, but nothing from outside shows who made them: use the court's policy."),
    "NOT-VERIFIABLE": (5, "A check could not be run on this machine, so nothing is concluded. This is not a pass."),
    "INVALID": (6, "Do not rely on this bundle: a check failed. It was changed, is incomplete, or not made as it should be.")}
UNLISTED = ("manifest.json", "manifest.note", "tagmanifest-sha256.txt")
STAMP = re.compile(r"tsa/([a-z0-9][a-z0-9-]{0,31})(?:\.renewed-([1-9]\d?))?\.tsr", re.A)
CHAIN = re.compile(r"tsa/([a-z0-9][a-z0-9-]{0,31})/chain/(crl-)?\d\d\.pem", re.A)
GREW, NUMBER = re.compile(r"log/consistency-from-([1-9]\d{0,17})\.txt", re.A), re.compile("0|[1-9][0-9]{0,18}")
PERIOD = re.compile(r"(log|receipt|manifest) (\S{20}) (\S{20}|-) (\S+)(?: revoked (\S{20}) ([a-z][a-z-]{0,39}))?", re.A)
SAFE = re.compile(r"(?=.{1,240}\Z)[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*", re.A)
SIGNED, VKEY = re.compile(r"— ([^\s+\0-\x1f]+) (.+)"), re.compile(r"([^\s+\0-\x1f]+)\+([0-9a-f]{8})\+(.+)")
HEX, CHUNK, SMALL, LARGE, REPORT, BIG = re.compile("[0-9a-f]{64}"), 1 << 20, 1 << 20, 1 << 26, 1 << 29, 0xFFFFFFFF
class Bad(Exception): """A check failed, with the reason; an OSError says that it could not be run."""
def need(ok, why="It is malformed."):
    if not ok: raise Bad(why)
def digest(data): return hashlib.sha256(data).digest()
def b64(text): data = base64.b64decode(text, validate=True); need(base64.b64encode(data).decode() == text, "Base64 is odd."); return data
def clock(text, form="%Y-%m-%dT%H:%M:%SZ"): return datetime.datetime.strptime(text, form).replace(tzinfo=datetime.timezone.utc)
def write(value): return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
def canonical(data):  # read JSON that must be in its one form: UTF-8, sorted ASCII keys, each once, whole numbers, no spaces
    def plain(pairs): need(all(k.isascii() for k, _ in pairs), "JSON has odd keys."); return dict(pairs)
    def whole(text): need(len(text) < 18 and abs(int(text)) < 2**53, "A number is too big."); return int(text)
    value = json.loads(data.decode(), object_pairs_hook=plain, parse_int=whole, parse_float=whole, parse_constant=whole)
    need(write(value) == data, "JSON is not in its one form."); return value
def openssl(*words): return subprocess.run(["openssl", *words], capture_output=True, timeout=120, check=False).returncode == 0
def temp(data): f = tempfile.NamedTemporaryFile(dir=TEMP, delete=False); f.write(data); f.close(); return f.name
KNOWN = [bytes.fromhex(x) for x in ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",  # RFC 8032, 7.1, test 2
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")]
def ed25519(*given):  # say whether an Ed25519 signature (key, message, signature) holds; a no counts only if this openssl can do it at all
    for key, message, signature in (given, KNOWN):
        if openssl("pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", temp(bytes.fromhex("302a300506032b6570032100") + key),
                "-rawin", "-in", temp(message), "-sigfile", temp(signature)): return key is given[0]
    raise OSError("This openssl cannot check Ed25519 signatures: version 3 is needed.")
# ---- notes, keys and the tree (C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-policy; RFC 9162)
def read_vkey(vkey, kind):
    name, given, coded = VKEY.fullmatch(vkey).groups(); data = b64(coded); key = (name, digest(name.encode() + b"\n" + data)[:4])
    need(len(data) == 33 and data[0] == kind and key[1].hex() == given, "A key in the text is malformed."); return key, data
def split_note(note):  # return the text, and the signature that each key made
    text = note.decode(); head, gap, tail = text.rpartition("\n\n"); lines = [SIGNED.fullmatch(line) for line in tail[:-1].split("\n")]
    need(len(note) <= SMALL and not re.search(r"[\0-\t\v-\x1f]", text) and gap and tail.endswith("\n") and len(lines) <= 100 and all(lines),
        "A signed note is malformed, or has no signatures, or too many.")
    found = {(m[1], b64(m[2])[:4]): b64(m[2])[4:] for m in lines}
    need(len(found) == len(lines) and all(found.values()), "A signature is malformed, or a key signed twice."); return head + "\n", found
def open_note(note, keys):  # return (text, keys that signed). A known key whose signature fails refuses the note; at least one must hold
    text, found = split_note(note); signed = [key for key in found if key in keys]
    for key in signed:
        message, time, signature = text.encode(), found[key][:-64], found[key][-64:]
        if keys[key][0] == 4: message = b"cosignature/v1\ntime %d\n" % struct.unpack(">Q", time) + message  # a witness signs its time too
        need(bool(time) == (keys[key][0] == 4) and time[:1] < b"\x80" and ed25519(keys[key][1:], message, signature), f"{key[0]}'s signature fails.")
    need(signed, "No key that counts has signed this."); return text, signed
def root_of(leaf, index, size, proof):  # compute the root that an inclusion proof leads to (RFC 9162, section 2.1.3)
    need(0 <= index < size and bool(proof) == (size > 1), "A proof is too short or too long.")
    if size == 1: return leaf
    half = 1 << (size - 1).bit_length() - 1
    if index < half: return digest(b"\1" + root_of(leaf, index, half, proof[:-1]) + proof[-1])
    return digest(b"\1" + proof[-1] + root_of(leaf, index - half, size - half, proof[:-1]))
def grown(old, new, proof, root, whole=True):  # compute the (old root, new root) that a consistency proof gives (RFC 9162, section 2.1.4)
    need(0 < old <= new and bool(proof) == (old < new or not whole), "A proof is too short or too long.")
    if old == new: return (root, root) if whole else (proof[0], proof[0]) if len(proof) == 1 else need(False)
    half, last = 1 << (new - 1).bit_length() - 1, proof[-1]
    if old <= half: one, two = grown(old, half, proof[:-1], root, whole); return one, digest(b"\1" + two + last)
    one, two = grown(old - half, new - half, proof[:-1], root, False); return digest(b"\1" + last + one), digest(b"\1" + last + two)
class Policy:  # the court's policy, with our pins in #counterfoil lines
    def __init__(self, text):
        self.logs, self.witnesses, self.groups, self.quorum, members, keys = {}, {}, {}, None, set(), set()
        self.roots, self.manifest, self.operators, self.ended, self.known, self.apart = {"tsa-root": [], "seal-root": []}, {}, {}, [], [], None
        need(not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text), "control character")
        for line in text.split("\n"):
            w, names = re.findall("[^\t ]+", line) or ["#"], {"none", *self.witnesses, *self.groups}
            if w[0] == "#counterfoil": self.pin(line, *w[1:])
            elif w[0] in ("log", "witness"):
                name, *rest = [None, *w[1:]] if w[0] == "log" else w[1:]; key, data = read_vkey(rest[0], 4 if name else 1)
                need(len(rest) < 3 and name not in names and data[1:] not in keys and not keys.add(data[1:]), line)
                (self.witnesses if name else self.logs)[name or key] = (key, data) if name else data
            elif w[0] == "group":
                of = set(w[3:]); need(of and w[1] not in names and re.fullmatch("all|any|[1-9][0-9]{0,4}", w[2]), line)
                many = {"all": len(of), "any": 1}.get(w[2]) or int(w[2]); members, free = members | of, names - members - {"none"}
                need(many <= len(of) == len(w) - 3 and of <= free, line); self.groups[w[1]] = (many, of)
            elif not w[0].startswith("#"): need(w[0] == "quorum" and len(w) == 2 and w[1] in names and self.quorum is None, line); self.quorum = w[1]
        need(self.quorum is not None, "no quorum line")
    def pin(self, line, kind="", *w):
        match kind, w:
            case "manifest-key", (key,): self.manifest.update([read_vkey(key, 1)])
            case "tsa-root" | "seal-root", (_, root) if HEX.fullmatch(root): self.roots[kind].append(root)
            case "operator", (name, hand) if name in self.witnesses and name not in self.operators: self.operators[name] = hand
            case "tsa-tolerance", (n,) if re.fullmatch("0|[1-9][0-9]{0,5}", n) and self.apart is None: self.apart = int(n)
            case "ended", (key, at) if re.fullmatch(r"[^+]*\+[0-9a-f]{8}", key): self.ended.append((key, clock(at)))
            case "checkpoint", (log, n, root) if NUMBER.fullmatch(n) and len(b64(root)) == 32: self.known.append((log, int(n), b64(root)))
            case _: need(False, line)
    def satisfied(self, given):  # of the witnesses that one operator runs only the first in the policy that cosigned counts
        met = {"none", *{self.operators.get(n, f" {n}"): n for n in reversed(self.witnesses) if n in given}.values()}
        for name, (many, members) in self.groups.items(): met |= {name} if len(members & met) >= many else set()
        return self.quorum in met
# ---- the container: an archive must be, byte for byte, the one that its files give
def fields(name, crc, size, *at):  # return the version, the fields and the names that both headers of a file hold
    wide = [size, size] * (size >= BIG) + [n for n in at if n >= BIG]; version = 45 if wide else 20
    extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    return version, struct.pack("<5H3I2H", version, 0, 0, 0, 33, crc, min(size, BIG), min(size, BIG), len(name), len(extra)), name + extra
def header(name, crc, size): return b"PK\3\4" + b"".join(fields(name, crc, size)[1:])
def entry(name, crc, size, at):
    version, fixed, rest = fields(name, crc, size, at)
    return struct.pack("<4sH", b"PK\1\2", 768 | version) + fixed + struct.pack("<3H2I", 0, 0, 0, 0o100644 << 16, min(at, BIG)) + rest
def ending(count, size, at):
    n, wide = min(count, 0xFFFF), count >= 0xFFFF or size >= BIG or at >= BIG
    more = struct.pack("<4sQ2H2I4Q4sIQI", b"PK\6\6", 44, 813, 45, 0, 0, count, count, size, at, b"PK\6\7", 0, at + size, 1) if wide else b""
    return more + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, n, n, min(size, BIG), min(at, BIG), 0)
def read_zip(case, path):
    rows, last, at = [], b"", 0
    with open(path, "rb") as f:
        while (fixed := f.read(30))[:4] not in (b"PK\1\2", b"PK\5\6", b"PK\6\6"):
            crc, size, _, n, m = struct.unpack("<3I2H", fixed[14:].ljust(16)); name, extra = f.read(n), f.read(m)
            if size == BIG: size = int.from_bytes(extra[4:12], "little")
            need(fixed + name + extra == header(name, crc, size) and name > last, "The archive does not begin, or go on, as one of ours.")
            top, slash, inner = name.decode("ascii", "replace").partition("/"); start, check, left, sha = f.tell(), 0, size, hashlib.sha256()
            need(slash and SAFE.fullmatch(top) and case.top in ("", top), "A file is outside the bundle's folder.")
            while left and (chunk := f.read(min(CHUNK, left))):
                left, check = left - len(chunk), zlib.crc32(chunk, check); sha.update(chunk)
            need(check == crc and not left, f"{ascii(inner)} is cut short, or does not fit its checksum.")
            case.files[inner] = path, start, size, sha.hexdigest(); rows.append(entry(name, crc, size, at)); case.top, last, at = top, name, f.tell()
        rest = b"".join(rows) + ending(len(rows), sum(map(len, rows)), at); f.seek(at)
        need(f.read(len(rest) + 1) == rest, "The archive's directory is not the one its files give, or bytes follow it.")
def read_folder(case, root):
    for folder in (waiting := [root]):
        for e in [*os.scandir(folder)] or need(False, "The folder holds an empty folder."):
            need(not e.is_symlink() and (e.is_dir() or e.is_file()), "The folder holds a link or something that is not a file.")
            if e.is_dir(): waiting.append(e.path); continue
            with open(e.path, "rb") as f: row = (e.path, 0, os.fstat(f.fileno()).st_size, hashlib.file_digest(f, "sha256").hexdigest())
            case.files[os.path.relpath(e.path, root).replace(os.sep, "/")] = row
class Case:
    def __init__(self, path, policy_path):
        self.path, self.policy_path, self.policy, self.top, self.files = path, policy_path, Policy("quorum none"), "", {}
        self.development = self.witnessed = False
    def read(self, name, limit=SMALL):
        path, start, size, _ = self.files.get(name) or need(False, f"There is no {name}."); need(size <= limit, f"{name} is too long.")
        with open(path, "rb") as f: return f.read(size) if f.seek(start) == start else None
    def periods(self):  # read the key history: (role, from, to, key, revoked, reason) for each key that was ever used
        head, *lines = split_note(self.read("keys/history.note"))[0].rstrip("\n").split("\n"); rows = [PERIOD.fullmatch(line) for line in lines]
        need(head == "counterfoil/key-history/v1" and all(rows), "The key history is malformed.")
        return [m.groups() for m in rows if [clock(t) for t in m.group(2, 3, 5) if t not in (None, "-")]]
    def history(self, role): return dict(read_vkey(w[3], 1) for w in self.periods() if w[0] == role)
# ---- the checks, in order; each says what it establishes, and returns a sentence if that is not proved
def container(c, says="The archive or folder is safe to read and holds nothing of its own."):
    (read_folder if os.path.isdir(c.path) and not os.path.islink(c.path) else read_zip)(c, c.path); names = {p.lower() for p in c.files}
    need(len(names) == len(c.files) <= 20000 and all(map(SAFE.fullmatch, c.files)), "A file's name is unsafe, or another's but for capitals.")
def manifest(c, says="The list of files is written in the one form allowed."):
    c.manifest = m = canonical(c.read("manifest.json", LARGE)); paths = [r["path"] for r in m["files"]]
    need(set(m) == {"format", "name", "files"} and m["format"] == "counterfoil/bundle/v1" and c.top in ("", m["name"])
        and all(set(r) == {"path", "size", "sha256"} and type(r["size"]) is int for r in m["files"]) and paths == sorted(set(paths)),
        "manifest.json is not in the form we know, names another bundle, or does not list each file once, in order.")
def files(c, says="Every file listed is there unaltered, and no other."):
    listed, here = {r["path"]: (r["size"], r["sha256"]) for r in c.manifest["files"]}, {p: r[2:] for p, r in c.files.items() if p not in UNLISTED}
    wrong = next((p for p in [*listed, *here] if here.get(p) != listed.get(p)), None)
    need(wrong is None, f"{ascii(wrong)} is missing, is not the file that was listed, or should not be there.")
def bag(c, says="The BagIt manifests are exactly those the files give."):
    def lines(data): return "".join(f"{c.files[p][3]}  {p}\n" for p in sorted(c.files) if p.startswith("data/") == data and p != UNLISTED[2]).encode()
    for name, text in (("bagit.txt", b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"), ("manifest-sha256.txt", lines(True)),
            ("tagmanifest-sha256.txt", lines(False))): need(c.read(name, LARGE) == text, f"{name} is not what the files give.")
def folder_of(label):
    name = label.replace("/", "-"); need(SAFE.fullmatch(name) and name != "bundle", "An exhibit's reference is malformed."); return name
ROW, ITEM = (x.split() for x in (("derivation duration_ms events label media_type note original_name parent path produced_by recipe_sha256 "
    "recorded restricted sha256 size title working"), "comment decision description exhibit location number reason sha256"))
def exhibits(c, says="Exhibits, statements and papers are those the exhibit list names."):
    c.listing = x = canonical(c.read("data/exhibits.json", LARGE)); c.development |= bool(x["development"])
    need(sorted(x) == "annex audience built_at case development events exhibits force format name papers urn".split() and x["format"]
        == "counterfoil/exhibits/v2" and x["name"] == c.manifest["name"] and all(sorted(e) == ROW for e in x["exhibits"]), "It is malformed.")
    wanted, folders = {"data/exhibits.json", "data/report.pdf", *x["papers"]}, set()
    for e in x["exhibits"]:
        f, copies = folder_of(e["label"]), [("working", w) for w in e["working"]] + [("master", e)] * (not e["restricted"])
        need(f.lower() not in folders and not (e["restricted"] and (e["path"] or copies)), f"Exhibit {f} is listed twice, or restricted but copied.")
        for kind, w in copies:
            need(re.fullmatch(f"data/exhibits/{re.escape(f)}/{kind}/{w['sha256'][:16]}\\.[a-z0-9]{{1,5}}", w["path"], re.A)
                and c.files.get(w["path"], (0,))[2:] == (w["size"], w["sha256"]), f"The file of {e['label']}, {e['title']!r}, is not the one listed.")
        folders.add(f.lower()); wanted |= {w["path"] for _, w in copies}
    for p, h in [*x["papers"].items(), *x["annex"].items()]: need(p in c.files and c.files[p][3] == h, f"{ascii(p)} is not the one listed.")
    data = {p for p in c.files if p.startswith("data/")}; need(data == wanted and not data & set(x["annex"]), "The data folder is not as listed.")
    need(c.read("bag-info.txt") == (f"Bag-Software-Agent: Counterfoil {x['format']}\nBagging-Date: {x['built_at'][:10]}\nExternal-Identifier: "
        f"{x['urn']}\nPayload-Oxum: {sum(c.files[p][2] for p in data)}.{len(data)}\nSource-Organization: {x['force']}\n").encode(), "bag-info.txt.")
    fixed = {*UNLISTED, *"bagit.txt bag-info.txt manifest-sha256.txt custody/events.jsonl log/checkpoint proofs/bundle.tlog-proof".split(),
        *x["annex"], *(f"proofs/{folder_of(e['label'])}.tlog-proof" for e in x["exhibits"])}
    need(all(STAMP.fullmatch(p) or CHAIN.fullmatch(p) or GREW.fullmatch(p) for p in set(c.files) - data - fixed), "A file has no place here.")
    _, titles = (canonical(c.read(f"custody/{n}.json", LARGE)) for n in ("actors", "titles"))
    need(all(digest(t.encode()).hex() == h for h, t in titles.items()) and {e["title"] for e in x["exhibits"]} <= set(titles.values()), "A title.")
def custody(c, says="Every custody event is there, in order, unaltered."):
    *rows, end = c.read("custody/events.jsonl", LARGE).split(b"\n"); c.events, by, c.proved = [canonical(row) for row in rows], {}, {}
    need(end == b"" and 0 < len(rows) <= 200000, "custody/events.jsonl is empty, cut short or too long.")
    for e in c.events:
        gone = set(e) == {"index", "commitment", "proof", "erased"}; e["proof"] = [*map(b64, e["proof"])]
        need((gone or set(e) == {"index", "salt", "body", "proof"}) and type(e["index"]) is int and e["index"] >= 0
            and HEX.fullmatch(e["commitment" if gone else "salt"]) and {*map(len, e["proof"])} <= {32}, "A custody event is malformed.")
        if not gone: e.update(at=clock(e["body"]["at"], "%Y-%m-%dT%H:%M:%S.%fZ"), erased=None, commitment=digest(
            b"counterfoil/entry/v1\0" + bytes.fromhex(e["salt"]) + write(e["body"])).hex())
        by[e["commitment"]], e["body"], e["leaf"] = e, e.get("body", {}), digest(b"\0" + bytes.fromhex(e["commitment"]))
    def in_order(events): return [e["index"] for e in events] == sorted({e["index"] for e in events})
    need(in_order(c.events) and len(by) == len(c.events), "The custody events are not once each, in the log's order.")
    c.by, wanted = by, set(c.listing["events"]).union(*(x["events"] for x in c.listing["exhibits"]))
    need(wanted <= set(by), "A custody event that was sealed is missing or was altered.")
    for x in c.listing["exhibits"]:
        mine = [by[h] for h in x["events"]]; own = next((e for e in mine if e["body"].get("sha256") == x["sha256"]), None)
        need(own and in_order(mine), f"{x['label']}: events out of order, or none has its file's digest."); c.proved[folder_of(x["label"])] = own
    (c.sealed,) = [e for h, e in by.items() if h not in wanted]; c.proved["bundle"] = c.sealed  # one more event than was listed before sealing
    need(c.sealed["body"].get("act") == "bundle.sealed", "The sealing of this bundle is missing.")
    erased = {(e["index"], i) for e in c.events if e["body"].get("act") == "exhibit.erased" for i in e["body"]["entries"]}
    for e in c.events: need(not e["erased"] or (e["erased"]["by_index"], e["index"]) in erased, f"Nothing erased event {e['index']}: it is missing.")
def derivations(c, says="Each thing that was made from another names what it was made from, and how."):
    c.schedules = {p[15:-5]: canonical(c.read(p, LARGE)) for p in c.listing["papers"] if p.startswith("data/schedules/")}
    whole = {i["exhibit"]: i["sha256"] for s in c.schedules.values() for issue in s["issues"] for i in issue["items"] if i["exhibit"]}
    rows, papers = {x["label"]: x for x in c.listing["exhibits"]}, {p for p in c.listing["papers"] if p.startswith("data/exhibits/")}
    for label, x in rows.items():
        place = f"data/exhibits/{folder_of(label)}/derivation.json" if x["parent"] is not None or x["working"] else None; papers.discard(place)
        need(x["derivation"] == place and (x["parent"] is None) == (x["recipe_sha256"] is None), f"Exhibit {label} does not say how it was made.")
        if not place: continue
        made = canonical(c.read(place, LARGE)); recipe, working = made["recipe"], made["working"]
        need(made == {"format": "counterfoil/derivation/v1", "recipe": recipe, "working": working, **{k: x[k] for k in ("label", "parent", "sha256")}}
            and [(w["path"], w["recipe"]["input_sha256"]) for w in working] == [(w["path"], x["sha256"]) for w in x["working"]], f"{place} is wrong.")
        if x["parent"] is None: continue
        parent, told = rows.get(x["parent"]), digest(write(recipe)).hex(); wanted = parent["sha256"] if parent else whole.get(x["parent"])
        need(wanted and recipe["input_sha256"] == wanted and not (parent and parent["restricted"]),
            f"Exhibit {label} was not made from {x['parent']}, or that is neither here nor on a schedule.")
        need(told == x["recipe_sha256"] and told in {c.by[h]["body"].get("recipe_sha256") for h in x["events"]}, f"{label}: recipe not in the log.")
    need(not papers, "There is an account of how something was made that is not in the exhibit list.")
def schedules(c, says="The schedules of material are numbered without a gap, and fit the exhibits."):
    fit = {"prosecutor": [set(), {"MG6D"}, {"MG6C", "MG6D"}], "defence": [set(), {"MG6C"}]}[c.listing["audience"]]
    need(c.schedules.keys() & {"MG6C", "MG6D"} in fit, "An MG6D is in a bundle that is not for the prosecutor, or is missing from one that is.")
    for form, s in c.schedules.items():
        issues, things = s["issues"], {}
        need(s == {"format": "counterfoil/schedule/v1", "form": form, "issues": issues} and issues and form in ("MG12", "MG6C", "MG6D")
            and all(sorted(i) == ["endorsed_nil", "items", "number", "signed_at", "signed_by"] and i["number"] == n
            and i["endorsed_nil"] is (not i["items"]) for n, i in enumerate(issues, 1)), f"{form} has an issue missing, or is malformed.")
        for items in [issue["items"] for issue in issues]:
            need((order := [i["number"] for i in items]) == sorted({*order}) and all(sorted(i) == ITEM and (not i["reason"] or form == "MG6D")
                and things.setdefault(i["number"], i["exhibit"]) == i["exhibit"] for i in items), f"A line of {form} is malformed or out of place.")
        need(sorted(things) == [*range(1, len(things) + 1)], f"An item of {form} is missing: they are not numbered without a gap.")
        need(form != "MG12" or sorted((i["exhibit"], i["sha256"]) for i in issues[-1]["items"]) == sorted((x["label"], x["sha256"])
            for x in c.listing["exhibits"]), "The MG12 does not list exactly the exhibits of this bundle.")
def policy(c, says="The policy from outside the bundle can be read and names whom to trust."):
    if c.policy_path is None: return "No policy from outside the bundle was given, so it is not known whose keys count."
    try:
        with open(c.policy_path, "rb") as f: need(len(text := f.read(SMALL + 1)) <= SMALL, "It is too long.")
        c.policy = Policy(text.decode("utf-8", "surrogateescape"))
    except Exception as error: raise OSError(f"The policy cannot be used: {error}") from None
def manifest_note(c, says="The list of files is signed by the key it should be."):
    note = c.read("manifest.note"); text, found = split_note(note)
    need(len(found) == 1 and text == f"counterfoil/bundle/v1\n{c.manifest['name']}\n{c.files['manifest.json'][3]}\n", "It signs another list.")
    c.manifest_key = open_note(note, c.policy.manifest or c.history("manifest"))[1][0]; c.development |= "DEVELOPMENT" in c.manifest_key[0]
    return None if c.policy.manifest else f"The list of files is signed by {c.manifest_key[0]}, which no policy vouches for."
def checkpoint(c, says="The log's statement is signed by the log's key."):
    logs = c.history("log") if c.policy_path is None else c.policy.logs
    text, c.signed = open_note(c.read("log/checkpoint"), {**dict(c.policy.witnesses.values()), **logs}); rows = text[:-1].split("\n")
    need(len(rows) >= 3 and all(rows) and NUMBER.fullmatch(rows[1]), "The checkpoint is malformed.")
    c.size, c.root, c.log = int(rows[1]), b64(rows[2]), next((k for k in c.signed if k in logs and k[0] == rows[0]), None)
    need(c.log and len(c.root) == 32, "No log that counts has signed this checkpoint under its own name.")
    for origin, size, root in c.policy.known:
        if origin != c.log[0] or size > c.size or (size < c.size and f"log/consistency-from-{size}.txt" not in c.files): continue
        proof = [b64(x) for x in c.read(f"log/consistency-from-{size}.txt").decode().removesuffix("\n").split("\n")] if size < c.size else []
        need(len(proof) < 64 and grown(size, c.size, proof, root) == (root, c.root), f"The log published with {size} entries was rewritten since.")
    c.log_data, c.development = logs[c.log], c.development or "DEVELOPMENT" in c.log[0]
    return f"The log's statement is signed by {c.log[0]}, which no policy vouches for." if c.policy_path is None else None
def inclusion(c, says="Every custody event is in the log."):
    for e in c.events: need(root_of(e["leaf"], e["index"], c.size, e["proof"]) == c.root, f"Event {e['index']} is not in this log.")
    for name, e in c.proved.items():
        text = "\n".join(["c2sp.org/tlog-proof@v1", f"index {e['index']}", *(base64.b64encode(h).decode() for h in e["proof"])]) + "\n\n"
        need(c.read(f"proofs/{name}.tlog-proof") == text.encode() + c.read("log/checkpoint"), f"{name}.tlog-proof is not the entry's proof.")
def payload(c, says="What was sealed in the log is exactly this payload."):
    need(c.sealed["body"].get("payload_sha256") == c.files["manifest-sha256.txt"][3], "The log sealed another payload.")
def witnesses(c, says="Independent witnesses cosigned the log's statement."):
    if c.policy.quorum == "none": return "The policy asks for no witness, so none vouches." if c.policy_path else "Without a policy none is known."
    signed = {n: k for n, (k, _) in c.policy.witnesses.items() if k in c.signed}
    c.witnessed = c.policy.satisfied({n for n, k in signed.items() if "DEVELOPMENT" not in k[0]})
    if not c.witnessed and c.policy.satisfied(set(signed)): return "Only a development witness cosigned, which does not count."
    need(c.witnessed, "Too few of the independent witnesses that the policy requires saw this log. A log that the force rewrote looks like this.")
def values(data):  # give (tag, content, whole) of each DER value in some bytes
    while data:
        n, start = (data[1], 2) if data[1] < 128 else (int.from_bytes(data[2 : data[1] - 126], "big"), data[1] - 126)
        need(data[1] not in (128, *range(133, 256)) and start + n <= len(data), "A timestamp or signature is malformed.")
        yield data[0], data[start : start + n], data[: start + n]; data = data[start + n :]
def inside(data, *way): return inside([*values(data)][way[0]][1], *way[1:]) if way else data  # go down, taking the n-th value each time
def blocks(kind, ders): return "".join(f"-----BEGIN {kind}-----\n{base64.encodebytes(x).decode()}-----END {kind}-----\n" for x in ders)
def unblock(kind, text): return [base64.b64decode(m) for m in re.findall(f"-----BEGIN {kind}-----([^-]*)-----END {kind}-----", text)]
def trust(certs, crls, roots, when, others):  # write for openssl: the roots that count, revocation lists, other certificates, and the time
    need(trusted := [x for x in certs if not roots or digest(x).hex() in roots], "No certificate there is a root that the policy names.")
    return ["-CAfile", temp((blocks("CERTIFICATE", trusted) + blocks("X509 CRL", crls)).encode()), "-attime", str(int(when.timestamp())),
        others, temp(blocks("CERTIFICATE", certs).encode()), *["-crl_check", "-crl_check_all"] * bool(crls)]
def token_time(c, token, covered, certs, crls, *file):  # return when a CMS timestamp token fixed some bytes, if its signature and imprint hold
    signed = inside(token, 0, 1, 0); info = inside(signed, 2, 1, 0, 0); imprint = inside(info, 2)
    need([len([*values(x)]) for tag, x, _ in values(signed) if tag == 0xA0] == [1], "The timestamp must carry its authority's one certificate.")
    need(bytes.fromhex("0609608648016503040201") in imprint and imprint.endswith(b"\4\x20" + digest(covered)), "A timestamp covers other bytes.")
    m = re.fullmatch(r"(\d{14})(\.\d{1,6})?Z", inside(info, 4).decode(), re.A); when = clock(m[1] + (m[2] or ".0"), "%Y%m%d%H%M%S.%f")
    need(openssl("ts", "-verify", "-data", temp(covered), *file, *trust(certs, crls, c.policy.roots["tsa-root"], when, "-untrusted")),
        "A timestamp's signature does not hold under a root that counts."); c.development |= any(b"DEVELOPMENT" in x for x in certs); return when
def stamp(c, name):  # return when an authority first stamped the log's statement
    chain = [(m[2], c.read(p, LARGE).decode()) for p in sorted(c.files) if (m := CHAIN.fullmatch(p)) and m[1] == name]
    certs, crls = [unblock("CERTIFICATE", t)[0] for crl, t in chain if not crl], [x for crl, t in chain if crl for x in unblock("X509 CRL", t)]
    numbers = sorted(int(m[2]) for p in c.files if (m := STAMP.fullmatch(p)) and m[1] == name and m[2])
    need(numbers == [*range(1, len(numbers) + 1)], "A renewal of the timestamp is missing."); covered, times = c.read("log/checkpoint"), []
    for path in [f"tsa/{name}.tsr", *(f"tsa/{name}.renewed-{n}.tsr" for n in numbers)]:  # each renewal covers the reply before it
        ((_, reply, whole),) = values(c.read(path)); (_, status, _), (_, _, token) = values(reply)
        need(status.startswith(b"\2\1\0"), "The timestamp was not granted.")
        times.append(token_time(c, token, covered, certs, crls, "-in", temp(whole))); covered = whole
    need(times == sorted(times) and all(e["erased"] or e["at"].replace(microsecond=0) <= times[0] for e in c.events),
        "The timestamp is earlier than an event it should cover."); return times[0]
def timestamp(c, says="A timestamp authority fixed the log's statement in time, after every event in it."):
    names = {m[1] for p in c.files if (m := STAMP.fullmatch(p)) and not m[2]}
    need({m[1] for p in c.files if (m := STAMP.fullmatch(p) or CHAIN.fullmatch(p))} == names, "A file beside the timestamps belongs to none.")
    need(times := [stamp(c, name) for name in sorted(names)], "The bundle holds no timestamp."); c.when = min(times)
    need((max(times) - c.when).total_seconds() <= (300 if c.policy.apart is None else c.policy.apart), "Two timestamp authorities disagree.")
    return None if c.policy.roots["tsa-root"] else f"The timestamp says {c.when:%F %T} UTC, but no policy vouches for the authority that gave it."
def key_history(c, says="The keys that signed were in use at that time, and neither ended nor revoked."):
    open_note(c.read("keys/history.note"), {c.log: c.log_data}); built, at = clock(c.listing["built_at"]), c.when.replace(microsecond=0)
    for role, key in (("log", c.log), ("manifest", c.manifest_key)):
        mine = [w for w in c.periods() if w[0] == role and read_vkey(w[3], 1)[0] == key]
        need(any(clock(w[1]) <= min(built, at) and (w[2] == "-" or max(built, at) <= clock(w[2])) for w in mine)
            and not any(w[4] and clock(w[4]) <= at for w in mine), f"{key[0]} was not in use as the {role} key then, or had been revoked.")
        need(not any(k == f"{key[0]}+{key[1].hex()}" and end <= at for k, end in c.policy.ended), f"The policy says the {role} key had ended.")
# ---- the report (PDF 32000-1, RFC 5652): base, seal and archive timestamp are three sections, and nothing else may follow
INDEX = rb"xref\s+((?:\d+ \d+\s+(?:\d{10} \d{5} [nf]\s\s)*)+)trailer\s+<<(.*?)>>\s+startxref\s+%d\s+%%%%EOF\n?"
FIELD = re.compile(rb"\d+ 0 obj\n<<\n/FT /Sig\n/T \(\w+\)\n/Type /Annot\n/Subtype /Widget\n/F 132\n/Rect \[ 0 0 0 0 \]\n/P \d+ 0 R"
    rb"\n/TU \(\w+\)\n/V \d+ 0 R\n>>\nendobj\n")
def first(pattern, text): return int(re.search(pattern, text)[1])
class Pdf:
    def __init__(self, data):
        self.data, self.sections, at = data, [], first(rb"startxref\s+(\d{1,12})\s+%%EOF\s*\Z", data[-64:])
        for older in (True, True, False):  # the archive timestamp, the seal, and the report as it was made
            m, table = re.compile(INDEX % at, re.S).match(data, at), {}
            need(m and (b"/Prev" in m[2]) is older, "The report does not carry exactly one seal and one archive timestamp.")
            for start, count, rows in re.findall(rb"(\d+) (\d+)\s+((?:\d{10} \d{5} [nf]\s\s)*)", m[1]):
                need(len(rows) == 20 * int(count), "The report's table of objects is malformed.")
                table.update({n: int(row[:10]) for n, row in enumerate(re.findall(b"(?s).{20}", rows), int(start)) if row[17:18] == b"n"})
            self.sections.append((table, m[2], at, m.end())); at = older and first(rb"/Prev (\d+)", m[2])
        self.root = first(rb"/Root (\d+) 0 R", m[2])
    def bodies(self, number):  # cut a section into its objects; together they must fill it
        table, _, end, _ = self.sections[number]; order = sorted(table.items(), key=lambda row: row[1])
        found = {n: self.data[at:cut] for (n, at), cut in zip(order, [at for _, at in order[1:]] + [end])}
        need(all(b.startswith(b"%d 0 obj\n" % n) and b.endswith(b"\nendobj\n") for n, b in found.items())
            and order[0][1] == self.sections[number + 1][3], "A part of the report hides something between its objects."); return found
    def get(self, n):  # return an object's dictionary as the newest section has it, and its stream if it has one
        at = next(t[n] for t, _, _, _ in self.sections if n in t)
        m = re.compile(rb"%d 0 obj\s+(.*?)\s*(?:endobj|stream\r?\n)" % n, re.S).match(self.data, at)
        return m[1], self.data[m.end() : m.end() + first(rb"/Length (\d+)", m[1])] if b"/Length" in m[1] else b""
    def signed(self, number, kind):  # return (DER, bytes covered) of the one signature in a section; it must cover all up to the section's end
        made = re.compile(rb"/Contents <([0-9A-Fa-f]+)>\n/ByteRange \[0 (\d+) (\d+) (\d+)\] *\n/Type /(\w+)")
        ((given, *span, what),) = made.findall(b"".join(self.bodies(number).values())); a, b, n = map(int, span)
        raw = bytes.fromhex(given.decode()); der = next(values(raw))[2]
        need(what == kind and self.data[a:b] == b"<" + given + b">" and b + n == self.sections[number][3] and not any(raw[len(der) :]),
            "The report's seal or last timestamp does not cover every byte before it."); return der, self.data[:a] + self.data[b : b + n]
def report(c, says="The report is whole: its last timestamp covers every byte and nothing was altered after sealing."):
    c.pdf = p = Pdf(c.read("data/report.pdf", REPORT)); changed = "The report was changed after it was sealed."
    need(p.data.count(b"/ByteRange") == 2 and p.sections[0][3] == len(p.data), changed)
    p.sealed, p.stamped, before, after = p.signed(1, b"Sig"), p.signed(0, b"DocTimeStamp"), p.bodies(1), p.bodies(0)
    fresh, trailer = sorted(set(after) - set(before)), p.sections[1][1]
    need(len(fresh) == 2 and fresh[0] >= first(rb"/Size (\d+)", trailer) and FIELD.fullmatch(after[fresh[0]])
        and first(rb"/Root (\d+) 0 R", trailer) == p.root, changed)
    for n in set(after) - set(fresh):  # a new field may be named, times and metadata renewed, nothing else
        new, old = (re.sub(rb"/ModDate \([^)]*\)\n", b"", t[n]) for t in (after, before))
        need(new.replace(b" %d 0 R ]" % fresh[0], b" ]") == old or all(b"\n/Type /Metadata\n" in t.split(b"stream")[0] for t in (new, old)), changed)
def attachment(c, says="The exhibit list inside the report is byte for byte the one in the bundle."):
    p, wanted = c.pdf, c.read("data/exhibits.json", LARGE)
    named = p.get(first(rb"/EmbeddedFiles <<\n/Names \[ \(exhibits\\056json\) (\d+) 0 R \]\n>>", p.get(p.root)[0]))[0]
    (file,) = set(re.findall(rb"(\d+) 0 R", re.search(rb"/EF\s*<<([^>]*)>>", named)[1])); head, data = p.get(int(file))
    need((zlib.decompressobj().decompress(data, len(wanted) + 1) if b"/FlateDecode" in head else data) == wanted, "The report holds another list.")
def seal(c, says="The report's seal is valid and made under a sealing authority that is trusted."):
    p, roots = c.pdf, c.policy.roots; store = p.get(first(rb"/DSS (\d+) 0 R", p.get(p.root)[0]))[0]
    certs, crls = ([p.get(int(n))[1] for n in re.findall(rb"(\d+) 0 R", re.search(rb"/%s \[([^\]]*)\]" % kind, store)[1])]
        for kind in (b"Certs", b"CRLs"))
    when = token_time(c, *p.stamped, certs, crls, "-token_in", "-in", temp(p.stamped[0])); token, covered = map(temp, p.sealed)
    need(crls and openssl(*"cms -verify -inform DER -binary -purpose any -no-CApath -no-CAstore -in".split(), token, "-content", covered, "-out",
        os.devnull, *trust(certs, crls, roots["seal-root"], when, "-certfile")), "The report's seal does not hold under an authority that counts.")
    return None if all(roots.values()) else "The report's seal holds, but no policy vouches for the authority behind it."
CHECKS = (container, manifest, files, bag, exhibits, custody, derivations, schedules, policy, manifest_note, checkpoint, inclusion, payload,
    witnesses, timestamp, key_history, report, attachment, seal)
def verify(path, policy_path=None):  # return (verdict word, name of the failed check or None, [(check, state, sentence)]); fail closed
    global TEMP; case, rows, stopped = Case(path, policy_path), [], False
    with tempfile.TemporaryDirectory() as TEMP:
        for name, check in [(check.__name__.replace("_", "-"), check) for check in CHECKS]:
            if stopped: rows.append((name, "not-run", "Not reached.")); continue
            try: state, sentence = ("not-proved", said) if (said := check(case)) else ("ok", check.__defaults__[0])
            except Bad as bad: state, sentence = "failed", str(bad)
            except (OSError, MemoryError, subprocess.TimeoutExpired) as error: state, sentence = "not-run", str(error) or "Not enough memory."
            except Exception as error: state, sentence = "failed", f"What this check met makes no sense ({type(error).__name__})."
            stopped = state in ("failed", "not-run"); rows.append((name, state, sentence))
    states, failed = {state for _, state, _ in rows}, next((name for name, state, _ in rows if state == "failed"), None)
    best = "VERIFIED-WITNESSED" if case.witnessed and not case.development and states == {"ok"} else "VERIFIED-UNWITNESSED"
    return "INVALID" if failed else "NOT-VERIFIABLE" if "not-run" in states else best if policy_path else "INTEGRITY-ONLY", failed, rows
def main(path, policy_path=None):
    word, _, rows = verify(path, policy_path)
    print(f"{word}\n\n{SENTENCES[word][1]}\n", *(f"Failed check: {name}\n{said}\n" for name, state, said in rows if state == "failed"), sep="\n")
    print("Checks, in order:", *(f"{n:3}. {row[1]:<10} {row[0]:<14} {row[2]}" for n, row in enumerate(rows, 1)), sep="\n")
    print("\nWhat this proves, and what it does not: see CLAIMS.md in the bundle."); return SENTENCES[word][0]
if __name__ == "__main__":
    good = len(sys.argv) in (2, 4) and sys.argv[2:3] in ([], ["--policy"]) and not sys.argv[1].startswith("-")
    sys.exit(main(*sys.argv[1:2], *sys.argv[3:]) if good else print(__doc__) or 5)  # type: ignore[redundant-expr]
