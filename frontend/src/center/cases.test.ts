import { describe, expect, it } from 'vitest'
import en from '../shared/i18n/en'
import zh from '../shared/i18n/zh'
import { type Case, type CaseClock, clocksShown, inWords, signal, unitName } from './cases'

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
  it('are in the reader’s language, or in the other', () => {
    expect(inWords({ zh: '由执法队负责', en: 'the team leads' }, 'en')).toBe('the team leads')
    expect(inWords({ zh: '由执法队负责', en: 'the team leads' }, 'zh')).toBe('由执法队负责')
    expect(inWords({ zh: '执法队', en: '' }, 'en')).toBe('执法队')
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
