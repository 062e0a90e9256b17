import { describe, expect, it } from 'vitest'
import { type Effect, jsonLines, monthsBefore, summary } from './effect'

const stream = (...chunks: Uint8Array[]) =>
  new ReadableStream<Uint8Array>({
    start(c) {
      for (const chunk of chunks) c.enqueue(chunk)
      c.close()
    },
  })
const bytes = (s: string) => new TextEncoder().encode(s)
async function all<T>(lines: AsyncGenerator<T>): Promise<T[]> {
  const out: T[] = []
  for await (const line of lines) out.push(line)
  return out
}

describe('lines of JSON', () => {
  it('are read however they are cut, also within a character', async () => {
    const whole = bytes('{"a":"许村"}\n\n{"b":2}\n{"c":3}')
    for (let cut = 0; cut <= whole.length; cut++)
      expect(await all(jsonLines(stream(whole.slice(0, cut), whole.slice(cut))))).toEqual([
        { a: '许村' },
        { b: 2 },
        { c: 3 },
      ])
  })
  it('that broke off are an error', async () => {
    await expect(all(jsonLines(stream(bytes('{"a":1}\n{"b"'))))).rejects.toThrow()
  })
})

describe('months before a day', () => {
  it.each([
    ['2026-11-26', 1, '2026-10-26'],
    ['2026-03-31', 1, '2026-02-28'],
    ['2026-01-15', 13, '2024-12-15'],
    ['2024-03-30', 1, '2024-02-29'],
  ])('%s, %i before', (day, months, want) => expect(monthsBefore(day, months)).toBe(want))
})

describe('a summary', () => {
  const none: Effect = {
    kind: 'rules',
    against: 1,
    at: '2026-11-26T00:00:00Z',
    looked: 9,
    moved: 0,
    open: 4,
    redecided: 0,
    aside: 0,
    clocks: 0,
    clocks_moved: 0,
    earlier: 0,
    later: 0,
    differ: 0,
    kept: 0,
    ways: [],
    more_ways: 0,
    assumed: [],
  }
  const keys = (e: Partial<Effect>) => summary({ ...none, ...e }).map(s => s.key)
  it('says when nothing moves', () => {
    expect(keys({})).toEqual(['rulesNone', 'redecidedNone'])
    expect(keys({ kind: 'catalogue' })).toEqual(['listSame'])
    expect(keys({ kind: 'calendar' })).toEqual(['calendarNone'])
  })
  it('says what moves', () => {
    expect(keys({ moved: 2, aside: 1, redecided: 1 })).toEqual(['rules', 'aside', 'redecided'])
    expect(keys({ kind: 'catalogue', differ: 3, kept: 1 })).toEqual(['list', 'listTaken', 'kept'])
    expect(keys({ kind: 'calendar', clocks_moved: 3, moved: 2 })).toEqual(['calendar'])
  })
})
