import type {
  CircleLayerSpecification,
  DataDrivenPropertyValueSpecification,
  ExpressionSpecification,
  FillLayerSpecification,
  FilterSpecification,
  LayerSpecification,
  LineLayerSpecification,
  SourceSpecification,
  StyleSpecification,
  SymbolLayerSpecification,
  VectorSourceSpecification,
} from 'maplibre-gl'
import { type Role, roles } from '../api/types'
import type { Locale } from '../i18n'
import type { Palette } from '../theme/tokens'
import type { CityTiles } from './geo'
import type { Breaks } from './heat'

/** Everything that decides how the map looks. The style is a pure function of it. */
export interface Look {
  palette: Palette
  locale: Locale
  /** The city's topmost level: its areas are the land. */
  top: Role
  /** Heat cells by their counts or by area; `smooth`: a density by its share of the peak. */
  heat: 'count' | 'density' | 'smooth' | 'off'
  /** Hot and cold spots by how sure they are, or units by their rate in classes from these breaks. */
  spots?: { by: 'class' } | { by: 'rate'; breaks: Breaks | null }
  /** The codes of spots that are lit, as they are in a list. */
  lit?: readonly string[]
  /** Areas by how far they were gone by. */
  cover?: readonly Cover[]
  breaks: Breaks | null
  points: boolean
  borders: boolean
  /** The ground of a basemap, where there is one. */
  basemap: boolean
  /** The chosen area, lit. */
  area: { level: Role; code: string } | null
  /** The territory that the page is framed to: outlined, and what lies around it dimmed. */
  home: { level: Role; code: string } | null
  /** A narrow screen has larger text and thicker fingers. */
  touch: boolean
}

/** Of an area: all of its grids were visited, some, none though there was where to go, or there is no point to go to. */
export type CoverClass = 'all' | 'some' | 'missed' | 'no_point'
/** The areas of a level by their codes, coloured from a zoom until another. */
export interface Cover {
  level: 'town' | 'village' | 'grid'
  from: number
  to: number
  codes: Record<CoverClass, readonly string[]>
}

/** Zoom from which each level is drawn, as the tiles carry it. */
export const levelFrom: Record<Role, number> = { city: 0, town: 7, village: 10, grid: 12, microgrid: 15 }

/** Zoom from which single reports are in the tiles. */
export const reportsFrom = 12
/** Zoom from which cases are. */
export const casesFrom = 8
/** Zoom from which they are drawn: further out they would only lie over the heat. */
const pointsFrom = 13.25
/** Zoom at which the heat has given way to single reports, where these are drawn. */
export const heatUntil = 15
/** Beyond this zoom tiles are enlarged rather than asked for. */
export const deepest = 17

const chinese = ['PingFang SC', 'Microsoft YaHei', 'Noto Sans SC', 'WenQuanYi Micro Hei']
/**
 * The page's own fonts, in its order. The map has no glyphs of its own: it draws from the families of the stack, and takes
 * the weight from the first name, which is no font's.
 */
const stack = (weight: 'Regular' | 'Semibold', locale: Locale): string[] =>
  locale === 'zh' ? [weight, ...chinese, 'system-ui'] : [weight, 'system-ui', 'Segoe UI', 'Noto Sans', ...chinese]

export function baseStyle(tiles: CityTiles, look: Look): StyleSpecification {
  const empty = { type: 'FeatureCollection' as const, features: [] }
  const sources: Record<string, SourceSpecification> = {
    jurisdictions: tileSource(tiles, 'jurisdictions'),
    heat: tileSource(tiles, 'heat'),
    reports: tileSource(tiles, 'reports'),
    cases: tileSource(tiles, 'cases'),
    hotspots: tileSource(tiles, 'hotspots'),
    fresh: { type: 'geojson', data: empty },
    marked: { type: 'geojson', data: empty },
    listed: { type: 'geojson', data: empty },
    signs: { type: 'geojson', data: empty },
    accuracy: { type: 'geojson', data: empty },
  }
  return { version: 8, sources, layers: layers(look), transition: { duration: 0, delay: 0 } }
}

