// Asks the browser for a passkey and sends its answer in the form; without this file the other ways to sign in are there.
(function () {
  'use strict';
  if (!window.PublicKeyCredential || !navigator.credentials) return;

  function bytes(text) {
    var binary = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
    var array = new Uint8Array(binary.length);
    for (var i = 0; i < binary.length; i += 1) array[i] = binary.charCodeAt(i);
    return array.buffer;
  }

  function text(buffer) {
    var array = new Uint8Array(buffer);
    var binary = '';
    for (var i = 0; i < array.length; i += 1) binary += String.fromCharCode(array[i]);
    return btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  }

  function read(json) {
    var options = JSON.parse(json);
    options.challenge = bytes(options.challenge);
    if (options.user) options.user.id = bytes(options.user.id);
    ['excludeCredentials', 'allowCredentials'].forEach(function (name) {
      (options[name] || []).forEach(function (credential) { credential.id = bytes(credential.id); });
    });
    return options;
  }

  function written(credential) {
    var response = credential.response;
    var answer = { clientDataJSON: text(response.clientDataJSON) };
    if (response.attestationObject) {
      answer.attestationObject = text(response.attestationObject);
    } else {
      answer.authenticatorData = text(response.authenticatorData);
      answer.signature = text(response.signature);
      answer.userHandle = response.userHandle ? text(response.userHandle) : null;
    }
    return JSON.stringify({
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      response: answer,
      extensions: {},
    });
  }

  // Whether this device can make a passkey of its own: then one is offered after a sign-in by password.
  if (PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable) {
    PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable().then(function (able) {
      Array.prototype.forEach.call(document.querySelectorAll('[data-passkey-able]'), function (field) {
        field.value = able ? '1' : '';
      });
    });
  }

  Array.prototype.forEach.call(document.querySelectorAll('form[data-passkey]'), function (form) {
    var creates = form.getAttribute('data-passkey') === 'create';
    var waiting = null;

    function send(credential) {
      form.querySelector('[name=credential]').value = written(credential);
      form.submit();
    }

    function ask(more) {
      var request = more || {};
      request.publicKey = read(form.getAttribute('data-options'));
      return creates ? navigator.credentials.create(request) : navigator.credentials.get(request);
    }

    form.querySelector('button').hidden = false;
    form.addEventListener('submit', function (event) {
      event.preventDefault();
      // One question at a time: what the field offers gives way to the button.
      if (waiting) waiting.abort();
      // Who changes their mind stays where they are.
      ask().then(send, function () {});
    });

    if (form.hasAttribute('data-conditional') && PublicKeyCredential.isConditionalMediationAvailable) {
      PublicKeyCredential.isConditionalMediationAvailable().then(function (available) {
        if (!available) return;
        waiting = new AbortController();
        ask({ mediation: 'conditional', signal: waiting.signal }).then(send, function () {});
      });
    }
  });
})();
