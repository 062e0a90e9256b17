import { decode } from '../shared/map/beidou'
import type { Box, Point } from '../shared/map/geo'

export interface Typed extends Point {
  /** The numbers were taken the other way round: as latitude, longitude. */
  swapped: boolean
  /** The BeiDou code that was typed, and the cell that it names. */
  code?: string
  bbox?: Box
}

/**
 * Reads a position as people paste it: a BeiDou code, or "longitude, latitude" in decimal degrees with a comma (also the
 * Chinese one), semicolon or space between. Numbers are read as latitude, longitude where only that can be meant: because
 * the second is no latitude, or because only so the point lies in the city. Null for anything else.
 */
export function typedPoint(text: string, city?: readonly number[]): Typed | null {
  const code = text.replace(/[\s-]/g, '').toUpperCase()
  const cell = decode(code)
  if (cell) {
    const [west, south, east, north] = cell
    return { lon: (west + east) / 2, lat: (south + north) / 2, swapped: false, code, bbox: cell }
  }
  const m = /^\s*([+-]?\d{1,3}(?:\.\d+)?)°?\s*[,，;；\s]\s*([+-]?\d{1,3}(?:\.\d+)?)°?\s*$/.exec(text)
  if (!m) return null
  const [a, b] = [Number(m[1]), Number(m[2])]
  const [asIs, turned] = [isPoint(a, b), isPoint(b, a)]
  if (!asIs && !turned) return null
  const swapped = !asIs || (turned && city !== undefined && !within(city, a, b) && within(city, b, a))
  return swapped ? { lon: b, lat: a, swapped } : { lon: a, lat: b, swapped }
}

const isPoint = (lon: number, lat: number) => Math.abs(lon) <= 180 && Math.abs(lat) <= 90

/** Whether a point lies in the box west, south, east, north, its edges included. */
export function within(box: readonly number[], lon: number, lat: number): boolean {
  const [west, south, east, north] = box as Box
  return lon >= west && lon <= east && lat >= south && lat <= north
}
