// The portal. Who is in is asked first; without a session the way leads to the login page and back.
import { mount } from 'svelte'
import './styles/tokens.css'
import './styles/fonts.css'
import './styles/base.css'
import App from './App.svelte'
import { ApiError, whenUnauthorized } from './api/http'
import { session } from './api/session'
import { startLive } from './live/live.svelte'
import { setMe } from './lib/me.svelte'
import { startRouter } from './lib/router.svelte'

function toLogin() {
  location.replace(`/login?next=${encodeURIComponent(location.pathname + location.search)}`)
}
whenUnauthorized(toLogin)

// After an update the pieces of the old build are gone and the new one is a reload away. While the gateway
// does not answer at all, a reload would lose what is still on the screen.
addEventListener('vite:preloadError', () => {
  const mine = new URL(import.meta.url).pathname
  fetch('/', { cache: 'no-store' })
    .then(answer => (answer.ok ? answer.text() : mine))
    .then(page => page.includes(mine) || location.reload())
    .catch(() => {})
})

async function start() {
  for (let pause_s = 1; ; pause_s = Math.min(10, pause_s * 2)) {
    try {
      const found = await session()
      if (found.must_change_password) return location.replace('/login?change=1')
      setMe(found)
      break
    } catch (why) {
      const error = ApiError.from(why)
      if (error.status === 401) return
      if (error.is('password-change-required')) return location.replace('/login?change=1')
      await new Promise(resolve => setTimeout(resolve, pause_s * 1000))
    }
  }
  startRouter()
  startLive()
  mount(App, { target: document.getElementById('app')! })
}
void start()
