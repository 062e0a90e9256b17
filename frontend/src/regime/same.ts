/** Whether two values of JSON say the same. The order of an object's fields says nothing, nor does one that is undefined. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((v, i) => same(v, b[i]))
  }
  const [x, y] = [a as Record<string, unknown>, b as Record<string, unknown>]
  const keys = (o: Record<string, unknown>) => Object.keys(o).filter(k => o[k] !== undefined)
  return keys(x).length === keys(y).length && keys(x).every(k => same(x[k], y[k]))
}

/** A list with one of its members moved by some places; the same list where it would leave it. */
export function moved<T>(list: readonly T[], from: number, by: number): T[] {
  const to = from + by
  if (from < 0 || from >= list.length || to < 0 || to >= list.length) return [...list]
  const next = [...list]
  next.splice(to, 0, ...next.splice(from, 1))
  return next
}
