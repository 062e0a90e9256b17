import { describe, expect, it } from 'vitest'
import { light } from '../theme/tokens'
import { type Look, layers } from './style'

const look: Look = {
  palette: light,
  locale: 'zh',
  top: 'city',
  heat: 'count',
  breaks: [10, 20, 50, 100],
  points: true,
  borders: true,
  basemap: false,
  area: null,
  home: null,
  touch: false,
}
const layer = (id: string, part: Partial<Look> = {}) => layers({ ...look, ...part }).find(l => l.id === id)!

describe('the style', () => {
  it('has the same layers in the same order however the city looks, so that they can be changed one by one', () => {
    const ids = (part: Partial<Look>) => layers({ ...look, ...part }).map(l => l.id)
    const variants: Partial<Look>[] = [
      { locale: 'en' },
      { top: 'town' },
      { heat: 'off', points: false, borders: false },
      { area: { level: 'grid', code: '1' } },
      { cover: [{ level: 'grid', from: 12, to: 24, codes: { all: ['1'], some: [], missed: ['2'], no_point: [] } }] },
    ]
    for (const variant of variants) expect(ids(variant)).toEqual(ids({}))
  })

  it('draws the land of the topmost level that has areas, and its lines no thicker than that level has', () => {
    expect(layer('land', { top: 'town' })).toMatchObject({ 'source-layer': 'town' })
    expect(layer('border-city', { top: 'town' })).toMatchObject({
      filter: ['==', ['get', 'level'], 'town'],
      paint: { 'line-width': 1.6 },
    })
    expect(layer('border-city')).toMatchObject({ paint: { 'line-width': 2.5 } })
  })

  it('gives the heat up for single reports only where these are drawn', () => {
    const last = (part: Partial<Look>) =>
      (layer('heat', part).paint as { 'fill-opacity': unknown[] })['fill-opacity'].at(-1)
    expect(last({ points: true })).toBe(0)
    expect(last({ points: false })).toBeGreaterThan(0)
  })

  it('tints only the chosen area of its own level', () => {
    const chosen = { area: { level: 'town', code: '330481103' } } as const
    expect(JSON.stringify(layer('area-town', chosen))).toContain('330481103')
    expect(JSON.stringify(layer('area-village', chosen))).not.toContain('330481103')
  })
})
