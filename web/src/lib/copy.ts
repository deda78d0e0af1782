// To the clipboard. Plain http on a LAN address is no secure context and has no navigator.clipboard;
// the old command still works there.
export async function copy(text: string): Promise<boolean> {
  if (navigator.clipboard && isSecureContext) {
    try {
      await navigator.clipboard.writeText(text)
      return true
    } catch {
      /* the old way, then */
    }
  }
  const area = document.createElement('textarea')
  area.value = text
  area.className = 'hidden-text'
  const host = document.querySelector('dialog[open]') ?? document.body
  host.append(area)
  area.select()
  const done = document.execCommand('copy')
  area.remove()
  return done
}