/** A source of tiles. One without an address covers nothing, so that nothing is asked for. */
export function tileSource(
  tiles: CityTiles,
  name: 'jurisdictions' | 'heat' | 'reports' | 'cases' | 'hotspots',
): VectorSourceSpecification {
  const address = tiles[name] ?? null
  return {
    type: 'vector',
    tiles: [address ?? ''],
    minzoom: name === 'reports' ? reportsFrom : name === 'cases' ? casesFrom : 0,
    maxzoom: name === 'heat' ? (tiles.heatZoom ?? deepest) : deepest,
    ...(address === null ? { bounds: [0, -85, 0, -85] } : {}),
  }
}

/** The lowest layer above the ground: a basemap is drawn below it, on the land. */
export const firstCityLayer = 'heat'

/** The map's layers, lowest first. */
export function layers(look: Look): LayerSpecification[] {
  const m = look.palette.map
  return [
    { id: 'outside', type: 'background', paint: { 'background-color': m.outside } },
    {
      id: 'land',
      type: 'fill',
      source: 'jurisdictions',
      'source-layer': look.top,
      paint: { 'fill-color': m.land, 'fill-antialias': false },
    },
    heatLayer(look),
    ...spotLayers(look),
    ...coverLayers(look),
    ...roles.map(role => areaLayer(look, role)),
    ...roles.map(role => aroundLayer(look, role)),
    ...borderLayers(look),
    ...roles.map(role => homeLayer(look, role)),
    ...roles.map(role => outlineLayer(look, role)),
    ...spotOutlines(look),
    ...reportLayers(look),
    ...labelLayers(look),
    accuracyLayer(look),
    ...markLayers(look),
    ...signLayers(look),
  ]
}

/** The layers to ask which areas lie under the pointer. */
export const areaLayers = roles.map(role => `area-${role}`)

/** The code of the chosen area of a level; one that no area has where none is chosen. */
const chosenCode = (look: Look, role: Role) => (look.area?.level === role ? look.area.code : '')

/** A level's areas: invisible, but there to be pointed at; the chosen one is tinted. */
function areaLayer(look: Look, role: Role): FillLayerSpecification {
  return {
    id: `area-${role}`,
    type: 'fill',
    source: 'jurisdictions',
    'source-layer': role,
    paint: {
      'fill-color': look.palette.map.chosen,
      'fill-opacity': ['case', ['==', ['get', 'code'], chosenCode(look, role)], 0.07, 0],
      'fill-antialias': false,
    },
  }
}

/** The territory's code at its own level; that of no area at the others, and where the whole city is the territory. */
const homeCode = (look: Look, role: Role) => (look.home?.level === role && role !== 'city' ? look.home.code : '')

/** What lies around the territory steps back. */
function aroundLayer(look: Look, role: Role): FillLayerSpecification {
  return {
    id: `around-${role}`,
    type: 'fill',
    source: 'jurisdictions',
    'source-layer': role,
    filter: ['!=', ['get', 'code'], homeCode(look, role)],
    layout: { visibility: homeCode(look, role) === '' ? 'none' : 'visible' },
    paint: { 'fill-color': look.palette.map.outside, 'fill-opacity': 0.6, 'fill-antialias': false },
  }
}

function homeLayer(look: Look, role: Role): LineLayerSpecification {
  return {
    id: `home-${role}`,
    type: 'line',
    source: 'jurisdictions',
    'source-layer': role,
    filter: ['==', ['get', 'code'], homeCode(look, role)],
    layout: { 'line-join': 'round', visibility: homeCode(look, role) === '' ? 'none' : 'visible' },
    paint: { 'line-color': look.palette.map.city, 'line-width': 2.5 },
  }
}

