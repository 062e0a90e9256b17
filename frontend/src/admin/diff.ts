/** One field that an act changed; undefined: it was not there. */
export interface Difference {
  field: string
  before: unknown
  after: unknown
}

type Fields = Record<string, unknown>

function fieldsOf(value: unknown): Fields {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) return { value }
  const out: Fields = {}
  for (const [key, inner] of Object.entries(value)) {
    // One level down, a point's parts are fields of their own; further down they are shown as they are.
    if (inner !== null && typeof inner === 'object' && !Array.isArray(inner)) Object.assign(out, inner)
    else out[key] = inner
  }
  return out
}

/**
 * What an act changed, field by field in the order of the record. Where there is a before, what stayed is left out but for
 * `keep`, which names the thing; an act without a before tells all of its after.
 */
export function differences(before: unknown, after: unknown, keep: readonly string[] = ['role']): Difference[] {
  const was = fieldsOf(before)
  const is = fieldsOf(after)
  const fields = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter(f => f !== 'changed' || !before)
  return fields
    .map(field => ({ field, before: was[field], after: is[field] }))
    .filter(d => !before || keep.includes(d.field) || JSON.stringify(d.before) !== JSON.stringify(d.after))
}

/** What an act was done to: its kind and, where it has one, its id. */
export function subjectOf(text: string): { kind: string; id: string } {
  const at = text.indexOf(':')
  return at < 0 ? { kind: text, id: '' } : { kind: text.slice(0, at), id: text.slice(at + 1) }
}

/** The key of an act's words. */
export const actKey = (act: string): string => `act.${act.replaceAll('.', '_')}`
