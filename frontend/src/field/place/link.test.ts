import { describe, expect, test } from 'vitest'
import { straight } from './bent'
import { pastedPlace } from './link'

describe('bent systems', () => {
  // The vectors that the service is tested with, to a hundredth of a millimetre and better.
  test('GCJ-02', () => {
    const p = straight(116.41024449916938, 39.91640428150164, 'gcj02')
    expect(p.lon).toBeCloseTo(116.404, 9)
    expect(p.lat).toBeCloseTo(39.915, 9)
  })
  test('BD-09', () => {
    const p = straight(116.41036949371029, 39.92133699351021, 'bd09')
    const g = straight(116.404, 39.915, 'gcj02') // that BD-09 point is this one of GCJ-02
    expect(p.lon).toBeCloseTo(g.lon, 9)
    expect(p.lat).toBeCloseTo(g.lat, 9)
  })
  test('outside of China nothing is bent', () => {
    expect(straight(-77, 38.9, 'gcj02')).toEqual({ lon: -77, lat: 38.9 })
  })
})

describe('what is pasted', () => {
  test.each([
    ['https://uri.amap.com/marker?position=120.6905,30.5332&name=门口', 'gcj02', 120.6905, 30.5332],
    ['我在这里 https://uri.amap.com/marker?position=120.6905%2C30.5332 快来', 'gcj02', 120.6905, 30.5332],
    ['https://www.amap.com/?p=B0FFG,30.5332,120.6905,海宁', 'gcj02', 120.6905, 30.5332],
    ['https://www.amap.com/?q=30.5332,120.6905,海宁', 'gcj02', 120.6905, 30.5332],
    ['http://api.map.baidu.com/marker?location=30.5332,120.6905&title=x&output=html', 'bd09', 120.6905, 30.5332],
    [
      'http://api.map.baidu.com/marker?location=30.5332,120.6905&coord_type=gcj02&output=html',
      'gcj02',
      120.6905,
      30.5332,
    ],
    ['https://apis.map.qq.com/uri/v1/marker?marker=coord:30.5332,120.6905;title:x', 'gcj02', 120.6905, 30.5332],
    ['https://maps.apple.com/?ll=30.5332,120.6905&q=x', 'gcj02', 120.6905, 30.5332],
    ['https://www.google.com/maps/@30.5332,120.6905,17z', 'wgs84', 120.6905, 30.5332],
    ['https://www.openstreetmap.org/#map=17/30.5332/120.6905', 'wgs84', 120.6905, 30.5332],
    ['geo:30.5332,120.6905?z=17', 'wgs84', 120.6905, 30.5332],
    ['120.6905, 30.5332', 'wgs84', 120.6905, 30.5332],
    ['120.6905，30.5332', 'wgs84', 120.6905, 30.5332],
    ['30.5332 120.6905', 'wgs84', 120.6905, 30.5332],
  ])('%s', (text, system, x, y) => {
    expect(pastedPlace(text)).toMatchObject({ system, x, y })
  })

  test.each([
    '',
    'hello',
    'https://surl.amap.com/1a2b3c',
    'https://evil.example/?position=120.6905,30.5332',
    'https://amap.com.evil.example/?position=120.6905,30.5332',
    'https://uri.amap.com/marker?position=300,95',
    'https://uri.amap.com/marker?position=0,0',
    'https://uri.amap.com/marker?position=%E0%A4%A',
    '1,2,3',
    `${'9'.repeat(5000)},1`,
  ])('of %s nothing is made', text => {
    expect(pastedPlace(text)).toBeNull()
  })
})