function outlineLayer(look: Look, role: Role): LineLayerSpecification {
  return {
    id: `outline-${role}`,
    type: 'line',
    source: 'jurisdictions',
    'source-layer': role,
    filter: ['==', ['get', 'code'], chosenCode(look, role)],
    layout: { 'line-join': 'round' },
    paint: { 'line-color': look.palette.map.chosen, 'line-width': 2.5 },
  }
}

function heatLayer(look: Look): FillLayerSpecification {
  const [c1, c2, c3, c4, c5] = look.palette.heat
  const property = { count: 'count', density: 'per_km2', smooth: 'share', off: 'count' }[look.heat]
  const value: ExpressionSpecification = ['coalesce', ['get', property], 0]
  const breaks = look.heat === 'smooth' ? shareBreaks : look.breaks
  const colour: ExpressionSpecification | string = breaks
    ? ['step', value, c1, breaks[0], c2, breaks[1], c3, breaks[2], c4, breaks[3], c5]
    : c1
  return {
    id: firstCityLayer,
    type: 'fill',
    source: 'heat',
    'source-layer': 'heat',
    layout: { visibility: look.heat === 'off' ? 'none' : 'visible' },
    paint: {
      'fill-color': colour,
      'fill-antialias': false,
      // Where single reports can be seen the cells step back behind them.
      'fill-opacity':
        look.heat === 'smooth'
          ? ['interpolate', ['linear'], value, 0, 0, 0.08, 0, 0.3, 0.75, 1, 0.85]
          : look.points
            ? ['interpolate', ['linear'], ['zoom'], 13, 0.8, 14, 0.5, heatUntil, 0]
            : ['interpolate', ['linear'], ['zoom'], 13, 0.8, 16, 0.55],
    },
  }
}

/** Where a density changes its colour, by its share of the peak. */
export const shareBreaks: Breaks = [0.1, 0.25, 0.5, 0.75]

/** How sure hot and cold spots are from which their colours are, the surest first. */
export const spotAlphas = [0.01, 0.05, 0.1] as const

/** The picture of lines over what is made up of too few. */
export const hatch = 'hatch'

/** Units that are hot or cold, the surer the stronger; or by their rate. Hatched where too few matters stand behind it. */
function spotLayers(look: Look): FillLayerSpecification[] {
  const { hot, cold, heat } = look.palette
  const q: ExpressionSpecification = ['coalesce', ['get', 'q'], 1]
  const strength = (of: readonly [string, string, string]): ExpressionSpecification => [
    'step',
    q,
    of[2],
    spotAlphas[0] + 1e-9,
    of[1],
    spotAlphas[1] + 1e-9,
    of[0],
  ]
  const none = 'rgba(0, 0, 0, 0)'
  const spots = look.spots ?? { by: 'class' }
  const breaks = spots.by === 'rate' ? spots.breaks : null
  const colour: ExpressionSpecification | string =
    spots.by === 'class'
      ? ['match', ['get', 'class'], 'hot', strength(hot), 'cold', strength(cold), none]
      : breaks
        ? [
            'case',
            ['has', 'rate'],
            [
              'step',
              ['coalesce', ['get', 'rate'], 0],
              heat[0],
              breaks[0],
              heat[1],
              breaks[1],
              heat[2],
              breaks[2],
              heat[3],
              breaks[3],
              heat[4],
            ],
            none,
          ]
        : none
  const few: ExpressionSpecification =
    spots.by === 'rate' ? ['!', ['has', 'rate']] : ['==', ['coalesce', ['get', 'few'], false], true]
  const visibility = look.spots ? 'visible' : 'none'
  return [
    {
      id: 'spots',
      type: 'fill',
      source: 'hotspots',
      'source-layer': 'hotspots',
      layout: { visibility },
      paint: { 'fill-color': colour, 'fill-opacity': 0.82, 'fill-antialias': false },
    },
    {
      id: 'spots-few',
      type: 'fill',
      source: 'hotspots',
      'source-layer': 'hotspots',
      filter: few as FilterSpecification,
      layout: { visibility },
      paint: { 'fill-pattern': hatch, 'fill-opacity': spots.by === 'rate' ? 0.22 : 0.55 },
    },
  ]
}

