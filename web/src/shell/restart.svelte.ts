// Whether the window that asks about a restart of the whole program is open.
let open = $state(false)
export const restarting = {
  get open() {
    return open
  },
  ask: () => (open = true),
  close: () => (open = false),
}
