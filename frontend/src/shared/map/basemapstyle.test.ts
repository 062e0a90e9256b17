import { featureFilter, validateStyleMin } from '@maplibre/maplibre-gl-style-spec'
import { describe, expect, it } from 'vitest'
import { dark, light, type Palette } from '../theme/tokens'
import { type BasemapContent, basemapLayers, basemapSource } from './basemapstyle'

// The layers that the two schemas name, and what stands in them.
const protomaps = ['boundaries', 'buildings', 'earth', 'landcover', 'landuse', 'places', 'pois', 'roads', 'water']
const openMapTiles = [
  ...['aerodrome_label', 'aeroway', 'boundary', 'building', 'housenumber', 'landcover', 'landuse', 'mountain_peak'],
  ...['park', 'place', 'poi', 'transportation', 'transportation_name', 'water', 'water_name', 'waterway'],
]
const geometry = { Point: 1, LineString: 2, Polygon: 3 } as const

/** The colours in which a feature is drawn, lowest first. */
function colours(
  layers: readonly string[],
  layer: string,
  type: keyof typeof geometry,
  properties: Record<string, string>,
): unknown[] {
  return basemapLayers({ raster: false, layers }, light, true)
    .filter(l => 'source-layer' in l && l['source-layer'] === layer)
    .filter(l =>
      featureFilter('filter' in l ? l.filter : undefined, 'layers[0].filter').filter(
        { zoom: 14 },
        { type: geometry[type], properties },
      ),
    )
    .map(l => (l.type === 'fill' ? l.paint?.['fill-color'] : l.type === 'line' ? l.paint?.['line-color'] : 'other'))
}

describe('the ground of a basemap', () => {
  const contents: [string, BasemapContent][] = [
    ['pictures', { raster: true, layers: [] }],
    ['Protomaps', { raster: false, layers: protomaps }],
    ['OpenMapTiles', { raster: false, layers: openMapTiles }],
    ['unknown layers', { raster: false, layers: ['constructor', '__proto__', 'a b', 'rivers'] }],
    ['no layers', { raster: false, layers: [] }],
  ]
  const themes: Palette[] = [light, dark]
  it.each(contents.flatMap(([name, content]) => themes.map(palette => ({ name, content, palette }))))(
    'is a valid style: $name',
    ({ content, palette }) => {
      const source = content.raster
        ? { type: 'raster' as const, tiles: ['x'] }
        : { type: 'vector' as const, tiles: ['x'] }
      const layers = basemapLayers(content, palette, true)
      expect(validateStyleMin({ version: 8, sources: { [basemapSource]: source }, layers })).toEqual([])
      expect(layers.length > 0).toBe(content.raster || content.layers.length > 0)
    },
  )

  it.each([
    ['roads', { kind: 'highway' }, protomaps],
    ['transportation', { class: 'motorway' }, openMapTiles],
  ] as const)('has roads: %s', (layer, properties, all) => {
    expect(colours(all, layer, 'LineString', properties)).toEqual([light.map.road])
    expect(colours(all, layer, 'LineString', { kind: 'rail', class: 'rail' })).toEqual([])
  })

  it.each([
    [protomaps, 'landuse', { kind: 'park' }],
    [openMapTiles, 'landcover', { class: 'wood' }],
    [openMapTiles, 'park', { class: 'anything' }],
  ] as const)('has green: %#', (all, layer, properties) => {
    expect(colours(all, layer, 'Polygon', properties)).toEqual([light.map.green])
  })

  it('leaves land as land where it is built on', () => {
    expect(colours(protomaps, 'landuse', 'Polygon', { kind: 'residential' })).toEqual([])
    expect(colours(openMapTiles, 'landuse', 'Polygon', {})).toEqual([])
  })

  it.each([[protomaps], [openMapTiles]])('has water as areas and as lines: %#', all => {
    expect(colours(all, 'water', 'Polygon', {})).toEqual([light.map.water])
    expect(colours(all, 'water', 'LineString', { kind: 'river' })).toEqual([light.map.water])
  })

  it('puts no name, border or place under those of the city', () => {
    for (const name of ['places', 'pois', 'boundaries', 'earth'])
      expect(colours(protomaps, name, 'Polygon', {})).toEqual([])
    for (const name of ['place', 'boundary', 'water_name', 'housenumber'])
      expect(colours(openMapTiles, name, 'LineString', {})).toEqual([])
  })

  it('draws what it does not know as lines, points left out', () => {
    expect(colours(['parcels'], 'parcels', 'Polygon', {})).toEqual([light.map.road])
    expect(colours(['parcels'], 'parcels', 'Point', {})).toEqual([])
  })

  it('is drawn from below: green, water, buildings, roads, whatever order the archive names them in', () => {
    const first = (layer: string) =>
      basemapLayers({ raster: false, layers: [...protomaps].reverse() }, light, true).findIndex(
        l => 'source-layer' in l && l['source-layer'] === layer,
      )
    const order = ['landuse', 'water', 'buildings', 'roads'].map(first)
    expect(order).toEqual([...order].sort((a, b) => a - b))
    expect(order[0]).toBeGreaterThanOrEqual(0)
  })

  it('hides and shows whole', () => {
    for (const [, content] of contents) {
      expect(basemapLayers(content, light, false).every(l => l.layout?.visibility === 'none')).toBe(true)
    }
  })
})
