// RFC 7396 merge patches, with one addition: {"append":[…],"keep":N} lengthens a list. What a patch does
// not touch stays the same object, so that a page redraws only what changed.

const kKeep = 5000

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const isObject = (value: unknown): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function merge(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  if (Array.isArray(patch.append) && (Array.isArray(target) || target === undefined)) {
    const keep = typeof patch.keep === 'number' ? patch.keep : kKeep
    const longer = Array.isArray(target) ? target.concat(patch.append) : patch.append
    return longer.length > keep ? longer.slice(longer.length - keep) : longer
  }
  const result: { [key: string]: unknown } = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = merge(result[key], value)
  }
  return result
}

// Items of a topic, keyed or listed, as a list.
export function itemsOf<T>(data: { items?: Record<string, T> | T[] } | undefined | null): T[] {
  const items = data?.items
  if (!items) return []
  return Array.isArray(items) ? items : Object.values(items)
}
