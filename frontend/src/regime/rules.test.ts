import { describe, expect, it } from 'vitest'
import { blankItem } from './catalogue'
import { diffRules, fallsThrough, held, tidyRule } from './rules'
import type { AssignmentRule } from './types'

const team: AssignmentRule = { lead: { kind: 'town_team' } }
const of = (unit: number, more: Partial<AssignmentRule> = {}): AssignmentRule => ({ lead: { unit }, ...more })
const tell = (a: AssignmentRule[], b: AssignmentRule[]) =>
  diffRules(
    a,
    b,
    r => String(r.lead.unit ?? r.lead.kind),
    n => `${n}.`,
  ).map(r => `${r.change} ${r.title}`)

describe('rules of assignment', () => {
  it('leave out what is empty', () => {
    expect(tidyRule({ items: [], areas: [], dispatch: false, lead: { unit: 3 }, support: [] })).toEqual({
      lead: { unit: 3 },
    })
    const full = of(3, {
      items: ['1'],
      aspects: ['A'],
      kinds: ['problem'],
      hours: 'off',
      support: [{ unit: 4 }],
      dispatch: true,
    })
    expect(tidyRule(full)).toEqual(full)
  })

  it('are held by what they are: twins are not taken for each other', () => {
    const copy = (r: AssignmentRule): AssignmentRule => JSON.parse(JSON.stringify(r))
    const [a, twin, b] = [of(1), of(1), of(2)]
    const next = held([a, twin, b], [b, a, of(3), twin, twin].map(copy))
    expect(next.map(r => [a, twin, b].indexOf(r))).toEqual([2, 0, -1, 1, -1])
    expect(next[2]).toEqual(of(3))
  })

  it('tell which items fall through', () => {
    const items = [blankItem('01', 'A'), blankItem('02', 'A'), blankItem('03', 'B')]
    const through = (rules: AssignmentRule[]) => fallsThrough(rules, items).map(i => i.code)
    expect(through([])).toEqual(['01', '02', '03'])
    expect(through([of(1, { items: ['01'] }), of(2, { aspects: ['B'] })])).toEqual(['02'])
    expect(through([of(1, { items: ['01'], hours: 'work' })])).toEqual(['01', '02', '03'])
    expect(through([of(1, { items: ['01', '03'], aspects: ['A'] }), of(2, { kinds: ['problem'] })])).toEqual([
      '02',
      '03',
    ])
    expect(through([team])).toEqual([])
  })

  it('differ line by line', () => {
    expect(tell([of(1), of(2), team], [of(1), of(2), { ...team, items: [] }])).toEqual([])
    expect(tell([of(1), of(2), team], [of(2), of(3), team])).toEqual(['gone 1. 1', 'new 2. 3'])
    expect(tell([], [team])).toEqual(['new 1. town_team'])
    expect(tell([team], [])).toEqual(['gone 1. town_team'])
  })
})
