import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { tileSource } from '../shared/map/style'
import { openTiles, tileAddresses } from './tiles'
import { everything } from './view'

beforeAll(() => void vi.stubGlobal('location', { origin: 'https://map.example' }))
afterAll(() => void vi.unstubAllGlobals())

describe('addresses of tiles', () => {
  it('are of the plan and of the filters', () => {
    const filters = { ...everything, items: ['04', '11'], from: '2026-10-01' }
    expect(tileAddresses('haining', 'v1', filters, true)).toEqual({
      jurisdictions: 'https://map.example/haining/v1/tiles/jurisdictions/{z}/{x}/{y}?plan=v1',
      heat: 'https://map.example/haining/v1/tiles/heat/{z}/{x}/{y}?item=04%2C11&from=2026-10-01',
      reports: 'https://map.example/haining/v1/tiles/reports/{z}/{x}/{y}?item=04%2C11&from=2026-10-01',
      cases: null,
    })
    expect(tileAddresses('haining', 'v1', { ...everything, states: ['closed'] }, true, true).cases).toBe(
      'https://map.example/haining/v1/tiles/cases/{z}/{x}/{y}?state=closed',
    )
  })

  it('are none for who may see no reports', () => {
    const tiles = tileAddresses('haining', 'v1', everything, false, true)
    expect([tiles.heat, tiles.reports, tiles.cases]).toEqual([null, null, null])
    // A source that covers nothing asks for nothing.
    expect(tileSource(tiles, 'heat').bounds).toEqual([0, -85, 0, -85])
    expect(tileSource(tiles, 'jurisdictions').bounds).toBeUndefined()
  })

  it('of an open map are whole months, no deeper than the service goes', () => {
    const tiles = openTiles('haining', 'v1', '2026-10', 14)
    expect(tiles.heat).toBe('https://map.example/haining/v1/public/heat/2026-10/{z}/{x}/{y}')
    expect(tileSource(tiles, 'heat').maxzoom).toBe(14)
    expect(tileSource(tiles, 'reports').bounds).toBeDefined()
    expect(openTiles('haining', 'v1', null, 14).heat).toBeNull()
  })
})