/** The spot that is open, and the one that is lit: at all zooms, also where borders of its level are not drawn yet. */
function spotOutlines(look: Look): LineLayerSpecification[] {
  const outline = (id: string, codes: readonly string[], width: number): LineLayerSpecification => ({
    id,
    type: 'line',
    source: 'hotspots',
    'source-layer': 'hotspots',
    filter: ['in', ['get', 'code'], ['literal', [...codes]]],
    layout: { 'line-join': 'round', visibility: look.spots ? 'visible' : 'none' },
    paint: { 'line-color': look.palette.ink, 'line-width': width },
  })
  return [outline('spot-lit', look.lit ?? [], 1.5), outline('spot-open', look.area ? [look.area.code] : [], 2.5)]
}

/** Areas by how far they were gone by: quiet colours for where somebody was, a rim where nobody was, hatched where nobody was to go. */
function coverLayers(look: Look): (FillLayerSpecification | LineLayerSpecification)[] {
  const { ok, amber } = look.palette
  return (['town', 'village', 'grid'] as const).flatMap(level => {
    const cover = look.cover?.find(c => c.level === level)
    const codes = (c: CoverClass) => ['', ...(cover?.codes[c] ?? [])]
    const whose = (...of: CoverClass[]): FilterSpecification =>
      ['match', ['get', 'code'], [...new Set(of.flatMap(codes))], true, false] as unknown as FilterSpecification
    const during = (opacity: number | ExpressionSpecification): ExpressionSpecification =>
      ['step', ['zoom'], 0, cover?.from ?? 0, opacity, cover?.to ?? 24, 0] as unknown as ExpressionSpecification
    const of = { source: 'jurisdictions', 'source-layer': level } as const
    const layout = { visibility: cover ? 'visible' : 'none' } as const
    return [
      {
        ...of,
        id: `cover-${level}`,
        type: 'fill',
        filter: whose('all', 'some', 'missed'),
        layout,
        paint: {
          'fill-color': ['match', ['get', 'code'], codes('missed'), amber, ok] as unknown as ExpressionSpecification,
          'fill-opacity': during([
            'match',
            ['get', 'code'],
            codes('missed'),
            0.38,
            codes('some').slice(1).concat('-'),
            0.15,
            0.34,
          ] as unknown as ExpressionSpecification),
          'fill-antialias': false,
        },
      },
      {
        ...of,
        id: `cover-${level}-none`,
        type: 'fill',
        filter: whose('no_point'),
        layout,
        paint: { 'fill-pattern': hatch, 'fill-opacity': during(0.12) },
      },
      {
        ...of,
        id: `cover-${level}-missed`,
        type: 'line',
        filter: whose('missed'),
        layout: { ...layout, 'line-join': 'round' },
        paint: { 'line-color': amber, 'line-width': 1.6, 'line-opacity': during(1) },
      },
    ]
  })
}

/** What the picture of a point's state is called. */
export const signImage = (state: string) => `sign-${state}`

