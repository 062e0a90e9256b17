import type { ApiError } from '../shared/api/client'
import type { CaseDetail, NewAct, Report } from '../shared/api/types'
import { nameIn } from '../shared/i18n/names'
import { unix } from '../shared/time/zone'

export type Case = NonNullable<Report['case']>
export type CaseClock = Case['clocks'][number]

/** How a clock stands: in time, turned, overdue or kept waiting; and of one that has stopped, whether that was in time. */
export type Signal = 'ok' | 'amber' | 'red' | 'paused' | 'inTime' | 'late'

/** How a clock stands at a moment in unix seconds. The moment of the due itself is still in time, as the service has it. */
export function signal(clock: CaseClock, now: number): Signal {
  const due = clock.due_at === undefined ? undefined : unix(clock.due_at)
  if (clock.phase === 'stopped') return clock.late ? 'late' : 'inTime'
  if (due !== undefined && now > due) return 'red'
  if (clock.phase === 'paused') return 'paused'
  return clock.amber_at !== undefined && now >= unix(clock.amber_at) ? 'amber' : 'ok'
}

/** The clocks to show: those that run or wait, the first to be due first; of a case that has ended, how its limits were kept. */
export function clocksShown(c: Case): CaseClock[] {
  const running = c.clocks.filter(k => k.phase !== 'stopped')
  const list = running.length > 0 ? running : c.clocks.filter(k => k.kind === 'disposal')
  const when = (k: CaseClock) => (k.due_at === undefined ? Number.POSITIVE_INFINITY : unix(k.due_at))
  return list.toSorted((a, b) => when(a) - when(b))
}

/** What a unit is called in the reader's language; one that was made just now has a number alone. */
export function unitName(unit: Case['unit'], language: string): string {
  return nameIn(unit, language) || String(unit.id)
}

export type Act = CaseDetail['allowed_actions'][number]['act']
export type Need = CaseDetail['allowed_actions'][number]['needs'][number]
export type Done = CaseDetail['acts'][number]

/** What an act may carry besides what it has to. */
export type Extra = 'reason' | 'evidence' | 'measure'
export type Measure = NonNullable<NewAct['measure']>
export const measures = [
  'dissuaded',
  'guided',
  'mediated',
  'cleaned',
  'ordered',
  'inspected',
  'penalised',
  'nothing_found',
] as const satisfies readonly Measure[]
/** The law's own, which name two certificated officers. */
export const byLaw: readonly Measure[] = ['inspected', 'penalised']
export type SettledBy = NonNullable<NewAct['settled_by']>
export const settlers = ['village_onsite', 'town_team', 'committee'] as const satisfies readonly SettledBy[]

/** What may be done with a case by one button: an act, or several that usually follow one another. */
export interface Choice {
  key: string
  acts: Act[]
  needs: Need[]
  takes: Extra[]
  primary: boolean
}

/** What leads on, the next step first: of those that are allowed the first is the one that usually follows. */
const onward: Act[] = [
  'accept',
  'file',
  'dispatch',
  'receive',
  'begin',
  'redo',
  'feed_back',
  'settle',
  'confirm',
  'verify',
  'close',
  'resume',
  'extend_again',
  'evaluate',
]
/** What the desk does in one go. */
const inOneGo: Partial<Record<Act, Act[]>> = {
  accept: ['accept', 'file', 'dispatch'],
  file: ['file', 'dispatch'],
}
/** What else may be said or shown. An act with none of these, which needs nothing either, is done by its button alone. */
const extras: Partial<Record<Act, Extra[]>> = {
  confirm: ['reason', 'evidence'],
  self_settle: ['reason'],
  settle: ['reason'],
  feed_back: ['measure', 'reason'],
  verify: ['reason', 'evidence'],
  send_back: ['evidence'],
  return: ['evidence'],
  close: ['reason', 'evidence'],
  merge: ['reason'],
  reopen: ['evidence'],
  evaluate: ['reason'],
  note: ['evidence'],
}

