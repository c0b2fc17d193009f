// Small helps on top of pages that work without any of this.
(function () {
  "use strict";

  // Errors: read them out first.
  var summary = document.querySelector("[data-focus]");
  if (summary) summary.focus();

  // Print buttons are shown only where they can work.
  document.querySelectorAll("[data-print]").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () { window.print(); });
  });

  // One press sends once.
  document.querySelectorAll("form").forEach(function (form) {
    var sent = false;
    form.addEventListener("submit", function (event) {
      if (sent) { event.preventDefault(); return; }
      sent = true;
      // What another script took over was not sent by the form: the next press counts again.
      setTimeout(function () { if (event.defaultPrevented) sent = false; }, 0);
      setTimeout(function () { sent = false; }, 2000);
    });
  });

  // Exit this page: blank at once, and take this page's own place in the history.
  var exits = document.querySelectorAll("[data-exit]");
  if (!exits.length) return;
  var target = exits[0].href;
  function leave() {
    document.title = "Online service";
    document.documentElement.hidden = true;
    window.location.replace(target);
  }
  exits.forEach(function (link) {
    link.addEventListener("click", function (event) { event.preventDefault(); leave(); });
  });
  var presses = 0, timer = null, clean = false, say = document.querySelector("[data-exit-say]");
  document.addEventListener("keydown", function (event) { clean = event.key === "Shift" && !event.repeat ? true : event.key === "Shift" && clean; });
  document.addEventListener("keyup", function (event) {
    if (event.key !== "Shift" || !clean) { presses = 0; return; }
    clean = false;
    presses += 1;
    clearTimeout(timer);
    if (presses >= 3) { leave(); return; }
    if (say) say.textContent = presses === 1 ? say.dataset.two : say.dataset.one;
    timer = setTimeout(function () { presses = 0; if (say) say.textContent = ""; }, 5000);
  });

  // A page brought back whole from memory is asked for again, so that nothing old is shown.
  window.addEventListener("pageshow", function (event) { if (event.persisted) window.location.reload(); });
})();
