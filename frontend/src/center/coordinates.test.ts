import { describe, expect, it } from 'vitest'
import { typedPoint } from './coordinates'

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

  it.each(['长安镇', '330481103200004', '1,2,3', '200, 100', '', '12', '1e3, 4', '120.68,'])(
    'leaves %s alone',
    text => {
      expect(typedPoint(text)).toBeNull()
    },
  )
})