/** Points of patrols: a form for each state; what waits longest lies above the others. */
function signLayers(look: Look): SymbolLayerSpecification[] {
  return [
    {
      id: 'signs',
      type: 'symbol',
      source: 'signs',
      layout: {
        'icon-image': ['concat', signImage(''), ['get', 'state']],
        'icon-size': ['interpolate', ['linear'], ['zoom'], 9, 0.4, 12, 0.65, 14, 0.95, 17, 1.1],
        'icon-allow-overlap': true,
        'icon-ignore-placement': true,
        'symbol-sort-key': ['match', ['get', 'state'], 'overdue', 3, 'never', 2, 'due', 1, 0],
      },
    },
    {
      id: 'sign-names',
      type: 'symbol',
      source: 'signs',
      minzoom: 14.5,
      layout: {
        'text-field': ['get', 'name'],
        'text-font': stack('Regular', look.locale),
        'text-size': look.touch ? 13 : 12,
        'text-anchor': 'top',
        'text-offset': [0, 1],
        'text-max-width': 8,
      },
      paint: { 'text-color': look.palette.ink, 'text-halo-color': look.palette.map.halo, 'text-halo-width': 1.8 },
    },
  ]
}

function borderLayers(look: Look): LineLayerSpecification[] {
  const m = look.palette.map
  const line = (role: Role, colour: string, width: number, dash?: number[]): LineLayerSpecification => ({
    id: `border-${role}`,
    type: 'line',
    source: 'jurisdictions',
    'source-layer': 'borders',
    minzoom: levelFrom[role],
    filter: ['==', ['get', 'level'], role],
    layout: {
      visibility: look.borders ? 'visible' : 'none',
      'line-join': 'round',
      'line-cap': dash ? 'butt' : 'round',
    },
    paint: {
      'line-color': colour,
      // A level comes in thin and reaches its width one zoom later.
      'line-width': ['interpolate', ['linear'], ['zoom'], levelFrom[role], width * 0.6, levelFrom[role] + 1.5, width],
      ...(dash ? { 'line-dasharray': dash } : {}),
    },
  })
  return [
    line('microgrid', m.microgrid, 1, [1, 2.5]),
    line('grid', m.grid, 0.6),
    line('village', m.village, 1),
    line('town', m.town, 1.6),
    {
      ...line('city', m.city, 2.5),
      // The outline is never hidden: it says where the city ends.
      layout: { 'line-join': 'round', 'line-cap': 'round' },
      filter: ['==', ['get', 'level'], look.top],
      paint:
        look.top === 'city' ? { 'line-color': m.city, 'line-width': 2.5 } : { 'line-color': m.town, 'line-width': 1.6 },
    },
  ]
}

function labelLayers(look: Look): SymbolLayerSpecification[] {
  const m = look.palette.map
  const first: ExpressionSpecification =
    look.locale === 'zh' ? ['get', 'name'] : ['coalesce', ['get', 'name_latin'], ['get', 'name']]
  const plus = look.touch ? 1 : 0
  const label = (
    role: Role,
    from: number,
    to: number,
    size: number,
    weight: Parameters<typeof stack>[0],
    colour: string,
  ): SymbolLayerSpecification => ({
    id: `label-${role}`,
    type: 'symbol',
    source: 'jurisdictions',
    'source-layer': 'labels',
    minzoom: from,
    maxzoom: to,
    filter: ['==', ['get', 'level'], role],
    layout: {
      visibility: look.borders ? 'visible' : 'none',
      'text-field': first,
      'text-font': stack(weight, look.locale),
      'text-size': size + plus,
      'text-max-width': 8,
      'text-padding': 6,
      'text-letter-spacing': look.locale === 'zh' ? 0.04 : 0,
    },
    paint: { 'text-color': colour, 'text-halo-color': m.halo, 'text-halo-width': 1.8 },
  })
  // The last layer is placed first, so where two labels want the same place the upper level wins.
  return [
    label('microgrid', 17, 24, 11, 'Regular', m.labelMuted),
    label('grid', 15, 24, 11, 'Regular', m.labelMuted),
    label('village', 11.5, 24, 12, 'Regular', m.label),
    label('town', 8, 15, 14, 'Semibold', m.label),
    label('city', 0, 8, 16, 'Semibold', m.label),
  ]
}

