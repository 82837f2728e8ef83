// Comfort only: every page works without this file.
(function () {
  'use strict';

  function each(selector, act) {
    Array.prototype.forEach.call(document.querySelectorAll(selector), act);
  }

  each('[data-reveals]', function (button) {
    var field = document.getElementById(button.getAttribute('data-reveals'));
    function show(revealed) {
      field.type = revealed ? 'text' : 'password';
      button.setAttribute('aria-pressed', String(revealed));
    }
    button.hidden = false;
    button.addEventListener('click', function () { show(field.type === 'password'); });
    // What is sent is a password again: browsers offer to remember text fields.
    field.form.addEventListener('submit', function () { show(false); });
  });

  each('[data-caps-lock]', function (hint) {
    var field = document.getElementById(hint.getAttribute('data-caps-lock'));
    function look(event) {
      if (event.getModifierState) hint.hidden = !event.getModifierState('CapsLock');
    }
    field.addEventListener('keydown', look);
    field.addEventListener('keyup', look);
    field.addEventListener('blur', function () { hint.hidden = true; });
  });

  each('[data-copies]', function (button) {
    if (!navigator.clipboard) return;
    button.hidden = false;
    button.addEventListener('click', function () {
      var text = document.getElementById(button.getAttribute('data-copies')).textContent;
      navigator.clipboard.writeText(text).then(function () {
        button.textContent = button.getAttribute('data-done');
      });
    });
  });

  each('[data-onward]', function (page) {
    var gone = false;
    function go() {
      if (gone) return;
      gone = true;
      location.replace(page.getAttribute('data-onward'));
    }
    // When the frames of the apps are there, and soon in any case.
    window.addEventListener('load', go);
    setTimeout(go, 2000);
  });

  each('[role=alert]', function (alert) { alert.focus(); });
})();
