import { describe, expect, it } from 'vitest'
import type { CaseDetail, CaseRow } from '../shared/api/types'
import type { Action } from '../shared/session/roles'
import { withTemplate } from './answers'
import { askedFor, away, listsOf, nearest, standing, stoppedBy } from './duty'

const can =
  (...allowed: Action[]) =>
  (a: Action) =>
    allowed.includes(a)
const row = (more: Partial<CaseRow>) => ({ ref: '1', opened_at: '2026-11-26T06:00:00Z', ...more }) as CaseRow
const at = (time: string) => Date.parse(`2026-11-26T${time}Z`) / 1000

describe('the lists of who is out', () => {
  it('are those of one’s unit, and of one’s own ground', () => {
    expect(listsOf(can('case.handle'))).toEqual(['todo', 'others'])
    expect(listsOf(can('case.confirm', 'case.verify'))).toEqual(['look'])
    expect(listsOf(can('case.handle', 'case.verify'))).toEqual(['todo', 'look', 'others'])
    expect(listsOf(can('report.view'))).toEqual([])
  })
  it('show what nobody has taken on to who may settle it at once', () => {
    expect(askedFor('look', can('case.self_settle')).state).toContain('reported')
    expect(askedFor('look', can('case.verify')).state).not.toContain('reported')
    expect(askedFor('todo', can()).mine).toBe('true')
  })
})

describe('how a case stands', () => {
  const r = row({ amber_at: '2026-11-26T06:48:00Z', due_at: '2026-11-26T07:00:00Z' })
  it('fills four fifths of the ring until amber, and the rest until it is due', () => {
    expect(standing(r, at('06:00:00'))).toEqual({ signal: 'ok', gone: 0 })
    expect(standing(r, at('06:24:00'))).toEqual({ signal: 'ok', gone: 0.4 })
    expect(standing(r, at('06:48:00'))).toEqual({ signal: 'amber', gone: 0.8 })
    expect(standing(r, at('06:54:00')).gone).toBeCloseTo(0.9)
    expect(standing(r, at('07:00:00')).signal).toBe('amber') // in the moment of the due it is in time
    expect(standing(r, at('07:00:01'))).toEqual({ signal: 'red', gone: 1 })
  })
  it('is nothing where nothing is due, and never beyond the ring', () => {
    expect(standing(row({}), at('07:00:00'))).toEqual({ signal: null, gone: 0 })
    expect(standing(r, at('05:00:00')).gone).toBe(0)
    expect(standing(row({ due_at: '2026-11-26T06:00:00Z' }), at('06:00:00')).gone).toBe(1)
  })
})

it('puts the nearest first, and what has no place last, in its order', () => {
  const here = { lon: 120.5, lat: 30.4 }
  const rows = [
    row({ ref: 'none' }),
    row({ ref: 'far', lon: 120.6, lat: 30.4 }),
    row({ ref: 'none 2' }),
    row({ ref: 'near', lon: 120.501, lat: 30.4 }),
  ]
  expect(nearest(rows, here).map(r => r.ref)).toEqual(['near', 'far', 'none', 'none 2'])
  expect(away(rows[3]!, here)).toBeCloseTo(95.91, 1)
  expect(away(rows[3]!, null)).toBeNull()
})

describe('what an act stopped', () => {
  const clock = (kind: string, phase: string, used: number) => ({
    kind,
    stage: 0,
    phase,
    started_at: '2026-11-26T06:00:00Z',
    budget_s: 3600,
    used_s: used,
  })
  const matter = (...clocks: object[]) => ({ case: { clocks } }) as unknown as CaseDetail
  it('is told with what was left', () => {
    const before = matter(clock('receive', 'stopped', 60), clock('disposal', 'running', 0))
    const after = matter(clock('receive', 'stopped', 60), clock('disposal', 'stopped', 2880))
    expect(stoppedBy(before, after)).toMatchObject({ clock: { kind: 'disposal' }, left: 720 })
    expect(stoppedBy(after, after)).toBeNull()
    expect(stoppedBy(before, matter(clock('disposal', 'stopped', 4000)))?.left).toBe(-400)
  })
})

it('adds a template after what was typed, and nothing that would not fit', () => {
  expect(withTemplate('', 'done')).toBe('done')
  expect(withTemplate('First this. \n', 'done')).toBe('First this.\ndone')
  expect(withTemplate('typed', 'too long', 8)).toBe('typed')
})
