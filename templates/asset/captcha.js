// Solves the challenge of a form while its person types: finds the number whose SHA-256 behind the salt is the one that is asked for.
// Without this script a form is sent as it is. Nothing is loaded; the challenge stands in the page.
(function () {
  'use strict';

  var K = [];
  var INITIAL = [];
  (function () {
    // The first 32 bits of the fractions of square and cube roots of primes (FIPS 180-4 §4.2.2, §5.3.3).
    function fraction(x) { return ((x - Math.floor(x)) * 4294967296) | 0; }
    for (var n = 2; K.length < 64; n++) {
      var prime = true;
      for (var d = 2; d * d <= n; d++) { if (n % d === 0) { prime = false; break; } }
      if (!prime) { continue; }
      if (INITIAL.length < 8) { INITIAL.push(fraction(Math.sqrt(n))); }
      K.push(fraction(Math.cbrt(n)));
    }
  })();

  var w = new Int32Array(64);

  // SHA-256 of ASCII text (FIPS 180-4 §6.2), in hexadecimal.
  function sha256(text) {
    var length = text.length;
    var blocks = (length + 9 + 63) >> 6;
    var h = INITIAL.slice();
    for (var block = 0; block < blocks; block++) {
      for (var i = 0; i < 16; i++) {
        var word = 0;
        for (var j = 0; j < 4; j++) {
          var at = block * 64 + i * 4 + j;
          word = (word << 8) | (at < length ? text.charCodeAt(at) & 255 : at === length ? 128 : 0);
        }
        w[i] = word;
      }
      if (block === blocks - 1) { w[15] = length * 8; }
      for (i = 16; i < 64; i++) {
        var x = w[i - 15], y = w[i - 2];
        var s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
        var s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
        w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
      }
      var a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], k = h[7];
      for (i = 0; i < 64; i++) {
        var t1 = (k + (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))) +
          ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
        var t2 = ((((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) +
          ((a & b) ^ (a & c) ^ (b & c))) | 0;
        k = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
      }
      h = [h[0] + a | 0, h[1] + b | 0, h[2] + c | 0, h[3] + d | 0, h[4] + e | 0, h[5] + f | 0, h[6] + g | 0, h[7] + k | 0];
    }
    return h.map(function (part) { return ('0000000' + (part >>> 0).toString(16)).slice(-8); }).join('');
  }

  function solve(challenge, done) {
    var number = 0;
    (function some() {
      for (var end = Math.min(number + 2000, challenge.maxnumber + 1); number < end; number++) {
        if (sha256(challenge.salt + number) === challenge.challenge) { return done(number); }
      }
      if (number <= challenge.maxnumber) { setTimeout(some, 0); }
    })();
  }

  function attach(element) {
    var form = element.closest('form');
    var field = element.querySelector('input[name=captcha]');
    var status = element.querySelector('[data-captcha-status]');
    var state = 'idle';
    var submitter = null;
    function begin() {
      if (state !== 'idle') { return; }
      state = 'working';
      var challenge = JSON.parse(element.getAttribute('data-captcha'));
      solve(challenge, function (number) {
        field.value = btoa(JSON.stringify({
          algorithm: challenge.algorithm, challenge: challenge.challenge, number: number, salt: challenge.salt,
          signature: challenge.signature
        }));
        state = 'done';
        if (status) { status.textContent = status.getAttribute('data-done'); }
        if (submitter !== null) { form.requestSubmit(submitter || undefined); }
      });
    }
    form.addEventListener('focusin', begin);
    form.addEventListener('submit', function (event) {
      if (state === 'done') { return; }
      // Sent when it is solved.
      event.preventDefault();
      submitter = event.submitter || false;
      if (status) { status.hidden = false; status.textContent = status.getAttribute('data-working'); }
      begin();
    });
  }

  document.querySelectorAll('[data-captcha]').forEach(attach);
})();
