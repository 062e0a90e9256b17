import { describe, expect, it } from 'vitest'
import { circle } from './accuracy'

describe('the circle of an accuracy', () => {
  it('is closed, and as wide as it says in both directions', () => {
    const ring = circle({ lon: 120.69, lat: 30.53 }, 50)
    expect(ring[0]).toEqual(ring.at(-1))
    const [east, north] = [ring[0]!, ring[16]!]
    expect((east[0] - 120.69) * 111_320 * Math.cos((30.53 * Math.PI) / 180)).toBeCloseTo(50, 5)
    expect((north[1] - 30.53) * 111_320).toBeCloseTo(50, 5)
  })
})