/** The buttons of a case, the usual next step first. */
export function choices(detail: CaseDetail): Choice[] {
  const next = onward.find(act => detail.allowed_actions.some(a => a.act === act))
  const list: Choice[] = detail.allowed_actions.map(a => ({
    key: a.act,
    acts: [a.act],
    needs: a.needs,
    takes: (extras[a.act] ?? []).filter(e => !(a.needs as string[]).includes(e)),
    primary: false,
  }))
  const together = next && inOneGo[next]
  if (together) list.push({ key: together.join('_'), acts: together, needs: ['unit'], takes: [], primary: false })
  const first = list.find(c => c.key === (together ? together.join('_') : next))
  if (first) first.primary = true
  return list.toSorted((a, b) => Number(b.primary) - Number(a.primary))
}

/** Whether anything is asked before an act is done. */
export const asksFirst = (c: Choice): boolean => c.needs.length + c.takes.length > 0

/** A part of a case: of a split the item, of a task the unit. */
export interface NewPart {
  item: string
  unit: number | null
}

/** What somebody typed for an act; empty where nothing was. */
export interface Filled {
  reason: string
  unit: number | null
  target: string
  verdict: boolean | null
  rating: number | null
  amount: number | null
  per: string
  stage: number | null
  object: string
  settledBy: SettledBy | null
  measure: Measure | null
  officers: string[]
  parts: NewPart[]
}
export const nothingFilled = (): Filled => ({
  reason: '',
  unit: null,
  target: '',
  verdict: null,
  rating: null,
  amount: null,
  per: '',
  stage: null,
  object: '',
  settledBy: null,
  measure: null,
  officers: [],
  parts: [],
})

/** Reads what was stored of a form; null where it is none. */
export function readFilled(stored: unknown): Filled | null {
  if (typeof stored !== 'object' || stored === null) return null
  const none = nothingFilled()
  const whole = { ...none, ...stored } as Filled
  const sound = (Object.keys(none) as (keyof Filled)[]).every(
    k =>
      Array.isArray(none[k]) === Array.isArray(whole[k]) &&
      (typeof none[k] !== 'string' || typeof whole[k] === 'string'),
  )
  return sound ? whole : null
}

/** What stands in a form when it opens: what is most likely meant. */
export function firstFilled(choice: Choice, detail: CaseDetail): Filled {
  const filled = nothingFilled()
  if (choice.needs.includes('unit') && choice.acts.at(-1) === 'dispatch') filled.unit = proposed(detail)
  const running = runningStages(detail)
  if (running.length > 0) filled.stage = running[0]!.stage
  filled.per = moreTimeIn(running[0]?.limit)[0]!
  if (choice.needs.includes('settled_by')) filled.settledBy = settlerOf(detail.case.unit.kind)
  if (choice.acts[0] === 'split') filled.parts = [part(detail.item), part('')]
  if (choice.acts[0] === 'task') filled.parts = [part('')]
  return filled
}
const part = (item: string): NewPart => ({ item, unit: null })

/** Whose settling it usually is, by the unit that leads. */
function settlerOf(kind: string): SettledBy | null {
  if (kind === 'enforcement_committee') return 'committee'
  return kind === 'town_team' || kind === 'line_department' ? 'town_team' : null
}

/** The stages of the disposal that run, or wait. */
export function runningStages(detail: CaseDetail): CaseClock[] {
  return detail.case.clocks.filter(k => k.kind === 'disposal' && k.phase !== 'stopped')
}

/** The unit that a case is sent to unless another is chosen: that which the rules name, none where they name the same again. */
export function proposed(detail: CaseDetail): number | null {
  if (detail.case.state === 'returned') return detail.proposal?.unit.id ?? null
  return detail.case.unit.id
}

