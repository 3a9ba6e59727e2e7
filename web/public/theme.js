// Chooses the colours before the first paint, so that a dark room never sees a white flash.
// A file of its own: an inline script would need a hash in the content security policy.
(function () {
  var root = document.documentElement;
  var mode = 'system';
  try {
    mode = localStorage.getItem('shelfcast.theme') || 'system';
  } catch (_) {
    // Storage may be forbidden; the system's choice is a good one.
  }
  var dark = mode === 'dark' || (mode === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
  root.setAttribute('data-theme', dark ? 'dark' : 'light');
})();
