// Files in pieces, on top of a form that works without this: progress, speed, going on after a break or a reload.
// Nothing is kept in the browser: which files are half here, the server says in the page.
(function () {
  "use strict";
  var form = document.querySelector("form[data-upload]");
  if (!form || !window.tus || !window.tus.isSupported) return;
  var field = form.querySelector('input[type="file"]');
  var words = JSON.parse(form.dataset.words);
  var waiting = JSON.parse(form.dataset.waiting);
  var list = document.querySelector("[data-upload-list]");
  var live = document.querySelector("[data-upload-say]");
  var title = document.title;
  var jobs = [];
  // Small enough to tell the server often how far it got, big enough that asking costs nothing.
  var PIECE = 32 * 1024 * 1024;
  var RETRY = [0, 1000, 3000, 5000, 10000, 20000];
  while (RETRY.length < 40) RETRY.push(30000);

  function fill(text, facts) {
    return text.replace(/\{(\w+)\}/g, function (_, name) { return facts[name]; });
  }
  function size(n) {
    var units = ["bytes", "KB", "MB", "GB"], at = 0;
    while (n >= 1024 && at < 3) { n /= 1024; at += 1; }
    return (at === 0 || n >= 100 || n === Math.round(n) ? n.toFixed(0) : n.toFixed(1)) + " " + units[at];
  }
  function left(seconds) {
    if (seconds < 60) return words.under;
    var minutes = Math.round(seconds / 60);
    return minutes < 90 ? fill(words.minutes, { n: minutes }) : fill(words.hours, { n: Math.round(minutes / 60) });
  }
  function say(text) { live.textContent = ""; setTimeout(function () { live.textContent = text; }, 50); }
  function part(tag, name, inside) {
    var made = document.createElement(tag);
    made.className = name;
    if (inside) inside.appendChild(made);
    return made;
  }
  function button(text, file, inside, act) {
    var made = part("button", "cf-button-plain", inside), hidden = part("span", "govuk-visually-hidden");
    made.type = "button";
    made.textContent = text;
    hidden.textContent = " " + file.name;
    made.appendChild(hidden);
    made.addEventListener("click", act);
    return made;
  }
  function same(file, kept) {
    return kept.name === file.name && kept.length === file.size && (!kept.last || kept.last === String(file.lastModified));
  }

  function Job(file) {
    var job = this, known = waiting.filter(function (kept) { return same(file, kept); })[0];
    job.file = file;
    job.state = "queued";
    job.row = part("li", "cf-upload", list);
    part("span", "cf-files__name", job.row).textContent = file.name;
    part("span", "cf-files__size", job.row).textContent = size(file.size);
    job.badge = part("span", "cf-state", job.row);
    job.bar = part("progress", "cf-upload__bar", job.row);
    job.bar.max = 100;
    job.bar.value = 0;
    job.bar.setAttribute("aria-label", fill(words.progress, { name: file.name }));
    job.note = part("p", "cf-upload__note", job.row);
    var buttons = part("span", "cf-upload__buttons", job.row);
    job.hold = button(words.pause, file, buttons, function () { if (job.state === "sending") job.pause(); else job.start(); });
    job.stop = button(words.cancel, file, buttons, function () { job.cancel(); });
    job.upload = new window.tus.Upload(file, {
      endpoint: form.dataset.upload,
      uploadUrl: known ? form.dataset.upload + known.id : null,
      headers: { "X-CSRFToken": form.dataset.token },
      metadata: { filename: file.name, last: String(file.lastModified) },
      chunkSize: PIECE,
      retryDelays: RETRY,
      storeFingerprintForResuming: false,
      onProgress: function (sent, total) { job.moved(sent, total); },
      onChunkComplete: function () { job.kept = true; },
      onSuccess: function () { job.set("done", ""); say(fill(words.saidDone, { name: file.name })); settle(); },
      onError: function (error) { job.failed(error); },
      onShouldRetry: function (error) {
        var status = error.originalResponse ? error.originalResponse.getStatus() : 0;
        var again = !status || status === 409 || status === 423 || status === 460 || status >= 502;
        if (again) job.set("sending", status === 423 ? words.busy : words.down);
        return again;
      }
    });
    if (known) {
      waiting.splice(waiting.indexOf(known), 1);
      var old = document.querySelector('[data-waiting-id="' + known.id + '"]');
      if (old) old.remove();
      var section = document.querySelector("[data-waiting-section]");
      if (section && !section.querySelector("[data-waiting-id]")) section.hidden = true;
    }
    job.set("queued", "");
  }
  Job.prototype.set = function (state, note) {
    this.state = state;
    this.badge.textContent = words[state];
    this.badge.className = "cf-state" + (state === "done" ? " cf-state--good" : state === "failed" ? " cf-state--bad" : "");
    this.note.textContent = note;
    this.bar.hidden = state === "done" || state === "cancelled" || (state === "failed" && !this.bar.value);
    this.hold.hidden = state === "done" || state === "cancelled" || state === "queued" || state === "refused";
    this.hold.firstChild.data = state === "sending" ? words.pause : words.resume;
    this.stop.hidden = state === "done" || state === "cancelled";
    if (state === "done") this.bar.value = 100;
    this.row.classList.toggle("is-failed", state === "failed");
  };
  Job.prototype.start = function () {
    this.since = null;
    this.speed = 0;
    this.set("sending", words.starting);
    this.upload.start();
  };
  Job.prototype.moved = function (sent, total) {
    if (this.state !== "sending") return;
    var now = Date.now();
    if (this.since === null) { this.since = now; this.from = sent; }
    if (now - this.since >= 1000) {
      var fresh = (sent - this.from) / ((now - this.since) / 1000);
      this.speed = this.speed ? this.speed * 0.7 + fresh * 0.3 : fresh;
      this.since = now;
      this.from = sent;
    }
    this.bar.value = total ? Math.floor(sent / total * 100) : 0;
    var facts = { percent: this.bar.value, sent: size(sent), total: size(total), speed: size(this.speed) };
    this.note.textContent = sent >= total ? words.checking
      : this.speed > 0 ? fill(words.far, facts) + " " + left((total - sent) / this.speed) : fill(words.near, facts);
    var quarter = Math.floor(sent / total * 4);
    if (quarter > (this.quarter || 0) && quarter < 4) say(fill(words.saidFar, { name: this.file.name, percent: quarter * 25 }));
    this.quarter = quarter;
  };
  Job.prototype.pause = function () {
    var job = this;
    this.upload.abort().then(function () { job.set("paused", words.held); say(fill(words.saidPaused, { name: job.file.name })); settle(); });
  };
  Job.prototype.cancel = function () {
    var job = this;
    this.upload.abort(true).catch(function () {}).then(function () {
      job.set("cancelled", "");
      say(fill(words.saidCancelled, { name: job.file.name }));
      settle();
      field.focus();
    });
  };
  Job.prototype.failed = function (error) {
    var answer = error.originalResponse, status = answer ? answer.getStatus() : 0;
    var body = answer && /^text\/plain/.test(answer.getHeader("Content-Type") || "") ? answer.getBody().trim() : "";
    var text = body || (status === 403 || status === 404 ? words.ended : words.broken);
    this.set("failed", text);
    if (status >= 400 && status < 500) this.hold.hidden = this.stop.hidden = true;
    say(fill(words.saidFailed, { name: this.file.name, why: text }));
    settle();
  };

  function busy() { return jobs.some(function (job) { return /queued|sending|paused/.test(job.state); }); }
  function settle() {
    var next = jobs.filter(function (job) { return job.state === "queued"; })[0];
    if (next && !jobs.some(function (job) { return job.state === "sending"; })) { next.start(); return; }
    if (busy() || !jobs.length) return;
    if (jobs.some(function (job) { return job.state === "failed"; })) {
      document.title = words.error + " " + title;
      return;
    }
    if (jobs.some(function (job) { return job.state === "done"; })) go();
  }
  function go() {
    var then = form.dataset.then || "add";
    if (then === "add") { window.location.replace(window.location.href.split("#")[0]); return; }
    var told = document.createElement("input");
    told.type = "hidden";
    told.name = "then";
    told.value = then;
    form.appendChild(told);
    HTMLFormElement.prototype.submit.call(form);
  }

  list.hidden = false;
  var hint = document.querySelector("[data-upload-hint]");
  if (hint) hint.textContent = hint.dataset.uploadHint;
  form.addEventListener("submit", function (event) {
    var pressed = event.submitter && event.submitter.name === "then" ? event.submitter.value : "add";
    var chosen = Array.prototype.slice.call(field.files);
    if (!chosen.length) {
      if (busy()) { event.preventDefault(); say(words.wait); }
      return;
    }
    event.preventDefault();
    form.dataset.then = pressed;
    document.title = title;
    // What failed before is said no more when something new is tried.
    jobs = jobs.filter(function (job) {
      if (job.state === "failed" || job.state === "cancelled") { job.row.remove(); return false; }
      return true;
    });
    chosen.forEach(function (file) { jobs.push(new Job(file)); });
    field.value = "";
    say(fill(words.saidStart, { n: chosen.length }));
    settle();
  });
})();
