import type { Map as LibreMap, MapGeoJSONFeature } from 'maplibre-gl'
import { type Role, roles } from '../api/types'
import type { Point } from './geo'
import { areaLayers } from './style'

export interface AreaHit {
  level: Role
  code: string
  name: string
  nameLatin?: string
}

/** What lies under a point of the map: the reports, the nearest first, and the areas, the smallest first. */
export interface Hit extends Point {
  reports: number[]
  areas: AreaHit[]
  /** The code of the unit there whose hot and cold spots are drawn. */
  spot?: string
  /** The point of a patrol there. */
  sign?: number
}

/** Looks under pixel x, y of the map; reports count when they are drawn within reach pixels. */
export function hitAt(map: LibreMap, x: number, y: number, reach: number): Hit {
  const { lng, lat } = map.unproject([x, y])
  const around: [[number, number], [number, number]] = [
    [x - reach, y - reach],
    [x + reach, y + reach],
  ]
  const near = map.queryRenderedFeatures(around, { layers: ['listed', 'fresh', 'cases', 'reports'] })
  const away = (f: MapGeoJSONFeature) => {
    if (f.geometry.type !== 'Point') return Number.POSITIVE_INFINITY
    const p = map.project(f.geometry.coordinates as [number, number])
    return Math.hypot(p.x - x, p.y - y)
  }
  const reports = [...new Set(near.sort((a, b) => away(a) - away(b)).map(f => Number(f.id)))]
  const areas = map
    .queryRenderedFeatures([x, y], { layers: areaLayers })
    .map(f => ({
      level: f.properties.level as Role,
      code: String(f.properties.code ?? ''),
      name: String(f.properties.name ?? ''),
      nameLatin: f.properties.name_latin as string | undefined,
    }))
    .filter(a => roles.includes(a.level))
    .sort((a, b) => roles.indexOf(b.level) - roles.indexOf(a.level))
  const spot = map.queryRenderedFeatures([x, y], { layers: ['spots'] })[0]?.properties.code as string | undefined
  const sign = map.queryRenderedFeatures(around, { layers: ['signs'] }).sort((a, b) => away(a) - away(b))[0]?.id
  return {
    lon: lng,
    lat,
    reports,
    areas,
    ...(spot === undefined ? {} : { spot }),
    ...(sign === undefined ? {} : { sign: Number(sign) }),
  }
}
