import type {
  ExpressionSpecification,
  FillLayerSpecification,
  FilterSpecification,
  LayerSpecification,
  LineLayerSpecification,
} from 'maplibre-gl'
import type { Palette } from '../theme/tokens'

/** What an archive holds: pictures, or vector tiles with layers of these names. */
export interface BasemapContent {
  raster: boolean
  layers: readonly string[]
}

export const basemapSource = 'basemap'

/** What names no ground: the city's own borders and names stand above, the rest is clutter under them. */
const unused = new Set([
  ...['earth', 'boundaries', 'places', 'pois'], // Protomaps
  ...[
    'boundary',
    'place',
    'poi',
    'housenumber',
    'mountain_peak',
    'aerodrome_label',
    'water_name',
    'transportation_name',
  ], // OpenMapTiles
])

/** `kind` is Protomaps', `class` OpenMapTiles'. */
const kind: ExpressionSpecification = ['coalesce', ['get', 'kind'], ['get', 'class'], '']
const greens = [
  ...['forest', 'wood', 'park', 'nature_reserve', 'national_park', 'protected_area', 'grass', 'grassland', 'meadow'],
  ...['scrub', 'orchard', 'vineyard', 'village_green', 'garden', 'golf_course', 'cemetery', 'farmland', 'wetland'],
]
const highRoads = ['highway', 'motorway', 'trunk']
const mainRoads = ['major_road', 'primary', 'secondary', 'tertiary']
const notRoads = ['rail', 'transit', 'ferry', 'aerialway', 'path', 'track', 'pier']

const polygons: ExpressionSpecification = ['match', ['geometry-type'], ['Polygon', 'MultiPolygon'], true, false]
const lines: ExpressionSpecification = ['match', ['geometry-type'], ['LineString', 'MultiLineString'], true, false]

/**
 * The quiet ground under the city's layers, lowest first. The two common schemas (Protomaps' and OpenMapTiles') are drawn as
 * water, green, buildings and roads; layers of other names as thin lines, so that an unknown archive shows something too.
 */
export function basemapLayers(content: BasemapContent, palette: Palette, shown: boolean): LayerSpecification[] {
  const visibility = shown ? 'visible' : 'none'
  if (content.raster) {
    return [
      {
        id: 'basemap',
        type: 'raster',
        source: basemapSource,
        layout: { visibility },
        paint: palette.map.raster,
      },
    ]
  }
  const m = palette.map
  const fill = (
    layer: string,
    filter: FilterSpecification,
    colour: string,
    more: Partial<FillLayerSpecification> = {},
  ): FillLayerSpecification => ({
    id: `basemap-${layer}`,
    type: 'fill',
    source: basemapSource,
    'source-layer': layer,
    filter,
    layout: { visibility },
    paint: { 'fill-color': colour },
    ...more,
  })
  const line = (
    layer: string,
    filter: FilterSpecification,
    colour: string,
    width: ExpressionSpecification | number,
  ): LineLayerSpecification => ({
    id: `basemap-${layer}-lines`,
    type: 'line',
    source: basemapSource,
    'source-layer': layer,
    filter,
    layout: { visibility, 'line-cap': 'round', 'line-join': 'round' },
    paint: { 'line-color': colour, 'line-width': width },
  })
  const draw: Record<string, (layer: string) => LayerSpecification[]> = {
    green: layer => [fill(layer, ['all', polygons, ['match', kind, greens, true, false]], m.green)],
    park: layer => [fill(layer, polygons, m.green)],
    water: layer => [fill(layer, polygons, m.water), line(layer, lines, m.water, waterWidth)],
    building: layer => [fill(layer, polygons, m.building, { minzoom: 14 })],
    road: layer => [line(layer, ['all', lines, ['match', kind, notRoads, false, true]], m.road, roadWidth)],
    other: layer => [
      line(layer, ['!', ['match', ['geometry-type'], ['Point', 'MultiPoint'], true, false]], m.road, 0.6),
    ],
  }
  return order.flatMap(role =>
    content.layers.filter(l => !unused.has(l) && roleOf(l) === role).flatMap(l => draw[role]!(l)),
  )
}

const order = ['green', 'park', 'water', 'building', 'road', 'other'] as const
const roles: Record<string, (typeof order)[number]> = {
  landcover: 'green',
  landuse: 'green',
  park: 'park',
  water: 'water',
  waterway: 'water',
  building: 'building',
  buildings: 'building',
  roads: 'road',
  transportation: 'road',
}
const roleOf = (layer: string) => (Object.hasOwn(roles, layer) ? roles[layer]! : 'other')

const waterWidth: ExpressionSpecification = ['interpolate', ['linear'], ['zoom'], 8, 0.4, 14, 1.4, 18, 5]

const byClass = (high: number, main: number, rest: number): ExpressionSpecification => [
  'match',
  kind,
  highRoads,
  high,
  mainRoads,
  main,
  rest,
]
const roadWidth: ExpressionSpecification = [
  'interpolate',
  ['exponential', 1.5],
  ['zoom'],
  7,
  byClass(0.8, 0.3, 0),
  12,
  byClass(2, 1.2, 0.3),
  16,
  byClass(9, 7, 4),
  20,
  byClass(40, 34, 22),
]