/** What of the form is still missing before an act can be sent: the first such field. */
export function lacking(choice: Choice, filled: Filled, detail: CaseDetail, photos = 0): Need | 'officers' | null {
  const empty: Partial<Record<Need, boolean>> = {
    reason: !filled.reason.trim(),
    evidence: photos === 0,
    unit: filled.unit === null,
    target: !/^\d+(-\d+)?$/.test(filled.target.trim()),
    verdict: filled.verdict === null,
    rating: filled.rating === null,
    budget: !(filled.amount !== null && filled.amount > 0),
    stage: filled.stage === null,
    settled_by: filled.settledBy === null,
    parts: filled.parts.length === 0 || filled.parts.some(p => (choice.acts[0] === 'task' ? p.unit === null : !p.item)),
    object: !filled.object.trim(),
  }
  for (const need of choice.needs) if (empty[need]) return need
  if (filled.measure && byLaw.includes(filled.measure) && filled.officers.length < 2) return 'officers'
  return needsWhy(choice, filled, detail) && !filled.reason.trim() ? 'reason' : null
}

/** A reason has to be given where the act says so, the unit is by hand, or units are given tasks. */
export function needsWhy(choice: Choice, filled: Filled, detail: CaseDetail): boolean {
  if (choice.needs.includes('reason') || choice.acts[0] === 'task') return true
  return choice.needs.includes('unit') && (detail.case.state === 'returned' || filled.unit !== detail.case.unit.id)
}

/** An act as the service takes it. */
export function body(choice: Choice, filled: Filled, detail: CaseDetail, key: string, photos: string[] = []): NewAct {
  const needs = (n: Need) => choice.needs.includes(n)
  const carries = (e: Extra) => choice.takes.includes(e)
  const reason = filled.reason.trim()
  const task = choice.acts[0] === 'task'
  return {
    ...(choice.acts.length > 1 ? { acts: choice.acts } : { act: choice.acts[0]! }),
    version: detail.case.version,
    key,
    ...(reason ? { reason } : {}),
    ...(needs('unit') && filled.unit !== null ? { unit: filled.unit } : {}),
    ...(needs('target') ? { target: filled.target.trim() } : {}),
    ...(needs('verdict') && filled.verdict !== null ? { verdict: filled.verdict } : {}),
    ...(needs('rating') && filled.rating !== null ? { rating: filled.rating } : {}),
    ...(needs('budget') ? { by: `${filled.amount} ${filled.per}` } : {}),
    ...((needs('stage') || needs('budget')) && filled.stage !== null ? { stage: filled.stage } : {}),
    ...(needs('object') ? { object: filled.object.trim() } : {}),
    ...(needs('settled_by') && filled.settledBy ? { settled_by: filled.settledBy } : {}),
    ...(needs('parts')
      ? { parts: filled.parts.map(p => (task ? { unit: p.unit! } : p.item === detail.item ? {} : { item: p.item })) }
      : {}),
    ...(carries('measure') && filled.measure ? { measure: filled.measure } : {}),
    ...(carries('measure') && filled.measure && byLaw.includes(filled.measure) ? { officers: filled.officers } : {}),
    ...((needs('evidence') || carries('evidence')) && photos.length > 0 ? { evidence: photos } : {}),
  }
}

/** The units in which more time can be given to a limit: time that runs day and night is not added to working time. */
export function moreTimeIn(limit: string | undefined): string[] {
  const unit = limit?.split(' ')[1]
  return unit === 'ch' || unit === 'min' || unit === 'd' ? ['ch', 'd'] : ['wh', 'wd']
}

const faults = [
  'case_changed',
  'case_state',
  'not_allowed',
  'not_found',
  'other_person',
  'parts_done',
  'stages_done',
  'first_extension',
  'in_return_time',
  'other_unit',
  'within_week',
  'may_settle',
  'not_itself',
  'missing',
  'bad_text',
  'empty_unit',
  'closed_unit',
  'unknown_unit',
  'unit_mismatch',
  'unknown_item',
  'two_certificated',
  'stage_finished',
  'unknown_photo',
  'photo_not_ready',
  'photo_used',
  'anonymised',
] as const
export type ActFault = (typeof faults)[number] | 'offline' | 'other'

/** Why an act was not done. */
export function actFault(e: ApiError): ActFault {
  if (e.offline) return 'offline'
  return faults.find(f => f === e.problem.code) ?? 'other'
}
