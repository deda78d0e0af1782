// The way out, from the menu and from the palette.
import { logout } from '../api/session'
import { silently } from '../live/live.svelte'

export async function leave(): Promise<void> {
  await silently(logout)
  location.replace('/login')
}
