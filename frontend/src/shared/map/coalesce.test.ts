import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Coalescer } from './coalesce'

describe('Coalescer', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  it('runs the first at once and the rest of a burst together', () => {
    const batches: number[][] = []
    const c = new Coalescer<number>(300, batch => batches.push(batch))
    c.add(1)
    expect(batches).toEqual([[1]])
    c.add(2)
    c.add(3, 4)
    expect(batches).toHaveLength(1)
    vi.advanceTimersByTime(300)
    expect(batches).toEqual([[1], [2, 3, 4]])
  })

  it('runs at most once an interval however much arrives, and loses nothing', () => {
    const batches: number[][] = []
    const c = new Coalescer<number>(300, batch => batches.push(batch))
    for (let i = 0; i < 1000; i++) {
      c.add(i)
      vi.advanceTimersByTime(3)
    }
    vi.advanceTimersByTime(600)
    expect(batches.length).toBeLessThanOrEqual(1 + 3000 / 300 + 1)
    expect(batches.flat()).toEqual(Array.from({ length: 1000 }, (_, i) => i))
  })

  it('is at once again after a quiet interval', () => {
    const run = vi.fn()
    const c = new Coalescer<string>(300, run)
    c.add('a')
    vi.advanceTimersByTime(301)
    c.add('b')
    expect(run).toHaveBeenLastCalledWith(['b'])
  })

  it('forgets what waits when it is stopped', () => {
    const run = vi.fn()
    const c = new Coalescer<string>(300, run)
    c.add('a')
    c.add('b')
    c.stop()
    vi.runAllTimers()
    expect(run).toHaveBeenCalledTimes(1)
  })
})
