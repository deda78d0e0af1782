// How well a word fits a name, for the palette: 0 not at all; a beginning beats a word's beginning,
// that beats anywhere, that beats letters in order.
export function fit(query: string, name: string): number {
  const q = query.trim().toLowerCase()
  const n = name.toLowerCase()
  if (!q) return 1
  if (n.startsWith(q)) return 100 - n.length / 1000
  const at = n.indexOf(q)
  if (at > 0) return (/[\s/._-]/.test(n[at - 1]) ? 80 : 60) - n.length / 1000
  let from = 0
  for (const letter of q.replace(/\s+/g, '')) {
    from = n.indexOf(letter, from) + 1
    if (from === 0) return 0
  }
  return 20 - n.length / 1000
}
