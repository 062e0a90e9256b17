import type { CityTiles } from '../shared/map/geo'
import { type Filters, filterParams } from './view'

/** Addresses of the city's tiles under the filters; boundaries go by the plan's version, under which they never change. */
export function tileAddresses(city: string, plan: string | undefined, filters: Filters): CityTiles {
  const at = (layer: string, query: Record<string, string>) => {
    const q = new URLSearchParams(query).toString()
    return `${location.origin}/${city}/v1/tiles/${layer}/{z}/{x}/{y}${q ? `?${q}` : ''}`
  }
  const query = filterParams(filters)
  return {
    jurisdictions: at('jurisdictions', plan ? { plan } : {}),
    heat: at('heat', query),
    reports: at('reports', query),
  }
}

/** Address of the ground that the service draws under its cities, where it has one. */
export function basemapAddress(city: string): string {
  return `${location.origin}/${city}/v1/basemap.pmtiles`
}
