// Asks how far the picture is, and loads the page again when that has changed; without this file the page does so by itself.
(function () {
  'use strict';
  var waiting = document.querySelector('[data-waits]');
  if (!waiting || !window.fetch) return;
  var known = waiting.getAttribute('data-state');

  function later(seconds) { setTimeout(ask, seconds * 1000); }

  function ask() {
    if (document.hidden) { later(2); return; }
    fetch(waiting.getAttribute('data-waits'), { credentials: 'same-origin', cache: 'no-store' })
      .then(function (answer) { return answer.json(); })
      .then(function (told) {
        if (told.state === known) later(2); else location.reload();
      })
      .catch(function () { later(6); });
  }

  later(2);
}());
