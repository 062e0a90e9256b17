import { describe, expect, it } from 'vitest'
import { ApiError } from '../shared/api/client'
import type { CaseDetail } from '../shared/api/types'
import en from '../shared/i18n/en'
import zh from '../shared/i18n/zh'
import {
  type Act,
  actFault,
  asksFirst,
  body,
  type Case,
  type CaseClock,
  choices,
  clocksShown,
  firstFilled,
  lacking,
  moreTimeIn,
  type Need,
  nothingFilled,
  proposed,
  readFilled,
  signal,
  unitName,
} from './cases'

const clock = (more: Partial<CaseClock> = {}): CaseClock => ({
  kind: 'disposal',
  stage: 0,
  phase: 'running',
  limit: '5 wd',
  limit_words: { zh: '5 工作日', en: '5 working days' },
  budget_s: 126_000,
  used_s: 0,
  started_at: '2026-11-24T08:00:00Z',
  amber_at: '2026-11-30T08:00:00Z',
  due_at: '2026-12-01T08:00:00Z',
  late: false,
  unknown_years: [],
  ...more,
})
const at = (text: string) => Date.parse(text) / 1000

describe('how a clock stands', () => {
  it.each([
    ['2026-11-30T07:59:59Z', 'ok'],
    ['2026-11-30T08:00:00Z', 'amber'],
    ['2026-12-01T08:00:00Z', 'amber'], // the moment of the due is in time
    ['2026-12-01T08:00:01Z', 'red'],
  ])('at %s: %s', (now, want) => expect(signal(clock(), at(now))).toBe(want))

  it('does not count while it stands still, and stays overdue when it was', () => {
    expect(signal(clock({ phase: 'paused', due_at: undefined, amber_at: undefined }), at('2027-01-01T00:00:00Z'))).toBe(
      'paused',
    )
    expect(signal(clock({ phase: 'paused' }), at('2026-12-02T00:00:00Z'))).toBe('red')
  })

  it('is kept or missed once it has stopped, whatever the time', () => {
    const stopped_at = '2026-12-02T08:00:00Z'
    expect(signal(clock({ phase: 'stopped', stopped_at, late: true }), at('2026-11-25T00:00:00Z'))).toBe('late')
    expect(signal(clock({ phase: 'stopped', stopped_at }), at('2027-11-25T00:00:00Z'))).toBe('inTime')
  })
})

describe('the clocks shown', () => {
  const of = (clocks: CaseClock[]) => clocksShown({ clocks } as Case).map(k => k.kind)
  it('are those that run, the first to be due first', () => {
    expect(
      of([
        clock({ kind: 'desk', phase: 'stopped' }),
        clock({ kind: 'first', due_at: '2026-12-03T08:00:00Z' }),
        clock({ kind: 'receive', due_at: '2026-11-24T09:00:00Z' }),
        clock({ kind: 'disposal', phase: 'paused', due_at: undefined }),
      ]),
    ).toEqual(['receive', 'first', 'disposal'])
  })
  it('are the disposal of a case that has ended', () => {
    expect(of([clock({ kind: 'first', phase: 'stopped' }), clock({ phase: 'stopped' })])).toEqual(['disposal'])
  })
})

describe('words', () => {
  it('for a unit are its name, or its number', () => {
    expect(unitName({ id: 7, kind: 'town_team', name: '执法队', name_en: 'Team' }, 'en')).toBe('Team')
    expect(unitName({ id: 7, kind: 'town_team', name: '' }, 'zh')).toBe('7')
  })
  it('are there for each state, clock and signal, in both languages', () => {
    for (const words of [zh, en]) {
      expect(Object.keys(words.matter.state)).toHaveLength(18)
      expect(Object.keys(words.matter.clock)).toHaveLength(8)
      expect(Object.keys(words.matter.signal)).toEqual(['ok', 'amber', 'red', 'paused', 'inTime', 'late'])
    }
  })
})

