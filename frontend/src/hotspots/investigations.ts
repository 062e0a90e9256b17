import type { ApiError } from '../shared/api/client'
import type { Investigator } from '../shared/api/types'
import { later } from '../shared/time/day'

/** What pages of proposals and orders have in common, as far as it asks nothing. */

export const proposalStates = ['open', 'ordered', 'declined', 'done'] as const
export type ProposalState = (typeof proposalStates)[number]
export const orderStates = ['ordered', 'done', 'cancelled'] as const
export type OrderState = (typeof orderStates)[number]
export const decisions = ['approve', 'decline', 'reconsider'] as const
export type Decision = (typeof decisions)[number]
export const orderActs = ['done', 'change', 'cancel'] as const
export type OrderAct = (typeof orderActs)[number]
const whys = ['no_plan', 'no_level', 'no_reports', 'nothing_hot', 'too_few', 'overtaken'] as const

/** Those of a list of words of the service that the page knows. */
export const known = <T extends string>(given: readonly string[], those: readonly T[]): T[] =>
  those.filter(t => given.includes(t))
export const whyNone = (why: string | undefined) => whys.find(w => w === why) ?? null

/** The Tuesday after a day: time to tell who goes, and the week is still long. Days are as 2026-12-01. */
export function nextTuesday(today: string): string {
  const weekday = new Date(`${today}T00:00:00Z`).getUTCDay()
  return later(today, (9 - weekday) % 7 || 7)
}

/** The words of a list that somebody typed, one a line: without blanks, and each once. */
export function linesOf(text: string): string[] {
  return [
    ...new Set(
      text
        .split('\n')
        .map(l => l.trim())
        .filter(Boolean),
    ),
  ]
}

/** A share of mistakes, as it is published. */
export const qText = (q: number) => (q < 0.0005 ? '< 0.001' : q.toFixed(3))

/** Where a form's fault stands: the field, which of its list, and the service's word for what is wrong. */
export interface FormFault {
  field: string | null
  index: number | null
  code: string
}

/** `order.officers[1]` is the second one of the field `officers`. */
export function faultOf(e: ApiError): FormFault {
  const m = /^(?:order\.)?([a-z_]+)(?:\[(\d+)\])?$/.exec(e.problem.field ?? '')
  return { field: m?.[1] ?? null, index: m?.[2] === undefined ? null : Number(m[2]), code: e.problem.code ?? '' }
}

/** Who can go, of the unit that goes first, who is on leave last. */
export function inOrder(officers: readonly Investigator[], unit: number | null): Investigator[] {
  const rank = (o: Investigator) => Number(o.away) * 2 + Number(o.unit.id !== unit)
  return officers.toSorted((a, b) => rank(a) - rank(b) || a.unit.id - b.unit.id)
}

/** The posts of those chosen who can go, as far as is known who can. */
export function going(chosen: readonly number[], offered: readonly Investigator[]): Investigator[] {
  return offered.filter(o => !o.away && chosen.includes(o.post))
}

/** The law asks for two people; one person with two posts is one. */
export const twoPeople = (officers: readonly Investigator[]) => new Set(officers.map(o => o.person.id)).size >= 2

/** The box around boxes; null: there are none. */
export function around(boxes: readonly (readonly number[])[]): [number, number, number, number] | null {
  if (boxes.length === 0) return null
  const side = (i: number, pick: (...v: number[]) => number) => pick(...boxes.map(b => b[i]!))
  return [side(0, Math.min), side(1, Math.min), side(2, Math.max), side(3, Math.max)]
}

/** The two-sided p up to which the service tells of a trend. */
const steady = 0.05

/** Which way what was told went in the weeks before the window. */
export function trendOf(trend: {
  verdict: string
  s: number
  p: number
}): 'up' | 'down' | 'steady' | 'constant' | 'few' {
  if (trend.verdict === 'constant') return 'constant'
  if (trend.verdict === 'too_few') return 'few'
  if (trend.p > steady || trend.s === 0) return 'steady'
  return trend.s > 0 ? 'up' : 'down'
}
