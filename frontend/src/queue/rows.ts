import type { CaseRow } from '../shared/api/types'
import type { Filter } from './filter'

const at = (time: string | undefined) => (time === undefined ? Number.POSITIVE_INFINITY : Date.parse(time))

/** How rows are ordered, as the service does: what has no due comes after what has one, equals by their numbers. */
export function order(f: Pick<Filter, 'sort' | 'order'>): (a: CaseRow, b: CaseRow) => number {
  const by = f.order === 'desc' ? -1 : 1
  const time = (r: CaseRow) => at(f.sort === 'opened' ? r.opened_at : r.due_at)
  return (a, b) => {
    const [x, y] = [time(a), time(b)]
    return by * (x === y ? a.num - b.num || a.part - b.part : x < y ? -1 : 1)
  }
}

/**
 * The rows after some cases changed: `asked` are the numbers that were looked at, `found` what of them belongs here now.
 * Rows in which nothing changed stay the very same. `open`: more pages follow, so what sorts after the last row is left to them.
 */
export function brought(
  rows: readonly CaseRow[],
  asked: ReadonlySet<number>,
  found: readonly CaseRow[],
  compare: (a: CaseRow, b: CaseRow) => number,
  open: boolean,
): { rows: CaseRow[]; come: CaseRow[]; gone: CaseRow[]; changed: CaseRow[] } {
  const old = new Map(rows.filter(r => asked.has(r.num)).map(r => [r.ref, r]))
  const last = rows.at(-1)
  const [come, changed, kept]: CaseRow[][] = [[], [], []]
  for (const r of found) {
    const was = old.get(r.ref)
    old.delete(r.ref)
    // An answer may come from a node that is a moment behind.
    if (was && (r.version < was.version || JSON.stringify(was) === JSON.stringify(r))) {
      kept!.push(was)
      continue
    }
    if (was) changed!.push(r)
    else if (!(open && last && compare(r, last) > 0)) come!.push(r)
  }
  const gone = [...old.values()]
  if (come!.length + changed!.length + gone.length === 0)
    return { rows: rows as CaseRow[], come: [], gone, changed: [] }
  const rest = rows.filter(r => !asked.has(r.num))
  return {
    rows: [...rest, ...kept!, ...changed!, ...come!].sort(compare),
    come: come!,
    gone,
    changed: changed!,
  }
}

/**
 * Where a step from the lit row leads. `at` is its place, -1 where it is not among the rows: then the step leads back to where one
 * `stood` before, or, where that was nowhere (-1), to an end.
 */
export function nextRow(rows: number, at: number, stood: number, step: number): number {
  const to = at >= 0 ? at + step : stood >= 0 ? stood : step > 0 ? 0 : rows - 1
  return Math.min(rows - 1, Math.max(0, to))
}

export type Light = 'red' | 'amber' | 'green' | 'none'
/** What a row's clock says at a moment in unix seconds. The moment of the due itself is still in time. */
export function light(r: Pick<CaseRow, 'amber_at' | 'due_at'>, now: number): Light {
  if (r.due_at === undefined) return 'none'
  if (now * 1000 > Date.parse(r.due_at)) return 'red'
  return r.amber_at !== undefined && now * 1000 >= Date.parse(r.amber_at) ? 'amber' : 'green'
}

/** A span in its two largest units, days alone from ten on, or seconds in its last minute. */
export function spanOf(seconds: number): { unit: 'd' | 'dh' | 'hm' | 'm' | 's'; a: number; b: number } {
  const s = Math.floor(Math.abs(seconds))
  if (s >= 10 * 86_400) return { unit: 'd', a: Math.floor(s / 86_400), b: 0 }
  if (s >= 86_400) return { unit: 'dh', a: Math.floor(s / 86_400), b: Math.floor((s % 86_400) / 3600) }
  if (s >= 3600) return { unit: 'hm', a: Math.floor(s / 3600), b: Math.floor((s % 3600) / 60) }
  return s >= 60 ? { unit: 'm', a: Math.floor(s / 60), b: 0 } : { unit: 's', a: s, b: 0 }
}

/** Acts that lead a case from its state to its unit; none where the desk has no such step. */
export function toUnit(state: CaseRow['state']): ('accept' | 'file' | 'dispatch')[] {
  if (state === 'reported') return ['accept', 'file', 'dispatch']
  if (state === 'accepted') return ['file', 'dispatch']
  return state === 'filed' || state === 'returned' ? ['dispatch'] : []
}

/** What of these rows an act may be done with, by their states: the rest is told before anything is sent. */
export function mayBe(act: 'accept' | 'reject' | 'merge' | 'dispatch', state: CaseRow['state']): boolean {
  if (act === 'accept') return state === 'reported'
  if (act === 'reject') return state === 'reported' || state === 'accepted'
  if (act === 'merge') return ['reported', 'accepted', 'filed', 'dispatched'].includes(state)
  return toUnit(state).length > 0
}