function reportLayers(look: Look): CircleLayerSpecification[] {
  const m = look.palette.map
  const paint: CircleLayerSpecification['paint'] = {
    'circle-radius': ['interpolate', ['linear'], ['zoom'], pointsFrom, 1.6, 14, 2.4, 15.5, 4.5, 18, 7],
    'circle-color': m.point,
    'circle-stroke-color': m.pointLine,
    'circle-stroke-width': ['interpolate', ['linear'], ['zoom'], 14, 0, 15.5, 1.2],
    'circle-opacity': ['interpolate', ['linear'], ['zoom'], pointsFrom, 0.3, 14, 0.6, 15.5, 0.95],
  }
  const visibility = look.points ? 'visible' : 'none'
  return [
    {
      id: 'reports',
      type: 'circle',
      source: 'reports',
      'source-layer': 'reports',
      minzoom: pointsFrom,
      layout: { visibility },
      paint,
    },
    ...caseLayers(look),
    // A report that came in just now, until its tile has it.
    { id: 'fresh', type: 'circle', source: 'fresh', paint: { ...paint, 'circle-radius': 4.5, 'circle-opacity': 1 } },
  ]
}

/**
 * Cases by the colour of their clocks; what is late is larger and above the others, as colour alone tells not everybody: those
 * of the tiles, and those that a page lists.
 */
function caseLayers(look: Look): CircleLayerSpecification[] {
  const p = look.palette
  const by = <T extends string | number>(
    red: T,
    amber: T,
    green: T,
    none: T,
  ): DataDrivenPropertyValueSpecification<T> =>
    [
      'match',
      ['get', 'colour'],
      'red',
      red,
      'amber',
      amber,
      'green',
      green,
      none,
    ] as unknown as DataDrivenPropertyValueSpecification<T>
  const drawn = {
    type: 'circle',
    layout: { 'circle-sort-key': by(3, 2, 1, 0) },
    paint: {
      'circle-radius': by(6, 5, 4, 3.5),
      'circle-color': by(p.red, p.amber, p.ok, p.muted),
      'circle-stroke-color': p.surface,
      'circle-stroke-width': by(2, 1.5, 1, 1),
      'circle-opacity': 0.9,
    },
  } as const
  return [
    { ...drawn, id: 'cases', source: 'cases', 'source-layer': 'cases', minzoom: casesFrom },
    { ...drawn, id: 'listed', source: 'listed' },
  ]
}

/** The circle that a position may lie in. */
function accuracyLayer(look: Look): FillLayerSpecification {
  const { chosen } = look.palette.map
  return {
    id: 'accuracy',
    type: 'fill',
    source: 'accuracy',
    paint: { 'fill-color': chosen, 'fill-opacity': 0.15, 'fill-outline-color': chosen },
  }
}

/** Rings around what is hovered or chosen in the list, and the spot being chosen on the map. */
function markLayers(look: Look): CircleLayerSpecification[] {
  const m = look.palette.map
  const ring = (id: string, role: string, radius: number, width: number): CircleLayerSpecification => ({
    id,
    type: 'circle',
    source: 'marked',
    filter: ['==', ['get', 'mark'], role],
    paint: {
      'circle-radius': radius,
      'circle-color': m.point,
      'circle-opacity': role === 'chosen' ? 1 : 0.35,
      'circle-stroke-color': role === 'chosen' ? m.pointLine : m.chosen,
      'circle-stroke-width': width,
    },
  })
  return [
    ring('mark-hover', 'hover', 9, 2),
    // A wide ring, to be found among many reports.
    {
      id: 'mark-around',
      type: 'circle',
      source: 'marked',
      filter: ['==', ['get', 'mark'], 'chosen'],
      paint: {
        'circle-radius': 17,
        'circle-color': m.chosen,
        'circle-opacity': 0.2,
        'circle-stroke-color': m.chosen,
        'circle-stroke-width': 2.5,
      },
    },
    ring('mark-chosen', 'chosen', 8, 2.5),
  ]
}
