// Tells what is wrong with a new password while it is typed. Without this file the form tells it after it was sent.
(function () {
  'use strict';

  Array.prototype.forEach.call(document.querySelectorAll('[data-checks]'), function (field) {
    var list = document.getElementById(field.id + '-checks');
    var told = field.parentNode.querySelector('[data-told]');
    var waiting = null;
    var asked = '';

    function valueOf(name) {
      var other = field.form.querySelector('[name=' + name + ']');
      return other && other.value;
    }

    function show(codes, good) {
      Array.prototype.forEach.call(list.querySelectorAll('[data-weakness]'), function (item) {
        item.hidden = codes.indexOf(item.getAttribute('data-weakness')) < 0;
      });
      list.querySelector('[data-good]').hidden = !good;
      field.setAttribute('aria-invalid', String(codes.length > 0));
    }

    function ask() {
      asked = field.value;
      if (!asked) { show([], false); field.removeAttribute('aria-invalid'); return; }
      var body = { password: asked };
      ['email', 'username', 'token'].forEach(function (name) {
        if (valueOf(name)) body[name] = valueOf(name);
      });
      // No cookies: what is asked has nothing to do with who is signed in.
      fetch(field.getAttribute('data-checks'), {
        method: 'POST',
        credentials: 'omit',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body)
      }).then(function (response) {
        return response.status === 200 || response.status === 422 ? response.json() : null;
      }).then(function (answer) {
        if (!answer || field.value !== asked) return;
        show((answer.errors || []).map(function (error) { return error.code; }), answer.valid === true);
      }).catch(function () {});
    }

    field.addEventListener('input', function () {
      // What was said of the password before is of another one now.
      if (told) told.hidden = true;
      clearTimeout(waiting);
      waiting = setTimeout(ask, 500);
    });
  });
})();
