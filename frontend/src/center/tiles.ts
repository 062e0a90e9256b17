import type { CityTiles } from '../shared/map/geo'
import { type Filters, filterParams } from './view'

/**
 * Addresses of the city's tiles under the filters; boundaries go by the plan's version, under which they never change. Who
 * may see no reports asks for none.
 */
export function tileAddresses(city: string, plan: string | undefined, filters: Filters, reports: boolean): CityTiles {
  const at = (layer: string, query: Record<string, string>) => {
    const q = new URLSearchParams(query).toString()
    return `${location.origin}/${city}/v1/tiles/${layer}/{z}/{x}/{y}${q ? `?${q}` : ''}`
  }
  const query = filterParams(filters)
  return {
    jurisdictions: at('jurisdictions', plan ? { plan } : {}),
    heat: reports ? at('heat', query) : null,
    reports: reports ? at('reports', query) : null,
  }
}

/** Address of the ground that the service draws under its cities, where it has one. */
export function basemapAddress(city: string): string {
  return `${location.origin}/${city}/v1/basemap.pmtiles`
}
