// Light or dark: the user's choice where there is one, else the system's. boot.js set it before paint.
export type Theme = 'light' | 'dark'

const kKey = 'lightship.theme'
let current = $state<Theme>(document.documentElement.dataset.theme === 'dark' ? 'dark' : 'light')

function apply(theme: Theme) {
  current = theme
  document.documentElement.dataset.theme = theme
}

export const theme = {
  get name() {
    return current
  },
  toggle() {
    apply(current === 'dark' ? 'light' : 'dark')
    remember(kKey, current)
  },
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', event => {
  if (!recall(kKey)) apply(event.matches ? 'dark' : 'light')
})

// Storage may be switched off by the browser's settings; then nothing is remembered.
export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    /* not remembered */
  }
}
export function recall(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}
