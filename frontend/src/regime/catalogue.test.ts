import { describe, expect, it } from 'vitest'
import {
  blankItem,
  blankList,
  diffLists,
  dropAspect,
  dropItem,
  groupsOf,
  isLeast,
  moveAspect,
  moveItem,
  type Namer,
  nextAspect,
  nextCode,
  putAspect,
  putItem,
  screened,
  screeningFaults,
} from './catalogue'
import { same } from './same'

const names: Namer = {
  field: f => f,
  step: s => s,
  aspect: 'aspect',
  other: 'other',
  screening: 'screening',
  rule: r => `${r.level} ${r.days} ${r.least} ${r.q}`,
  limit: l => l,
  disposal: d => d,
  yes: 'yes',
  no: 'no',
}
const item = (code: string, aspect = 'A') => ({ ...blankItem(code, aspect), name: { zh: `事${code}` } })
const list = {
  ...blankList(),
  aspects: [
    { code: 'A', name: { zh: '甲' } },
    { code: 'B', name: { zh: '乙' } },
  ],
  items: [item('01'), item('02', 'B'), item('03')],
}

describe('the rule of screening', () => {
  it('is the usual one where the list says nothing', () => {
    expect(screened(list)).toEqual({ level: 'grid', days: 28, least: 12, q: 0.05 })
    const said = { ...list, screening: { level: 'grid', days: 28, least: 12, q: 0.05 } as const }
    expect(diffLists(list, said, 'en', names)).toEqual([])
    const other = { ...list, screening: { level: 'village', days: 56, least: 20, q: 0.1 } as const }
    expect(diffLists(list, other, 'en', names)).toEqual([
      {
        key: 'screening',
        change: 'changed',
        title: 'screening',
        fields: [{ name: 'rule', before: 'grid 28 12 0.05', after: 'village 56 20 0.1' }],
      },
    ])
  })

  it('has bounds, and so have the numbers of items', () => {
    const rule = { level: 'grid', days: 28, least: 12, q: 0.05 } as const
    expect(screeningFaults(rule)).toEqual([])
    expect(screeningFaults({ ...rule, days: 6, least: 1, q: 0.21 })).toEqual(['days', 'least', 'percent'])
    expect(screeningFaults({ ...rule, days: 28.5 })).toEqual(['days'])
    expect(screeningFaults({ ...rule, q: Number.NaN })).toEqual(['percent'])
    expect([2, 10000].every(isLeast)).toBe(true)
    expect([1, 10001, 2.5, Number.NaN].some(isLeast)).toBe(false)
  })

  it('tells of an item that has another number', () => {
    const next = putItem(list, { ...item('01'), least: 5 }, '01')
    expect(diffLists(list, next, 'en', names).map(r => r.fields)).toEqual([[{ name: 'least', before: '', after: '5' }]])
  })
})

describe('a one-stop list', () => {
  it('gives the next code with as many digits', () => {
    expect(nextCode([])).toBe('01')
    expect(nextCode(['01', '16', 'x'])).toBe('17')
    expect(nextCode(['099'])).toBe('100')
    expect(nextAspect(['A', 'C'])).toBe('B')
  })

  it('moves an item among those of its aspect, and no further', () => {
    const down = moveItem(list, '01', 1)
    expect(groupsOf(down)[0]!.items.map(i => i.code)).toEqual(['03', '01'])
    expect(groupsOf(down)[1]!.items.map(i => i.code)).toEqual(['02'])
    expect(moveItem(list, '02', 1)).toEqual(list)
    expect(moveAspect(list, 'B', -1).aspects.map(a => a.code)).toEqual(['B', 'A'])
    expect(moveAspect(list, 'B', 1)).toEqual(list)
  })

  it('takes items along when an aspect gets another code', () => {
    const next = putAspect(list, { code: 'Z', name: { zh: '末' } }, 'A')
    expect(next.items.map(i => i.aspect)).toEqual(['Z', 'B', 'Z'])
  })

  it('tells what differs, and nothing where nothing does', () => {
    expect(diffLists(list, structuredClone(list), 'zh', names)).toEqual([])
    const next = putItem(
      putItem(dropItem(list, '02'), { ...item('01'), first: '1 wh', may_settle: true }, '01'),
      item('04'),
    )
    const rows = diffLists(list, { ...dropAspect(next, 'B'), steps: { ...list.steps, verify: '2 wd' } }, 'zh', names)
    expect(rows.map(r => [r.key, r.change, r.fields.map(f => f.name)])).toEqual([
      ['aspect B', 'gone', []],
      ['item 01', 'changed', ['first', 'settle']],
      ['item 04', 'new', ['aspect', 'name', 'first', 'disposal']],
      ['item 02', 'gone', []],
      ['step verify', 'changed', ['step']],
    ])
    expect(diffLists(list, moveItem(list, '01', 1), 'zh', names).map(r => r.key)).toEqual(['item 01'])
  })
})

describe('the same', () => {
  it('does not mind the order of fields, nor what is undefined', () => {
    expect(same({ a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1, d: undefined })).toBe(true)
    expect(same([1, 2], [2, 1])).toBe(false)
    expect(same({ a: 1 }, { a: 1, b: 2 })).toBe(false)
    expect(same(null, {})).toBe(false)
  })
})
