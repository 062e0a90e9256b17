import type { ApiError } from '../shared/api/client'
import type { CaseDetail, NewAct, Report } from '../shared/api/types'

export type Case = NonNullable<Report['case']>
export type CaseClock = Case['clocks'][number]

/** How a clock stands: in time, turned, overdue or kept waiting; and of one that has stopped, whether that was in time. */
export type Signal = 'ok' | 'amber' | 'red' | 'paused' | 'inTime' | 'late'

const unix = (at: string) => Date.parse(at) / 1000

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

/** The words in the reader's language, or in the other one where nobody has translated them. */
export function inWords(words: { zh: string; en: string }, language: string): string {
  return (language === 'zh' ? words.zh : words.en) || words.zh || words.en
}

/** What a unit is called in the reader's language; one that was made just now has a number alone. */
export function unitName(unit: Case['unit'], language: string): string {
  return inWords({ zh: unit.name, en: unit.name_en ?? '' }, language) || String(unit.id)
}

export type Act = CaseDetail['allowed_actions'][number]['act']
export type Need = CaseDetail['allowed_actions'][number]['needs'][number]
export type Done = CaseDetail['acts'][number]

/** What may be done with a case by one button: an act, or several that usually follow one another. */
export interface Choice {
  key: string
  acts: Act[]
  needs: Need[]
  primary: boolean
  /** It takes a photo, which the page cannot send yet. */
  photo: boolean
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
/** What carries a list of parts is left to whoever works by the interface. */
const elsewhere: Need[] = ['parts']

/** The buttons of a case, the usual next step first. */
export function choices(detail: CaseDetail): Choice[] {
  const allowed = detail.allowed_actions.filter(a => !a.needs.some(n => elsewhere.includes(n)))
  const next = onward.find(act => allowed.some(a => a.act === act))
  const list: Choice[] = allowed.map(a => ({
    key: a.act,
    acts: [a.act],
    needs: a.needs,
    primary: false,
    photo: a.needs.includes('evidence'),
  }))
  const together = next && inOneGo[next]
  if (together) list.push({ key: together.join('_'), acts: together, needs: ['unit'], primary: false, photo: false })
  const first = list.find(c => c.key === (together ? together.join('_') : next))
  if (first && !first.photo) first.primary = true
  return list.toSorted((a, b) => Number(b.primary) - Number(a.primary))
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
})

/** The unit that a case is sent to unless another is chosen: that which the rules name, none where they name the same again. */
export function proposed(detail: CaseDetail): number | null {
  if (detail.case.state === 'returned') return detail.proposal?.unit.id ?? null
  return detail.case.unit.id
}

/** What is still missing before an act can be sent: the first such field. A unit that was not proposed takes a reason. */
export function lacking(choice: Choice, filled: Filled, detail: CaseDetail): Need | null {
  for (const need of choice.needs) {
    if (need === 'reason' && !filled.reason.trim()) return need
    if (need === 'unit' && filled.unit === null) return need
    if (need === 'target' && !/^\d+(-\d+)?$/.test(filled.target.trim())) return need
    if (need === 'verdict' && filled.verdict === null) return need
    if (need === 'rating' && filled.rating === null) return need
    if (need === 'budget' && !(filled.amount !== null && filled.amount > 0)) return need
    if (need === 'stage' && filled.stage === null) return need
    if (need === 'object' && !filled.object.trim()) return need
  }
  return needsWhy(choice, filled, detail) && !filled.reason.trim() ? 'reason' : null
}

/** A reason is asked for where the act has to have one, or the unit is by hand. */
export function needsWhy(choice: Choice, filled: Filled, detail: CaseDetail): boolean {
  if (choice.needs.includes('reason')) return true
  return choice.needs.includes('unit') && (detail.case.state === 'returned' || filled.unit !== detail.case.unit.id)
}

/** An act as the service takes it. */
export function body(choice: Choice, filled: Filled, detail: CaseDetail, key: string): NewAct {
  const needs = (n: Need) => choice.needs.includes(n)
  const reason = filled.reason.trim()
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
] as const
export type ActFault = (typeof faults)[number] | 'offline' | 'other'

/** Why an act was not done. */
export function actFault(e: ApiError): ActFault {
  if (e.offline) return 'offline'
  return faults.find(f => f === e.problem.code) ?? 'other'
}
