// The review of a redaction: frames turn without reloading, boxes are drawn with the mouse or moved by keys.
// The page does all of it without this script, by its links and its numbers.
(function () {
  "use strict";
  var waiting = document.querySelector("[data-again]");
  if (waiting) setTimeout(function () { window.location.reload(); }, 1000 * Number(waiting.dataset.again));
  var holder = document.getElementById("facts");
  var svg = document.getElementById("picture");
  if (!holder || !svg) return;
  var facts = JSON.parse(holder.textContent);
  var image = document.getElementById("sheet"), marks = document.getElementById("marks"), drawn = document.getElementById("drawn");
  var form = document.getElementById("boxform");
  var goto = document.getElementById("goto"), time = document.getElementById("time"), head = document.getElementById("head");
  var now = Number(goto.value) || 0, NS = "http://www.w3.org/2000/svg";
  document.querySelectorAll("[data-script]").forEach(function (e) { e.hidden = false; });
  svg.classList.add("is-drawing");

  function field(name) { return form.elements[name]; }
  function size(n) { return facts.sizes.length ? facts.sizes[n] : facts.size; }

  // Where a box is on a frame: the same whole-number lines as the plan that is carried out.
  function place(keys, frame) {
    if (frame < keys[0][0] || frame > keys[keys.length - 1][0]) return null;
    var before = keys[0], after = keys[keys.length - 1];
    keys.forEach(function (k) { if (k[0] <= frame) before = k; });
    for (var i = keys.length - 1; i >= 0; i--) if (keys[i][0] >= frame) after = keys[i];
    var span = after[0] - before[0], done = frame - before[0];
    if (!span) return [before[1], before[2], before[3], before[4]];
    function mid(p, q) { return (p * span + (q - p) * done) / span; }
    var l = Math.floor(mid(before[1], after[1])), t = Math.floor(mid(before[2], after[2]));
    var r = Math.ceil(mid(before[1] + before[3], after[1] + after[3])), b = Math.ceil(mid(before[2] + before[4], after[2] + after[4]));
    return [l, t, r - l, b - t];
  }

  function make(name, attributes, into) {
    var e = document.createElementNS(NS, name);
    Object.keys(attributes).forEach(function (k) { e.setAttribute(k, attributes[k]); });
    into.appendChild(e);
    return e;
  }

  function draw() {
    var s = size(now), count = 0, letter = Math.max(9, Math.round(s[0] / 60));
    while (marks.firstChild) marks.removeChild(marks.firstChild);
    if (facts.blank.some(function (b) { return b[0] <= now && now <= b[1]; })) make("rect", { "class": "r-box r-box--blank", x: 0, y: 0, width: s[0], height: s[1] }, marks);
    facts.boxes.forEach(function (b) {
      var p = place(b.keys, now);
      if (!p) return;
      count += 1;
      var g = make("g", { "class": "r-mark r-mark--" + b.state }, marks);
      make("rect", { "class": "r-box", x: p[0], y: p[1], width: p[2], height: p[3] }, g);
      make("text", { "class": "r-name", "font-size": letter, x: p[0] + 3, y: p[1] > letter + 4 ? p[1] - 4 : p[1] + letter + 1 }, g).textContent = b.name;
    });
    var word = facts.kind === "film" ? "Frame " + now : "Page " + (now + 1);
    svg.setAttribute("aria-label", word + " with " + count + " boxes");
  }

  function turn(to) {
    to = Math.max(0, Math.min(facts.frames - 1, to));
    if (to === now) return;
    now = to;
    var s = size(now);
    svg.setAttribute("viewBox", "0 0 " + s[0] + " " + s[1]);
    image.setAttribute("width", s[0]);
    image.setAttribute("height", s[1]);
    image.setAttribute("href", facts.address + now);
    goto.value = now;
    if (time) time.textContent = (facts.times[now] / 1000).toFixed(3);
    if (head) {
      var x = facts.kind === "film" ? 1000 * Math.min(1, facts.times[now] / facts.long) : 1000 * now / facts.frames;
      head.setAttribute("x1", x);
      head.setAttribute("x2", x);
    }
    document.querySelectorAll("[data-here]").forEach(function (e) { e.value = now; });
    if (field("frame")) field("frame").value = now;
    if (field("until")) field("until").value = Math.max(now, Number(field("until").value) || 0);
    var look = document.getElementById("view");
    look.href = "?frame=" + now + (facts.view ? "" : "&view=preview") + "#stage";
    draw();
    [now + 1, now + 2, now - 1].forEach(function (n) { if (n >= 0 && n < facts.frames) new Image().src = facts.address + n; });
  }

  document.querySelectorAll("[data-step]").forEach(function (a) {
    a.addEventListener("click", function (e) { e.preventDefault(); turn(now + Number(a.dataset.step)); });
  });
  document.querySelectorAll("[data-go]").forEach(function (a) {
    a.addEventListener("click", function (e) { e.preventDefault(); turn(Number(a.dataset.go)); svg.scrollIntoView({ block: "nearest" }); });
  });
  goto.form.addEventListener("submit", function (e) { e.preventDefault(); turn(Number(goto.value) || 0); });

  document.addEventListener("keydown", function (e) {
    if (e.ctrlKey || e.altKey || e.metaKey || e.defaultPrevented) return;
    if (/^(INPUT|TEXTAREA|SELECT|SUMMARY)$/.test(e.target.tagName) || e.target === drawn) return;
    if (e.key === "ArrowLeft" || e.key === "ArrowRight") { e.preventDefault(); turn(now + (e.key === "ArrowLeft" ? -1 : 1) * (e.shiftKey ? 10 : 1)); }
    if (e.key === "v") { e.preventDefault(); document.getElementById("view").click(); }
  });

  // Drawing: drag on the picture; the numbers of the form are what is sent.
  function point(e) {
    var p = svg.createSVGPoint(), s = size(now);
    p.x = e.clientX; p.y = e.clientY;
    p = p.matrixTransform(svg.getScreenCTM().inverse());
    return [Math.max(0, Math.min(s[0], Math.round(p.x))), Math.max(0, Math.min(s[1], Math.round(p.y)))];
  }
  function show(x, y, w, h) {
    drawn.setAttribute("x", x); drawn.setAttribute("y", y); drawn.setAttribute("width", w); drawn.setAttribute("height", h);
    field("x").value = x; field("y").value = y; field("w").value = w; field("h").value = h;
  }
  var from = null;
  svg.addEventListener("pointerdown", function (e) { if (e.button) return; from = point(e); svg.setPointerCapture(e.pointerId); e.preventDefault(); });
  svg.addEventListener("pointermove", function (e) {
    if (!from) return;
    var to = point(e);
    show(Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]));
  });
  svg.addEventListener("pointerup", function () { if (from) { from = null; if (Number(field("w").value) > 1) drawn.focus(); } });

  drawn.setAttribute("tabindex", "0");
  drawn.setAttribute("role", "img");
  drawn.setAttribute("aria-label", "The box being drawn: arrow keys move it, with Shift they size it");
  drawn.addEventListener("keydown", function (e) {
    var step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
    if (!step) return;
    e.preventDefault();
    var b = ["x", "y", "w", "h"].map(function (n) { return Number(field(n).value) || 0; }), by = 2;
    if (e.shiftKey) show(b[0], b[1], Math.max(2, b[2] + step[0] * by), Math.max(2, b[3] + step[1] * by));
    else show(Math.max(0, b[0] + step[0] * by), Math.max(0, b[1] + step[1] * by), b[2], b[3]);
  });
  ["x", "y", "w", "h"].forEach(function (n) {
    field(n).addEventListener("input", function () {
      ["x", "y", "w", "h"].forEach(function (m, i) { drawn.setAttribute(["x", "y", "width", "height"][i], Math.max(0, Number(field(m).value) || 0)); });
    });
  });
  field("box").addEventListener("change", function () {
    var b = facts.boxes.filter(function (one) { return one.id === field("box").value; })[0];
    var p = b && place(b.keys, now);
    if (p) show(p[0], p[1], p[2], p[3]);
  });
})();
