import type { Read } from '../photo/photos'
import type { Point } from '../shared/map/geo'
import { unix } from '../shared/time/zone'

/** Metres between two places on the ground, by the sphere: as exact as a phone knows where it is. */
export function metresBetween(a: Point, b: Point): number {
  const rad = Math.PI / 180
  const h =
    Math.sin(((b.lat - a.lat) * rad) / 2) ** 2 +
    Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * Math.sin(((b.lon - a.lon) * rad) / 2) ** 2
  return 2 * 6_371_008.8 * Math.asin(Math.sqrt(Math.min(1, h)))
}

/** What a photo says of itself beside a place: how far from it, and when in unix seconds; null where it does not say. */
export function taken(read: Read | null, place: Point | null): { metres: number | null; at: number | null } {
  const there = read?.lon !== undefined && read.lat !== undefined ? { lon: read.lon, lat: read.lat } : null
  return {
    metres: there && place ? metresBetween(there, place) : null,
    at: read?.taken_at ? unix(read.taken_at) : null,
  }
}
