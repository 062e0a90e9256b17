import { describe, expect, test } from 'vitest'
import { metresBetween } from '../../matter/taken'
import type { CaseRow, CaseState } from '../../shared/api/types'
import { actsOn, advanced, commandsOfAct, lackingOf, nearby, type PendingAct, tasksOf, wayTo } from './tasks'

const row = (num: number, state: CaseState, more: Partial<CaseRow> = {}): CaseRow => ({
  ref: String(num),
  num,
  part: 0,
  task: false,
  item: '12',
  state,
  version: 3,
  unit: { id: 1, name: '队' } as CaseRow['unit'],
  opened_at: '2026-11-27T00:00:00Z',
  ...more,
})
const all = () => true
const held = (r: CaseRow) => ({ row: r, text: '', address: '' })
const pending = (ref: string, act: string, sent = false): PendingAct => ({ id: `${ref}-${act}`, ref, act, sent })

describe('what there is to do', () => {
  test.each<[CaseState, string[]]>([
    ['confirming', ['confirm', 'confirm']],
    ['reported', ['self_settle']],
    ['self_settled', ['settle']],
    ['fed_back', ['verify', 'send_back']],
    ['dispatched', []],
    ['closed', []],
  ])('%s', (state, acts) => {
    expect(actsOn(row(1, state), all, all).map(a => a.act)).toEqual(acts)
  })

  test('only what the posts allow, and what the list lets be settled', () => {
    expect(actsOn(row(1, 'fed_back'), a => a !== 'case.verify', all)).toEqual([])
    expect(actsOn(row(1, 'reported'), all, i => i !== '12')).toEqual([])
    expect(actsOn(row(1, 'reported', { partly: true }), all, all)).toEqual([])
  })

  test('the first due on top, the nearest where somebody stands, what was done gone', () => {
    const cases = [
      row(1, 'fed_back', { due_at: '2026-11-28T00:00:00Z', lon: 120, lat: 30 }),
      row(2, 'fed_back', { due_at: '2026-11-27T00:00:00Z', lon: 121, lat: 30 }),
      row(3, 'fed_back'),
      row(4, 'dispatched'),
    ].map(held)
    const can = (r: CaseRow) => actsOn(r, all, all).length > 0
    const refs = (p: PendingAct[], here: { lon: number; lat: number } | null) =>
      tasksOf(cases, p, here, can).map(c => c.row.ref)
    expect(refs([], null)).toEqual(['2', '1', '3'])
    expect(refs([], { lon: 120, lat: 30 })).toEqual(['1', '2', '3'])
    expect(refs([pending('2', 'verify')], null)).toEqual(['1', '3'])
  })

  test('what was begun without a line is ended without one: the second act needs the first, and its version', () => {
    const first = pending('7', 'self_settle')
    const now = advanced(row(7, 'reported'), [first, pending('8', 'verify')])
    expect(now).toMatchObject({ state: 'self_settled', version: 4 })
    const [settle] = actsOn(now, all, all)
    const photo = { id: 'p', type: 'image/jpeg', size: 1, original: '', at: 0 }
    const [, act] = commandsOfAct(now, settle!, [first], { reason: ' ', measure: 'dissuaded', photos: [photo] })
    expect(act).toMatchObject({
      kind: 'act',
      needs: ['p', '7-self_settle'],
      body: { ref: '7', act: { act: 'settle', version: 4, measure: 'dissuaded' }, evidence: ['p'] },
    })
    expect((act!.body as { act: object }).act).not.toHaveProperty('reason')
    const [, later] = commandsOfAct(now, settle!, [{ ...first, sent: true }], {
      reason: '',
      measure: null,
      photos: [photo],
    })
    expect(later!.needs).toEqual(['p'])
  })

  test('what is missing is said', () => {
    const [yes, no] = actsOn(row(1, 'confirming'), all, all)
    expect(lackingOf(yes!, { reason: '', photos: [] })).toBeNull()
    expect(lackingOf(no!, { reason: '  ', photos: [] })).toBe('reason')
    const [settle] = actsOn(row(1, 'reported'), all, all)
    expect(lackingOf(settle!, { reason: 'x', photos: [] })).toBe('photo')
  })
})

test('near is what is of the same item within 50 m, the nearest first', () => {
  const at = (m: number, item = '12') => ({ lon: 120, lat: 30 + m / 111_195, item })
  const found = nearby([at(60), at(40), at(10), at(5, '3'), at(20), at(30)], { lon: 120, lat: 30 }, '12', metresBetween)
  expect(found.map(f => Math.round(f.m))).toEqual([10, 20, 30])
})

test('the way is asked of the phone’s own map', () => {
  const p = { lon: 120.6905, lat: 30.5332 }
  expect(wayTo(p, '门口', 'Mozilla/5.0 (Linux; Android 14)')).toBe(
    'geo:30.533200,120.690500?q=30.533200,120.690500(%E9%97%A8%E5%8F%A3)',
  )
  expect(wayTo(p, '门口', 'Mozilla/5.0 (iPhone; CPU)')).toMatch(/^maps:\/\/\?daddr=30\.533200,120\.690500/)
})
