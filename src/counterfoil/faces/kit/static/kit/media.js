// Stepping through a recording frame by frame. The page works without it: player, sheet and forms are plain HTML.
(function () {
  "use strict";
  var player = document.getElementById("player");
  if (!player) return;
  var bar = document.querySelector('.m-bar[data-for="player"]');
  var fraction = (player.dataset.step || "").split("/");
  var rate = fraction[0] / (fraction[1] || 1);
  var even = player.dataset.even === "yes" && rate > 0;
  var from = parseFloat(player.dataset.start) || 0;
  var shown = 0;
  function two(n) { return (n < 10 ? "0" : "") + n; }
  // Rounded up to the microsecond, so that the frame on screen is never mistaken for the one before it.
  function text(seconds) {
    var micro = Math.ceil(seconds * 1e6 - 1e-3), whole = Math.floor(micro / 1e6);
    return Math.floor(whole / 3600) + ":" + two(Math.floor(whole / 60) % 60) + ":" + two(whole % 60) + "." + String(micro % 1e6).padStart(6, "0");
  }
  function tell() {
    if (!bar) return;
    bar.querySelector("[data-now]").textContent = text(shown);
    var frame = bar.querySelector("[data-frame]");
    if (frame) frame.parentNode.hidden = !even;
    if (frame && even) frame.textContent = Math.round(shown * rate);
    var now = null, tiles = document.querySelectorAll(".m-sheet a");
    tiles.forEach(function (t) { t.classList.remove("is-now"); if (t.dataset.at / 1000 <= shown + 1e-3) now = t; });
    if (now) now.classList.add("is-now");
  }
  function follow(_, facts) { shown = Math.max(0, facts.mediaTime - from); tell(); player.requestVideoFrameCallback(follow); }
  if (player.requestVideoFrameCallback) player.requestVideoFrameCallback(follow);
  else player.addEventListener("timeupdate", function () { shown = Math.max(0, player.currentTime - from); tell(); });
  function move(frames) {
    player.pause();
    var step = rate > 0 ? 1 / rate : 0.04;
    // The middle of the frame wanted: a player may round a time that lies on the edge of two frames either way.
    player.currentTime = from + Math.max(0, shown + frames * step + step / 2);
  }
  if (bar) {
    bar.hidden = false;
    bar.addEventListener("click", function (event) { if (event.target.dataset.move) move(+event.target.dataset.move); });
  }
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.altKey || event.metaKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    if (event.key === ",") move(-1);
    if (event.key === ".") move(1);
  });
  document.querySelectorAll(".m-sheet a").forEach(function (tile) {
    tile.addEventListener("click", function (event) { event.preventDefault(); player.currentTime = from + tile.dataset.at / 1000 + 1e-3; });
  });
  document.querySelectorAll("[data-take]").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () { document.getElementById(button.dataset.take).value = even ? String(Math.round(shown * rate)) : text(shown); });
  });
})();
