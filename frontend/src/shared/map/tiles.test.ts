import { describe, expect, it } from 'vitest'
import { heatCellM, tileAt, tilesHolding } from './tiles'

describe('tiles', () => {
  it('finds the tile of a point', () => {
    expect(tileAt(0, 0, 0)).toEqual({ z: 0, x: 0, y: 0 })
    expect(tileAt(-0.1, 0.1, 1)).toEqual({ z: 1, x: 0, y: 0 })
    // By the other usual form of the formula, ln(tan φ + sec φ).
    expect(tileAt(120.68, 30.51, 12)).toEqual({ z: 12, x: 3421, y: 1683 })
  })

  it('keeps points beyond the square in the outermost tile', () => {
    expect(tileAt(180, -89, 3)).toEqual({ z: 3, x: 7, y: 7 })
  })

  it('asks for a tile once however many points it holds', () => {
    const points = [
      { lon: 120.68, lat: 30.51 },
      { lon: 120.6801, lat: 30.5101 },
    ]
    expect(tilesHolding(points, 11, 12)).toHaveLength(2)
  })

  it('knows the size of a heat cell', () => {
    expect(heatCellM(0, 0)).toBeCloseTo(626_172, 0)
    expect(heatCellM(30.5, 12)).toBeCloseTo(131.7, 1)
  })
})
