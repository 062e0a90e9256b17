import { v7 } from 'uuid'
import { away } from '../../matter/duty'
import type { CaseRow, CaseState, NewAct } from '../../shared/api/types'
import type { Point } from '../../shared/map/geo'
import type { Action } from '../../shared/session/roles'
import type { ActBody } from '../outbox/kinds'
import type { NewCommand } from '../outbox/store'
import type { DraftPhoto } from '../report/draft'

/** A case as the phone holds it; the text where it came along. */
export interface HeldCase {
  row: CaseRow
  text: string
  address: string
  /** What was said with it. */
  voice?: { id: string; seconds: number }
}

/** What can be done with a case from a phone, and what it has to carry. */
export interface TaskAct {
  act: 'confirm' | 'self_settle' | 'settle' | 'verify' | 'send_back'
  /** Of a confirmation: what is said with it. */
  verdict?: boolean
  needs: readonly ('photo' | 'reason')[]
  /** What was done may be said. */
  measure?: boolean
  /** The one that is more usual stands first and is coloured. */
  primary?: boolean
}

const byState: Partial<Record<CaseState, readonly (TaskAct & { right: Action })[]>> = {
  confirming: [
    { act: 'confirm', verdict: true, needs: [], primary: true, right: 'case.confirm' },
    { act: 'confirm', verdict: false, needs: ['reason'], right: 'case.confirm' },
  ],
  reported: [{ act: 'self_settle', needs: ['photo'], primary: true, right: 'case.self_settle' }],
  self_settled: [{ act: 'settle', needs: ['photo'], measure: true, primary: true, right: 'case.self_settle' }],
  fed_back: [
    { act: 'verify', needs: [], primary: true, right: 'case.verify' },
    { act: 'send_back', needs: ['reason'], right: 'case.verify' },
  ],
}

/** What a person may do with a case in this state, as far as the phone knows; the service decides. */
export function actsOn(row: CaseRow, may: (a: Action) => boolean, maySettle: (item: string) => boolean): TaskAct[] {
  if (row.partly) return []
  return (byState[row.state] ?? []).filter(a => may(a.right) && (a.act !== 'self_settle' || maySettle(row.item)))
}

/** An act that was kept here, and that what the phone holds of its case does not show yet. */
export interface PendingAct {
  id: string
  ref: string
  act: string
  /** The service has it. */
  sent: boolean
}

/** The state in which an act leaves a case. Others leave it as it was. */
const leadsTo: Readonly<Record<string, CaseState>> = {
  confirm: 'reported',
  self_settle: 'self_settled',
  settle: 'closed',
  verify: 'verified',
  send_back: 'rework',
}

/** A case as it will be once what was done here is told: so that what was begun without a line can be ended without one. */
export function advanced(row: CaseRow, acts: readonly PendingAct[]): CaseRow {
  const own = acts.filter(a => a.ref === row.ref)
  const state = own.map(a => leadsTo[a.act]).findLast(s => s !== undefined)
  return { ...row, state: state ?? row.state, version: row.version + own.length }
}

/** Tasks, the first due on top, then by age; or the nearest first. */
export function tasksOf(
  cases: readonly HeldCase[],
  pending: readonly PendingAct[],
  here: Point | null,
  can: (row: CaseRow) => boolean,
): HeldCase[] {
  const far = (c: HeldCase) => (here ? (away(c.row, here) ?? Number.POSITIVE_INFINITY) : 0)
  const due = (c: HeldCase) => (c.row.due_at ? Date.parse(c.row.due_at) : Number.POSITIVE_INFINITY)
  const later = (a: number, b: number) => (a === b ? 0 : a < b ? -1 : 1)
  return cases
    .map(c => ({ ...c, row: advanced(c.row, pending) }))
    .filter(c => can(c.row))
    .toSorted((a, b) => later(far(a), far(b)) || later(due(a), due(b)) || later(a.row.num, b.row.num))
}

/** Small things that a worker does about a matter; what the law does is done by officers. */
export const measures = ['dissuaded', 'guided', 'mediated', 'cleaned'] as const
export type TaskMeasure = (typeof measures)[number]

/** The commands that tell an act: its photos, then the act, which needs them and what was done with the case before. */
export function commandsOfAct(
  row: CaseRow,
  a: TaskAct,
  pending: readonly PendingAct[],
  given: { reason: string; measure: TaskMeasure | null; photos: readonly DraftPhoto[] },
): NewCommand<unknown>[] {
  const reason = given.reason.trim().slice(0, 2000)
  const act: Pick<NewAct, 'act' | 'version' | 'verdict' | 'reason' | 'measure'> = {
    act: a.act,
    version: row.version,
    ...(a.verdict === undefined ? {} : { verdict: a.verdict }),
    ...(reason ? { reason } : {}),
    ...(given.measure ? { measure: given.measure } : {}),
  }
  const evidence = given.photos.map(p => p.id)
  const before = pending.filter(p => p.ref === row.ref && !p.sent).map(p => p.id)
  const body: ActBody = { ref: row.ref, act, evidence, title: row.title, item: row.item }
  return [
    ...given.photos.map(p => ({
      id: p.id,
      kind: 'photo' as const,
      body: { type: p.type, size: p.size, original: p.original },
    })),
    { id: v7(), kind: 'act', body, needs: [...evidence, ...before] },
  ]
}

/** What is missing before an act can be kept. */
export function lackingOf(
  a: TaskAct,
  given: { reason: string; photos: readonly unknown[] },
): 'photo' | 'reason' | null {
  return a.needs.find(n => (n === 'photo' ? given.photos.length === 0 : given.reason.trim() === '')) ?? null
}

/** Open matters of the same item so near that they may be the same, the nearest first. */
export function nearby<T extends Point & { item: string }>(
  open: readonly T[],
  at: Point,
  item: string,
  metres: (a: Point, b: Point) => number,
): (T & { m: number })[] {
  return open
    .filter(o => o.item === item)
    .map(o => ({ ...o, m: metres(o, at) }))
    .filter(o => o.m <= sameM)
    .toSorted((a, b) => a.m - b.m)
    .slice(0, 3)
}
const sameM = 50

/** Opens the phone's own map with the way there. */
export function wayTo(p: Point, name: string, agent: string): string {
  const at = `${p.lat.toFixed(6)},${p.lon.toFixed(6)}`
  return /iPhone|iPad|iPod|Mac OS/.test(agent)
    ? `maps://?daddr=${at}&q=${encodeURIComponent(name)}`
    : `geo:${at}?q=${at}(${encodeURIComponent(name)})`
}
