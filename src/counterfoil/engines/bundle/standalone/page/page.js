// The page around the checks: two files in, one result out, in English or Welsh, by mouse or keyboard.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  let language = "en", chosen = { bundle: null, policy: null }, last = null;

  function say(code, facts = {}) {
    const text = WORDS[language][code] ?? WORDS.en[code] ?? code;
    return text.replace(/\{(\w+)\}/g, (_, name) => shown(facts[name], name));
  }
  function shown(value, name) {
    if (value && typeof value === "object" && "index" in value) return eventText(value);
    if (value === null || value === undefined) return say({ before: "the-start", after: "the-end" }[name] || "unknown-event");
    return String(value).replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g, " ");
  }
  const who = (id) => (last && last.case.actors && last.case.actors[id]) || id || "";
  const MONTHS = { // a browser without Welsh would fall back to American dates
    en: "January February March April May June July August September October November December".split(" "),
    cy: "Ionawr Chwefror Mawrth Ebrill Mai Mehefin Gorffennaf Awst Medi Hydref Tachwedd Rhagfyr".split(" "),
  };
  function when(ms, short = false) {
    if (ms === null || ms === undefined || Number.isNaN(ms)) return "";
    const parts = Object.fromEntries(new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/London", day: "numeric", month: "numeric", year: "numeric",
      hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" }).formatToParts(new Date(ms)).map((p) => [p.type, p.value]));
    const month = MONTHS[language][+parts.month - 1];
    return `${parts.day} ${short ? month.slice(0, 3) : month} ${parts.year}, ${parts.hour}:${parts.minute}:${parts.second} ${parts.timeZoneName}`;
  }
  const act = (e) => String(e.body.act || "").replace(/[._]/g, " ");
  const eventText = (e) => (e.body ? say("event-by", { act: act(e), who: who(e.body.by), when: when(e.at), index: e.index }) : say("event-bare", { index: e.index }));
  const size = (count) => {
    const [unit, step] = [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]].find(([, s]) => count >= s) || ["", 1];
    return say("size-text", { count: Number(count).toLocaleString("en-GB") }) + (unit ? ` (${(count / step).toFixed(1)} ${unit})` : "");
  };

  // Everything is built from text nodes: nothing in a bundle can become markup.
  function el(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) if (value !== null && value !== false) node.setAttribute(name, value);
    node.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== ""));
    return node;
  }
  const table = (heads, rows, label) => el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, el("table", {},
    el("thead", {}, el("tr", {}, heads.map((h) => el("th", { scope: "col", class: h.n ? "n" : null }, h.t)))),
    el("tbody", {}, rows.map((cells) => el("tr", {}, cells.map((c, n) => el("td", { class: heads[n].n ? "n" : heads[n].keep ? "keep" : null }, c)))))));
  const pairs = (...rows) => el("dl", {}, rows.filter(([, v]) => v !== "" && v !== null && v !== undefined).flatMap(([k, v]) => [el("dt", {}, say(k)), el("dd", {}, v)]));
  const tag = (kind, word) => el("span", { class: `tag ${kind}` }, say(word));
  const code = (text) => el("code", {}, String(text));

  function translate() {
    document.documentElement.lang = language;
    document.title = say("page-title");
    for (const node of document.querySelectorAll("[data-word]")) node.textContent = say(node.dataset.word);
    $("language").textContent = say("other-language");
    $("language").lang = say("other-language-code");
    showChosen();
    if (last) draw();
  }
  function showChosen() {
    for (const kind of ["bundle", "policy"]) {
      const file = chosen[kind];
      $(`${kind}-chosen`).textContent = file ? say("chosen", { name: file.name, size: size(file.size) }) : say("nothing-chosen");
    }
  }
  const forget = () => { last = null; $("result").hidden = true; $("result").replaceChildren(); }; // no verdict stands beside another file
  const choose = (kind, file) => { if (file) { forget(); chosen[kind] = file; if (kind === "policy") $("pasted").value = ""; showChosen(); } };
  const looksLikePolicy = (file) => /\.(txt|policy)$/i.test(file.name);

  function eventRows(list, exhibits) {
    const of = new Map((exhibits || []).flatMap((x) => x.events.map((h) => [h, x.label])));
    const heads = [{ t: say("col-index"), n: true }, { t: say("col-when"), keep: true }, ...(exhibits ? [{ t: say("event-exhibit"), keep: true }] : []), { t: say("col-who") }, { t: say("col-what") }, { t: say("col-more") }];
    const rows = list.map((e) => {
      const cells = e.body ? [when(e.at, true), ...(exhibits ? [of.get(e.commitmentHex) || ""] : []), who(e.body.by), act(e), particulars(e.body)]
        : ["", ...(exhibits ? [of.get(e.commitmentHex) || ""] : []), "", say("event-erased", { index: e.erasedBy }), ""];
      return [String(e.index), ...cells];
    });
    return table(heads, rows, say("head-events"));
  }
  const particulars = (body) => Object.keys(body).sort().filter((k) => !["act", "at", "by", "on", "thread"].includes(k) && body[k] !== null)
    .map((k) => { const v = shown(typeof body[k] === "string" ? who(body[k]) : Array.isArray(body[k]) ? body[k].join(", ") : JSON.stringify(body[k])); return `${k.replace(/_/g, " ")} ${v.length > 40 ? v.slice(0, 12) + "…" : v}`; }).join("; ");
  const events = (x) => { const by = new Map(last.case.events.map((e) => [e.commitmentHex, e])); return (x.events || []).map((h) => by.get(h)).filter(Boolean); };

  function whereText(row) {
    const paper = row.kind ? say(`paper-${row.kind}`, { who: row.who || "?" }) : "";
    return say(row.code, { ...row, paper, event: row.event || null });
  }
  function verdictKind(word) { return { "VERIFIED-WITNESSED": "good", INVALID: "bad" }[word] || "half"; }

  function draw() {
    const r = last, c = r.case, x = c.listing || null, out = $("result"), kind = verdictKind(r.word), full = ["VERIFIED-WITNESSED", "VERIFIED-UNWITNESSED"].includes(r.word);
    const mark = { good: "✓", half: "!", bad: "✕" }[kind];
    out.replaceChildren();
    out.append(el("div", { class: `verdict ${kind}`, id: "verdict" },
      el("h2", {}, el("span", { "aria-hidden": "true" }, mark), el("span", { id: "word" }, r.word)),
      el("p", { class: "say", id: "sentence" }, say(r.word)),
      el("p", { class: "meta" }, say("exit-word", { word: r.word, exit: r.exit, when: when(r.checkedAt) })),
      el("p", { class: "meta" }, say("bundle-file", { name: r.name, size: size(r.size) }), c.top ? ` · ${say("of-bundle", { name: c.top })}` : "", x && x.force ? ` · ${shown(x.force)} · URN ${shown(x.urn)}` : "")));
    if (c.development) out.append(el("p", { class: "demo" }, say("demonstration")));
    const stuck = r.checks.find((k) => k.state === "failed" || (k.state === "not-run" && k.code !== "not-reached"));
    if (stuck) {
      out.append(el("div", { class: "where", id: "where" }, el("h2", {}, say("head-wrong")),
        el("p", { class: "first" }, say("failed-check", { name: stuck.name, sentence: say(stuck.code, stuck.facts) })),
        r.located.length ? el("ul", {}, r.located.map((row) => el("li", {}, whereText(row)))) : ""));
    }
    const open = r.checks.filter((k) => k.state === "not-proved").map((k) => say(k.code, k.facts));
    out.append(el("div", { class: "two" },
      el("div", { id: "proved" }, el("h2", {}, say("head-proved")), full ? el("ul", {}, [1, 2, 3, 4, 5].map((n) => el("li", {}, say(`proved-${n}`, { when: when(c.stamped) })))) : el("p", {}, say("proved-nothing"))),
      el("div", { class: "not", id: "not-proved" }, el("h2", {}, say("head-not-proved")), el("ul", {}, [...open, ...[1, 2, 3, 4, 5].map((n) => say(`not-proved-${n}`))].map((t) => el("li", {}, t))))));
    if (x && Array.isArray(x.exhibits)) drawContent(out, r, c, x);
    out.append(el("h2", {}, say("head-checks")), table([{ t: say("col-number"), n: true }, { t: say("col-check"), keep: true }, { t: say("col-state"), keep: true }, { t: say("col-says") }],
      r.checks.map((k, n) => [String(n + 1), k.name, tag({ ok: "good", failed: "bad", "not-proved": "half", "not-run": "plain" }[k.state], k.state),
        say(k.code === "ok" ? `check-${k.name}` : k.code, k.facts)]), say("head-checks")));
    const print = el("button", { type: "button", class: "plain" }, say("print")), again = el("button", { type: "button", class: "plain" }, say("again"));
    print.addEventListener("click", () => window.print());
    again.addEventListener("click", () => { last = null; chosen = { bundle: null, policy: chosen.policy }; $("bundle").value = ""; out.hidden = true; showChosen(); $("bundle").focus(); });
    out.append(el("p", { class: "buttons" }, print, again));
    out.hidden = false;
  }

  function drawContent(out, r, c, x) {
    const done = r.checks.find((k) => k.name === "inclusion").state === "ok", bad = new Map();
    for (const row of r.located) if (row.label && row.code !== "at-unvouched") bad.set(row.label, true);
    if (r.word === "INVALID") out.append(el("p", { class: "demo" }, say("untrusted")));
    out.append(el("h2", {}, say("head-exhibits")));
    for (const e of x.exhibits) {
      const state = bad.has(e.label) ? tag("bad", "state-bad") : e.restricted ? tag("plain", "state-listed") : done && r.word !== "INVALID" ? tag("good", "state-good") : tag("plain", "state-unknown");
      const t = e.recorded, offset = t && t.offset_ms !== null ? say(t.offset_ms > 0 ? "clock-fast" : t.offset_ms < 0 ? "clock-slow" : "clock-right", { seconds: Math.abs(t.offset_ms) / 1000 }) : "";
      const list = events(e);
      out.append(el("article", { class: "card" }, el("h3", {}, say("exhibit-heading", { label: e.label, title: e.title }), state),
        pairs(["produced-by", shown(e.produced_by)], ["original-name", shown(e.original_name)], ["media-type", shown(e.media_type)], ["size", size(e.size)], ["sha256", code(e.sha256)],
          ["in-bundle", e.restricted ? say("restricted-line") : code(e.path)], ["device-time", t ? shown(t.device_time) : ""],
          ["device-clock", offset && t.measured_by ? say("clock-by", { offset, who: t.measured_by }) : offset], ["corrected-time", t && t.corrected_time ? when(Date.parse(t.corrected_time)) : ""],
          ["made-from", e.parent], ["recipe-digest", e.recipe_sha256 ? code(e.recipe_sha256) : ""], ["working-copies", (e.working || []).map((w) => shown(w.kind)).join(", ")]),
        el("details", {}, el("summary", {}, say("events-of", { count: list.length })), list.length ? eventRows(list) : "")));
    }
    const others = c.events.filter((e) => !x.exhibits.some((k) => k.events.includes(e.commitmentHex)));
    if (others.length) out.append(el("h2", {}, say("head-events")), eventRows(others));
    drawWatched(out, r, c, x);
    drawMissing(out, c, x);
  }

  function drawWatched(out, r, c, x) {
    out.append(el("h2", { id: "watched" }, say("head-watched")), el("h3", {}, say("watched-exhibit")));
    for (const e of x.exhibits) {
      const looks = events(e).filter((k) => k.body && /\.(viewed|opened|copied|shared|moved)$/.test(k.body.act));
      out.append(el("p", {}, el("strong", {}, say("exhibit-heading", { label: e.label, title: e.title })), looks.length ? "" : ` ${say("watched-none")}`));
      if (looks.length) out.append(el("ul", {}, looks.map((k) => el("li", {}, say("watched-line", { act: act(k), who: who(k.body.by), when: when(k.at), index: k.index })))));
    }
    out.append(el("h3", {}, say("watched-log")));
    const rows = c.cosigned.filter((w) => !w.key.name.includes("DEVELOPMENT")).map((w) => say("witness-line", { name: w.name, key: w.key.name }));
    if (!rows.length) rows.push(say("witness-nobody"));
    for (const s of c.stamps) {
      rows.push(say("stamp-line", { authority: s.authority, when: when(s.at) }));
      if (s.renewals) rows.push(say("stamp-renewed", { count: s.renewals }));
    }
    out.append(el("ul", {}, rows.map((t) => el("li", {}, t))));
  }

  function drawMissing(out, c, x) {
    const box = [], found = c.schedules || {}, labels = new Map(x.exhibits.map((e) => [e.label, e]));
    box.push(el("p", {}, say("audience", { audience: say(`audience-${x.audience}`) })));
    for (const e of x.exhibits) {
      if (e.restricted) box.push(el("p", {}, say("whole-restricted", { label: e.label })));
      if (!e.parent) continue;
      const parent = labels.get(e.parent);
      if (parent && !parent.restricted) { box.push(el("p", {}, say("whole-here", { label: e.label, parent: e.parent }))); continue; }
      for (const [form, s] of Object.entries(found)) for (const i of s.issues[s.issues.length - 1].items) {
        if (i.exhibit === e.parent && form !== "MG12") box.push(el("p", { class: "whole" }, say("whole-scheduled", { label: e.label, parent: e.parent, number: i.number, form })));
      }
    }
    const unused = Object.entries(found).filter(([form]) => form !== "MG12");
    if (!unused.length) box.push(el("p", {}, say("no-schedule")));
    for (const [form, s] of unused) {
      const rows = s.issues[s.issues.length - 1].items, most = Math.max(0, ...s.issues.flatMap((issue) => issue.items.map((i) => i.number)));
      box.push(el("h3", {}, rows.length ? say("schedule-head", { form, count: rows.length, issues: s.issues.length, last: most }) : say("schedule-nil-head", { form })));
      if (rows.length) box.push(table([{ t: say("col-item"), n: true }, { t: say("col-description") }, { t: say("col-where") }, { t: say("col-decision"), keep: true }, { t: say("col-here") }],
        rows.map((i) => { const e = labels.get(i.exhibit); return [String(i.number), shown((i.exhibit ? i.exhibit + ": " : "") + i.description), shown(i.location), i.decision, say(e && !e.restricted && e.sha256 === i.sha256 ? "here-yes" : "here-no")]; }), form));
      box.push(...s.issues.map((issue) => el("p", { class: "meta" }, say("schedule-signed", { number: issue.number, who: issue.signed_by, when: when(Date.parse(issue.signed_at)) }))));
    }
    const gone = c.events.filter((e) => !e.body).length;
    if (gone) box.push(el("p", {}, say("erased-events", { count: gone })));
    if (x.audience === "defence") box.push(el("p", {}, say("sensitive")));
    box.push(el("p", {}, say("whole-force")));
    out.append(el("h2", { id: "missing" }, say("head-missing")), ...box);
  }

  async function check(event) {
    event.preventDefault();
    $("problem").textContent = "";
    if (!chosen.bundle) { $("problem").textContent = say("need-bundle"); $("bundle").focus(); return; }
    forget();
    $("go").disabled = true;
    const pasted = $("pasted").value, file = chosen.bundle;
    const policy = pasted.trim() ? new TextEncoder().encode(pasted) : chosen.policy ? new Uint8Array(await chosen.policy.arrayBuffer()) : null;
    $("working").hidden = false;
    $("progress-text").textContent = say("checking-start");
    let painted = 0;
    const progress = async (done, total, path) => {
      if (performance.now() - painted < 120) return;
      painted = performance.now();
      $("progress").value = Math.floor((100 * done) / total);
      $("progress-text").textContent = say("checking", { percent: Math.floor((100 * done) / total), path });
      await new Promise((go) => setTimeout(go));
    };
    try {
      last = { ...(await verify(file, policy, progress)), name: file.name, size: file.size, checkedAt: Date.now() };
    } finally {
      $("working").hidden = true;
      $("go").disabled = false;
    }
    draw();
    $("result").focus();
  }

  for (const kind of ["bundle", "policy"]) $(kind).addEventListener("change", (e) => choose(kind, e.target.files[0]));
  for (const zone of document.querySelectorAll("[data-drop]")) {
    zone.addEventListener("dragover", () => zone.classList.add("over"));
    zone.addEventListener("dragleave", () => zone.classList.remove("over"));
    zone.addEventListener("drop", (e) => { zone.classList.remove("over"); e.preventDefault(); e.stopPropagation(); choose(zone.dataset.drop, e.dataTransfer.files[0]); });
  }
  document.addEventListener("dragover", (e) => e.preventDefault());
  document.addEventListener("drop", (e) => { e.preventDefault(); for (const file of e.dataTransfer.files) choose(looksLikePolicy(file) ? "policy" : "bundle", file); });
  $("form").addEventListener("submit", check);
  $("language").addEventListener("click", () => { language = language === "en" ? "cy" : "en"; translate(); });
  translate();
})();
