// Sets the theme before the first paint. A file, so that the content security policy may stay 'self'.
;(function () {
  var chosen = null
  try {
    chosen = localStorage.getItem('lightship.theme')
  } catch (e) {
    // Storage may be switched off; the system's wish holds then.
  }
  var dark = chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
})()
