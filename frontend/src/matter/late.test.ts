import { describe, expect, it } from 'vitest'
import { type Done, doneBefore, entriesOf, type Late, quickerThan } from './late'

const act = (n: number) => ({ n, at: '2026-11-27T02:00:00Z', act: 'note', was: 'filed', is: 'filed' }) as Done
const late = (n: number, after: number) =>
  ({ n, after, seen: 0, act: 'note', at: '', before: [], was: 'filed' }) as Late

describe('what came too late', () => {
  it('stands after what was quicker, in the order in which it came', () => {
    const list = entriesOf({ acts: [act(1), act(2), act(3)], late: [late(1, 2), late(2, 2), late(3, 3)] })
    expect(list.map(e => (e.done ? e.done.n : `late ${e.late.n}`))).toEqual(['late 3', 3, 'late 2', 'late 1', 2, 1])
  })

  it('lost against the first act that it had not seen', () => {
    expect(quickerThan({ acts: [act(1), act(2), act(3)] }, 1)?.n).toBe(2)
    expect(quickerThan({ acts: [act(1)] }, 1)).toBeUndefined()
  })

  it('was done when it was done, where that is not when it came', () => {
    const at = '2026-11-27T02:00:00Z'
    expect(doneBefore({ at })).toBeNull()
    expect(doneBefore({ at, done_at: '2026-11-27T01:59:30Z' })).toBeNull()
    expect(doneBefore({ at, done_at: '2026-11-27T01:20:00Z' })).toBe('2026-11-27T01:20:00Z')
  })
})
