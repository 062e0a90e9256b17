import type { CaseClock, Signal } from '../center/cases'
import type { CaseDetail, CaseRow } from '../shared/api/types'
import type { Point } from '../shared/map/geo'
import type { Action } from '../shared/session/roles'
import { unix } from '../shared/time/zone'
import { metresBetween } from './taken'

/** What there is to do for one's unit, what of it waits for others, and what is to be looked at on one's own ground. */
export type DutyList = 'todo' | 'look' | 'others'

/** What is asked of the queue for a list. Who may settle small things at once is shown what nobody has taken on yet. */
export function askedFor(list: DutyList, can: (action: Action) => boolean): { state: string; mine?: 'true' } {
  if (list === 'todo') return { state: 'dispatched,received,disposing,rework', mine: 'true' }
  if (list === 'others') return { state: 'returned,suspended,fed_back,verified', mine: 'true' }
  return { state: `confirming,self_settled,fed_back${can('case.self_settle') ? ',reported' : ''}` }
}

/** The lists of somebody, the one that opens first. */
export function listsOf(can: (action: Action) => boolean): DutyList[] {
  const unit = can('case.handle')
  const ground = can('case.confirm') || can('case.self_settle') || can('case.verify')
  return [
    ...(unit ? (['todo'] as const) : []),
    ...(ground ? (['look'] as const) : []),
    ...(unit ? (['others'] as const) : []),
  ]
}

const between = (from: number, to: number, now: number) =>
  to > from ? Math.min(1, Math.max(0, (now - from) / (to - from))) : 1

/** How a case's next due stands, and how much of its time has gone: 0 to 1, four fifths at amber. */
export function standing(row: CaseRow, now: number): { signal: Signal | null; gone: number } {
  if (row.due_at === undefined) return { signal: null, gone: 0 }
  const [due, amber] = [unix(row.due_at), row.amber_at === undefined ? undefined : unix(row.amber_at)]
  if (now > due) return { signal: 'red', gone: 1 }
  if (amber === undefined) return { signal: 'ok', gone: between(unix(row.opened_at), due, now) }
  if (now >= amber) return { signal: 'amber', gone: 0.8 + 0.2 * between(amber, due, now) }
  return { signal: 'ok', gone: 0.8 * between(unix(row.opened_at), amber, now) }
}

/** Metres to a case; null where either has no place. */
export function away(row: CaseRow, from: Point | null): number | null {
  if (!from || row.lon === undefined || row.lat === undefined) return null
  return metresBetween(from, { lon: row.lon, lat: row.lat })
}

/** The nearest first; what has no place comes last, in the order in which it came. */
export function nearest(rows: readonly CaseRow[], from: Point): CaseRow[] {
  const far = (r: CaseRow) => away(r, from) ?? Number.POSITIVE_INFINITY
  return rows.toSorted((a, b) => (far(a) === far(b) ? 0 : far(a) - far(b)))
}

/** The clock that an act stopped, and the seconds that were left of it by its own count; negative where it was late. */
export function stoppedBy(before: CaseDetail, after: CaseDetail): { clock: CaseClock; left: number } | null {
  const same = (a: CaseClock, b: CaseClock) => a.kind === b.kind && a.stage === b.stage && a.started_at === b.started_at
  const ran = before.case.clocks.filter(k => k.phase !== 'stopped')
  const ended = after.case.clocks.filter(k => k.phase === 'stopped' && ran.some(r => same(r, k)))
  // Of several that stop at once the longest is the one that matters.
  const clock = ended.toSorted((a, b) => b.budget_s - a.budget_s)[0]
  return clock ? { clock, left: clock.budget_s - clock.used_s } : null
}
