import { describe, expect, it } from 'vitest'
import { encode } from '../shared/map/beidou'
import { typedPoint, within } from './coordinates'

const haining = [120.3, 30.2, 120.9, 30.6]
const washington = [-77.12, 38.79, -76.9, 39]

describe('typed coordinates', () => {
  it.each([
    ['120.68, 30.51', 120.68, 30.51],
    ['120.68,30.51', 120.68, 30.51],
    ['120.68 30.51', 120.68, 30.51],
    ['120.68，30.51', 120.68, 30.51],
    ['-77.03; 38.9', -77.03, 38.9],
    [' 120° , 30° ', 120, 30],
  ])('reads %s', (text, lon, lat) => {
    expect(typedPoint(text)).toEqual({ lon, lat, swapped: false })
  })

  it('turns round what can only be latitude, longitude', () => {
    expect(typedPoint('30.51, 120.68')).toEqual({ lon: 120.68, lat: 30.51, swapped: true })
  })

  it('turns round what lies in the city only as latitude, longitude', () => {
    expect(typedPoint('38.9, -77.03', washington)).toEqual({ lon: -77.03, lat: 38.9, swapped: true })
    expect(typedPoint('-77.03, 38.9', washington)).toEqual({ lon: -77.03, lat: 38.9, swapped: false })
    expect(typedPoint('38.9, -77.03', haining)).toEqual({ lon: 38.9, lat: -77.03, swapped: false })
  })

  it.each(['长安镇', '330481103200004', '1,2,3', '200, 100', '', '12', '1e3, 4', '120.68,'])(
    'leaves %s alone',
    text => {
      expect(typedPoint(text, haining)).toBeNull()
    },
  )
})

describe('a typed BeiDou code', () => {
  it('is the middle of its cell, and the cell', () => {
    const code = encode(120.68124, 30.51032, 7)!
    const typed = typedPoint(code)!
    expect(typed.code).toBe(code)
    expect(within(typed.bbox!, 120.68124, 30.51032)).toBe(true)
    expect(encode(typed.lon, typed.lat, 7)).toBe(code)
  })

  it('is read with spaces, hyphens and small letters', () => {
    expect(typedPoint(' n50j 4753-4 ')).toEqual(typedPoint('N50J47534'))
    expect(typedPoint('N50J47534')?.code).toBe('N50J47534')
  })

  it('that ends between two levels is none', () => {
    expect(typedPoint('N50J475')).not.toBeNull()
    expect(typedPoint('N50J4753')).toBeNull()
  })
})
