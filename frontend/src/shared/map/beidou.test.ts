import { describe, expect, it } from 'vitest'
import { decode, encode, type Level, levelFor } from './beidou'

const dms = (d: number, m: number, s: number) => d + m / 60 + s / 3600

describe('BeiDou grid location code', () => {
  // Vectors of GB/T 39409-2020 and of the published examples that cite it.
  it.each([
    [dms(116, 18, 45.37), dms(39, 59, 35.38), 10, 'N50J47539B8255346152'],
    [116.315222, 39.910278, 4, 'N50J47534'],
    [116.3974, 39.9093, 6, 'N50J47584C81'],
  ] as [number, number, Level, string][])('of %f, %f at level %i', (lon, lat, level, want) => {
    expect(encode(lon, lat, level)).toBe(want)
  })

  it('has a parent that is a truncation', () => {
    const lengths = [4, 6, 7, 9, 11, 12, 14, 16, 18, 20]
    const full = encode(120.68124, 30.51032)!
    lengths.forEach((length, i) => {
      expect(encode(120.68124, 30.51032, (i + 1) as Level)).toBe(full.slice(0, length))
    })
  })

  it('is null outside the north-eastern quadrant and towards the pole', () => {
    expect(encode(-77.03, 38.9)).toBeNull()
    expect(encode(120, -30)).toBeNull()
    expect(encode(120, 88)).toBeNull()
    expect(encode(180, 30)).toBeNull()
    expect(encode(Number.NaN, 30)).toBeNull()
  })

  it('decodes to the cell that holds what was encoded, at each level', () => {
    for (let level = 1; level <= 10; level++) {
      for (const [lon, lat] of [
        [120.68124, 30.51032],
        [0, 0],
        [179.9999, 87.9999],
        [5.9999, 3.9999],
      ] as const) {
        const [west, south, east, north] = decode(encode(lon, lat, level as Level)!)!
        expect(west <= lon && lon < east && south <= lat && lat < north).toBe(true)
        expect(encode((west + east) / 2, (south + north) / 2, level as Level)).toBe(encode(lon, lat, level as Level))
      }
    }
  })

  it.each(['', 'N', 'S50J', 'N30A', 'N61A', 'N50W', 'N50JC0', 'N50J0C', 'N50J476', 'N50J4753', 'N50J47539BF', 'n50j'])(
    'does not decode %s',
    code => {
      expect(decode(code)).toBeNull()
    },
  )

  it('is as coarse as the pointer', () => {
    expect(levelFor(150)).toBe(4)
    expect(levelFor(100)).toBe(5)
    expect(levelFor(1)).toBe(7)
    expect(levelFor(0.9)).toBe(8)
    expect(levelFor(1e9)).toBe(1)
  })
})
