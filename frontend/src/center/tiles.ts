import type { CityTiles } from '../shared/map/geo'
import { everything, type Filters, filterParams } from './view'

/**
 * Addresses of the city's tiles under the filters; boundaries go by the plan's version, under which they never change. Who
 * may see no reports asks for none.
 */
export function tileAddresses(
  city: string,
  plan: string | undefined,
  filters: Filters,
  reports: boolean,
  cases = false,
): CityTiles {
  const at = (layer: string, query: Record<string, string>) => {
    const q = new URLSearchParams(query).toString()
    return `${location.origin}/${city}/v1/tiles/${layer}/{z}/{x}/{y}${q ? `?${q}` : ''}`
  }
  const query = filterParams(filters)
  return {
    jurisdictions: at('jurisdictions', plan ? { plan } : {}),
    heat: reports ? at('heat', query) : null,
    reports: reports ? at('reports', query) : null,
    cases: reports && cases ? at('cases', query) : null,
  }
}

/** Where the city has opened its map: boundaries, and the heat of a whole month. */
export function openTiles(city: string, plan: string | undefined, month: string | null, heatZoom: number): CityTiles {
  const heat = `${location.origin}/${city}/v1/public/heat/${month}/{z}/{x}/{y}`
  const { jurisdictions } = tileAddresses(city, plan, everything, false)
  return { jurisdictions, heat: month === null ? null : heat, heatZoom, reports: null, cases: null }
}

/** Address of the ground that the service draws under its cities, where it has one. */
export function basemapAddress(city: string): string {
  return `${location.origin}/${city}/v1/basemap.pmtiles`
}
