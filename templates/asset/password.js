// Tells what is wrong with a new password while it is typed. Without this file the form tells it after it was sent.
(function () {
  'use strict';

  function attach(field) {
    var list = document.getElementById(field.id + '-weaknesses');
    var email = field.form.querySelector('[name=email]');
    var username = field.form.querySelector('[name=username]');
    var waiting = null;
    var asked = '';
    function show(codes) {
      Array.prototype.forEach.call(list.querySelectorAll('[data-weakness]'), function (item) {
        item.hidden = codes.indexOf(item.getAttribute('data-weakness')) < 0;
      });
      field.setAttribute('aria-invalid', String(codes.length > 0));
    }
    function ask() {
      var body = { password: field.value };
      if (email && email.value) { body.email = email.value; }
      if (username && username.value) { body.username = username.value; }
      asked = field.value;
      if (!asked) { show([]); return; }
      // No cookies: what is asked has nothing to do with who is signed in.
      fetch(field.getAttribute('data-checks'), {
        method: 'POST', credentials: 'omit', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body)
      }).then(function (response) {
        return response.status === 200 || response.status === 422 ? response.json() : null;
      }).then(function (answer) {
        if (!answer || field.value !== asked) { return; }
        show((answer.errors || []).map(function (error) { return error.code; }));
      }).catch(function () {});
    }
    field.addEventListener('input', function () {
      clearTimeout(waiting);
      waiting = setTimeout(ask, 500);
    });
  }

  document.querySelectorAll('[data-checks]').forEach(attach);
})();