describe('what may be done', () => {
  const unit = { id: 7, kind: 'town_team', name: '队' } as const
  const detail = (acts: [Act, Need[]][], more: Partial<Case> = {}): CaseDetail =>
    ({
      ref: '12',
      num: 12,
      part: 0,
      item: '01',
      task: false,
      parts: [],
      acts: [],
      allowed_actions: acts.map(([act, needs]) => ({ act, needs })),
      case: {
        state: 'reported',
        version: 3,
        unit,
        supporting: [],
        rule: 1,
        why: { zh: '', en: '' },
        clocks: [],
        ...more,
      },
    }) as unknown as CaseDetail
  const keys = (d: CaseDetail) => choices(d).map(c => (c.primary ? `${c.key}!` : c.key))

  it('begins with the step that usually follows, which the desk does in one go', () => {
    const d = detail([
      ['reject', ['reason']],
      ['accept', []],
    ])
    expect(keys(d)).toEqual(['accept_file_dispatch!', 'reject', 'accept'])
    expect(
      keys(
        detail([
          ['receive', []],
          ['return', ['reason']],
        ]),
      ),
    ).toEqual(['receive!', 'return'])
    expect(keys(detail([['note', ['reason']]]))).toEqual(['note'])
  })

  it('says what each needs and what it may carry besides; only what carries nothing is done by its button alone', () => {
    const list = choices(
      detail([
        ['split', ['parts']],
        ['feed_back', ['evidence', 'settled_by']],
        ['verify', []],
        ['claim', []],
      ]),
    )
    expect(list.map(c => [c.key, c.takes, c.primary, asksFirst(c)])).toEqual([
      ['feed_back', ['measure', 'reason'], true, true],
      ['split', [], false, true],
      ['verify', ['reason', 'evidence'], false, true],
      ['claim', [], false, false],
    ])
  })

  it('is fed back with photos and who settled it; by law with two officers', () => {
    const d = detail([['feed_back', ['evidence', 'settled_by']]])
    const [back] = choices(d)
    const filled = firstFilled(back!, d)
    expect(filled.settledBy).toBe('town_team')
    expect(lacking(back!, filled, d)).toBe('evidence')
    expect(lacking(back!, { ...filled, settledBy: null }, d, 1)).toBe('settled_by')
    expect(lacking(back!, filled, d, 1)).toBeNull()
    const legal = { ...filled, measure: 'penalised' as const, officers: ['a'] }
    expect(lacking(back!, legal, d, 1)).toBe('officers')
    expect(body(back!, { ...legal, officers: ['a', 'b'] }, d, 'k', ['p'])).toEqual({
      act: 'feed_back',
      version: 3,
      key: 'k',
      settled_by: 'town_team',
      measure: 'penalised',
      officers: ['a', 'b'],
      evidence: ['p'],
    })
    // Officers who were named for another measure go nowhere.
    expect(body(back!, { ...legal, measure: 'cleaned' }, d, 'k', ['p'])).not.toHaveProperty('officers')
  })

  it('is split by items, the first part being its own, and given out as tasks to units with a reason', () => {
    const d = detail([
      ['split', ['parts']],
      ['task', ['parts']],
    ])
    const [split, task] = choices(d)
    const two = firstFilled(split!, d)
    expect(two.parts.map(p => p.item)).toEqual(['01', ''])
    expect(lacking(split!, two, d)).toBe('parts')
    const parts = [two.parts[0]!, { item: '04', unit: null }]
    expect(body(split!, { ...two, parts }, d, 'k').parts).toEqual([{}, { item: '04' }])
    const given = { ...firstFilled(task!, d), parts: [{ item: '', unit: 9 }] }
    expect(lacking(task!, { ...given, parts: [] }, d)).toBe('parts')
    expect(lacking(task!, given, d)).toBe('reason')
    expect(lacking(task!, { ...given, reason: 'two sites' }, d)).toBeNull()
    expect(body(task!, { ...given, reason: 'two sites' }, d, 'k').parts).toEqual([{ unit: 9 }])
  })

  it('takes back what was stored of a form, and nothing else', () => {
    const stored = { ...nothingFilled(), reason: 'rain', parts: [{ item: '01', unit: null }] }
    expect(readFilled(JSON.parse(JSON.stringify(stored)))).toEqual(stored)
    expect(readFilled({ reason: 'rain' })).toEqual({ ...nothingFilled(), reason: 'rain' })
    for (const bad of [null, 'x', { reason: 3 }, { parts: 'x' }, { target: null }]) expect(readFilled(bad)).toBeNull()
  })

  it('asks for a reason where the unit is another than was proposed, or it was given back', () => {
    const d = detail([['dispatch', ['unit']]], { state: 'filed' })
    const [dispatch] = choices(d)
    const filled = { ...nothingFilled(), unit: proposed(d) }
    expect(lacking(dispatch!, filled, d)).toBeNull()
    expect(lacking(dispatch!, { ...filled, unit: 8 }, d)).toBe('reason')
    expect(lacking(dispatch!, { ...filled, unit: 8, reason: ' x ' }, d)).toBeNull()
    expect(lacking(dispatch!, { ...filled, unit: null }, d)).toBe('unit')
    const back = detail([['dispatch', ['unit']]], { state: 'returned' })
    expect(proposed(back)).toBeNull()
    expect(lacking(dispatch!, filled, back)).toBe('reason')
  })

  it.each([
    ['target', { target: '12-x' }, { target: ' 12-2 ' }],
    ['verdict', {}, { verdict: false }],
    ['rating', {}, { rating: 1 }],
    ['budget', { amount: 0 }, { amount: 2 }],
    ['stage', {}, { stage: 0 }],
    ['object', { object: ' ' }, { object: 'shop' }],
    ['reason', { reason: '\n' }, { reason: 'so' }],
    ['settled_by', {}, { settledBy: 'committee' }],
  ] as const)('is not sent without %s', (need, bad, good) => {
    const d = detail([['note', [need]]])
    const [choice] = choices(d)
    expect(lacking(choice!, { ...nothingFilled(), ...bad }, d)).toBe(need)
    expect(lacking(choice!, { ...nothingFilled(), ...good }, d)).toBeNull()
  })

  it('is sent with the version that was seen, and with nothing that the act does not carry', () => {
    const d = detail([['accept', []]])
    const filled = { ...nothingFilled(), unit: 7, target: '3', object: 'x', amount: 2, per: 'wh' }
    const [together, alone] = choices(d)
    expect(body(alone!, filled, d, 'k')).toEqual({ act: 'accept', version: 3, key: 'k' })
    expect(body(together!, filled, d, 'k')).toEqual({
      acts: ['accept', 'file', 'dispatch'],
      version: 3,
      key: 'k',
      unit: 7,
    })
    const e = detail([['extend', ['reason', 'budget']]])
    expect(body(choices(e)[0]!, { ...filled, reason: ' rain ', stage: 0 }, e, 'k')).toEqual({
      act: 'extend',
      version: 3,
      key: 'k',
      reason: 'rain',
      by: '2 wh',
      stage: 0,
    })
  })

  it('adds time of the same kind', () => {
    expect(moreTimeIn('5 wd')).toEqual(['wh', 'wd'])
    expect(moreTimeIn('30 min')).toEqual(['ch', 'd'])
    expect(moreTimeIn(undefined)).toEqual(['wh', 'wd'])
  })

  it('has words for each fault', () => {
    for (const code of ['case_changed', 'empty_unit', 'offline', 'other'] as const) {
      expect(zh.matter.fault[code]).toBeTruthy()
      expect(en.matter.fault[code]).toBeTruthy()
    }
    expect(actFault(new ApiError(409, { code: 'case_changed' }))).toBe('case_changed')
    expect(actFault(new ApiError(0, {}))).toBe('offline')
    expect(actFault(new ApiError(500, { code: 'internal' }))).toBe('other')
  })

  it('has words for each act and each combination', () => {
    const all = new Set(Object.keys(zh.matter.act))
    expect(Object.keys(en.matter.act)).toEqual([...all])
    for (const d of [detail([['accept', []]]), detail([['file', []]])])
      for (const c of choices(d)) expect(all.has(c.key)).toBe(true)
  })
})
