import { describe, expect, it } from 'vitest'
import { breaksOf, classes } from './heat'

// A small linear congruential generator: seeded, so that a failure can be seen again.
function numbers(seed: number, n: number, make: (u: number) => number): number[] {
  let s = seed
  return Array.from({ length: n }, () => {
    s = (s * 1_103_515_245 + 12_345) % 2_147_483_648
    return make(s / 2_147_483_648)
  })
}

describe('heat classes', () => {
  it('have none without cells', () => {
    expect(breaksOf([], true)).toBeNull()
  })

  it('are single counts where counts are small', () => {
    expect(breaksOf([1, 1, 1, 1, 2], true)).toEqual([2, 3, 4, 5])
    expect(classes([2, 3, 4, 5], true)).toEqual([
      { from: 1, to: 1 },
      { from: 2, to: 2 },
      { from: 3, to: 3 },
      { from: 4, to: 4 },
      { from: 5, to: null },
    ])
  })

  it('rise, and are whole for counts, whatever the cells hold', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const counts = numbers(seed, 1 + (seed % 90), u => 1 + Math.floor(u ** 6 * 10 ** (1 + (seed % 6))))
      const limits = breaksOf(counts, true)!
      expect(limits[0]).toBeGreaterThan(1)
      for (let i = 1; i < 4; i++) expect(limits[i]!).toBeGreaterThan(limits[i - 1]!)
      expect(limits.every(Number.isInteger)).toBe(true)
    }
  })

  it('rise for densities of any scale', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const scale = 10 ** ((seed % 9) - 4)
      const limits = breaksOf(
        numbers(seed, 1 + (seed % 60), u => scale * (0.01 + u)),
        false,
      )!
      for (let i = 1; i < 4; i++) expect(limits[i]!).toBeGreaterThan(limits[i - 1]!)
    }
  })

  it('leave the highest class to few cells', () => {
    const counts = numbers(7, 5000, u => 1 + Math.floor(u ** 4 * 400))
    const top = breaksOf(counts, true)![3]
    const share = counts.filter(c => c >= top).length / counts.length
    expect(share).toBeGreaterThan(0.01)
    expect(share).toBeLessThan(0.1)
  })
})
