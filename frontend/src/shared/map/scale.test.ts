import { describe, expect, it } from 'vitest'
import { degreeDigits, scaleLength } from './scale'

describe('the scale', () => {
  it.each([
    [1, 90, 50],
    [2.3, 90, 200],
    [0.011, 90, 0.5],
    [100, 100, 10_000],
    [60, 90, 5000],
  ])('at %d m a pixel has for %d px a length of %d m', (metresPerPixel, room, length) => {
    expect(scaleLength(metresPerPixel, room)).toBeCloseTo(length, 9)
  })

  it('fills at least two fifths of its room and never more than it', () => {
    for (let z = 0; z <= 22; z += 0.25) {
      const metresPerPixel = 78_271 / 2 ** z
      const px = scaleLength(metresPerPixel, 90) / metresPerPixel
      expect(px).toBeGreaterThanOrEqual(36)
      expect(px).toBeLessThanOrEqual(90)
    }
  })
})

describe('the decimals of a degree', () => {
  it.each([
    [1000, 3],
    [10, 5],
    [1, 6],
    [0.01, 7],
  ])('at %d m a pixel are %d', (metresPerPixel, digits) => {
    expect(degreeDigits(metresPerPixel)).toBe(digits)
  })

  it('tell neighbouring pixels apart', () => {
    for (const metresPerPixel of [50, 5, 0.5, 0.05]) {
      expect(10 ** -degreeDigits(metresPerPixel) * 111_320).toBeLessThanOrEqual(metresPerPixel)
    }
  })
})
