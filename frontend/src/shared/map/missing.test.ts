import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MissingTiles } from './missing'

const tile = (x: number) => ({ x, y: 1, z: 3 })

describe('MissingTiles', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  it('asks each source once for all that did not come', () => {
    const again = vi.fn()
    const missing = new MissingTiles(again)
    missing.lost('heat', tile(1))
    missing.lost('heat', tile(2))
    missing.lost('heat', tile(1))
    missing.lost('reports', tile(1))
    expect(again).not.toHaveBeenCalled()
    vi.advanceTimersByTime(MissingTiles.firstMs)
    expect(again.mock.calls).toEqual([
      ['heat', [tile(1), tile(2)]],
      ['reports', [tile(1)]],
    ])
    vi.advanceTimersByTime(10 * MissingTiles.longestMs)
    expect(again).toHaveBeenCalledTimes(2)
  })

  it('waits longer after each vain attempt, never longer than the longest, and is quick again when something came', () => {
    const at: number[] = []
    const missing = new MissingTiles(() => {
      at.push(Date.now())
      missing.lost('heat', tile(1))
    })
    const start = Date.now()
    missing.lost('heat', tile(1))
    vi.advanceTimersByTime(5 * 60_000)
    const waits = at.map((t, i) => t - (at[i - 1] ?? start))
    expect(waits.slice(0, 7)).toEqual([2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
    missing.forget()
    const before = at.length
    missing.lost('heat', tile(1))
    vi.advanceTimersByTime(MissingTiles.firstMs)
    expect(at).toHaveLength(before + 1)
  })

  it('knows what is missing, and asks not for what came meanwhile', () => {
    const again = vi.fn()
    const missing = new MissingTiles(again)
    missing.lost('heat', tile(1))
    missing.lost('heat', tile(2))
    missing.came('reports', tile(1))
    missing.came('heat', tile(2))
    expect(missing.none).toBe(false)
    vi.advanceTimersByTime(MissingTiles.firstMs)
    expect(again.mock.calls).toEqual([['heat', [tile(1)]]])
    expect(missing.none).toBe(true)
  })

  it('asks for nothing once it is told to forget', () => {
    const again = vi.fn()
    const missing = new MissingTiles(again)
    missing.lost('heat', tile(1))
    missing.forget()
    vi.runAllTimers()
    expect(again).not.toHaveBeenCalled()
  })
})
