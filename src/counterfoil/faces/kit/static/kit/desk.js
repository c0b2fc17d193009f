// Keyboard shortcuts of the desk. Everything works without them.
(function () {
  "use strict";
  var at = -1;
  function rows() { return Array.prototype.slice.call(document.querySelectorAll(".d-table tbody tr, .d-duties > div")).filter(function (r) { return r.querySelector("a"); }); }
  function move(step) {
    var all = rows();
    if (!all.length) return;
    at = Math.min(all.length - 1, Math.max(0, at + step));
    all[at].querySelector("a").focus();
  }
  document.querySelectorAll("[data-print]").forEach(function (b) { b.hidden = false; b.addEventListener("click", function () { window.print(); }); });
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    if (event.key === "j") return move(1);
    if (event.key === "k") return move(-1);
    if (!/^[a-z?]$/.test(event.key)) return;
    var link = document.querySelector('[data-key="' + event.key + '"]');
    if (link) { event.preventDefault(); link.click(); }
  });
})();
