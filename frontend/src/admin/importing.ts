import type { ImportedRow, PeopleImport } from './types'

/** What the service takes. */
export const maxBytes = 4 << 20
export const maxRows = 5000

export const outcomes = ['error', 'new', 'changed', 'unchanged'] as const
export type Outcome = (typeof outcomes)[number]

/** How many rows would be kept, and whether they may be: a table with an error is not imported in part. */
export function verdict(p: PeopleImport): { rows: number; may: boolean } {
  const rows = p.counts.new + p.counts.changed
  return { rows, may: rows > 0 && p.counts.error === 0 }
}

/** The outcomes that a table has, those to be looked at first. */
export const outcomesOf = (p: PeopleImport): Outcome[] => outcomes.filter(o => p.counts[o] > 0)

/** What would become of a row, as keys of words and what goes into them. `role` and `field` are keys of their own. */
export interface Step {
  key: 'import.newPerson' | 'import.newPost' | 'import.change' | 'import.change_set'
  field?: string
  role?: string
  before?: string
  after?: string
}

export function stepsOf(row: ImportedRow): Step[] {
  const steps: Step[] = []
  const post = row.changes.some(c => c.field === 'post')
  if (row.outcome === 'new' && !post) {
    steps.push({ key: 'import.newPerson' })
    if (row.role) steps.push({ key: 'import.newPost', role: row.role })
  }
  for (const c of row.changes) {
    if (c.field === 'post') steps.push({ key: 'import.newPost', role: row.role ?? '' })
    else if (c.before === '') steps.push({ key: 'import.change_set', field: c.field, after: c.after })
    else steps.push({ key: 'import.change', field: c.field, before: c.before, after: c.after })
  }
  return steps
}
