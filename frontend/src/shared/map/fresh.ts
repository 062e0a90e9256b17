import { type GeoJSONSource, type Map as LibreMap, Marker } from 'maplibre-gl'
import type { Point } from './geo'

/** How long a report that came in is drawn by itself where no tile shows single reports. */
const keepMs = 20_000
/** More pulses at once than this say no more than these. */
const mostPulses = 20

/** Reports that came in just now: drawn at once, pulsing twice, until the tile that holds them has come. */
export class FreshReports {
  private reports: (Point & { num: number; until: number })[] = []

  constructor(private readonly map: LibreMap) {}

  show(reports: readonly (Point & { num: number })[], pulse: boolean): void {
    const until = Date.now() + keepMs
    this.reports.push(...reports.map(r => ({ ...r, until })))
    this.draw()
    if (pulse) for (const r of reports.slice(0, mostPulses)) this.pulse(r)
  }

  private pulse(at: Point): void {
    const element = document.createElement('div')
    element.className = 'map-pulse'
    element.setAttribute('aria-hidden', 'true')
    const ring = element.appendChild(document.createElement('div'))
    const marker = new Marker({ element }).setLngLat([at.lon, at.lat]).addTo(this.map)
    ring.addEventListener('animationend', () => marker.remove())
  }

  /** Drops what the tiles have by now, and what has stood long enough. */
  settle(): void {
    if (this.reports.length === 0) return
    const now = Date.now()
    const inTiles = new Set(this.map.querySourceFeatures('reports', { sourceLayer: 'reports' }).map(f => Number(f.id)))
    const left = this.reports.filter(r => r.until > now && !inTiles.has(r.num))
    if (left.length === this.reports.length) return
    this.reports = left
    this.draw()
  }

  clear(): void {
    this.reports = []
    this.draw()
  }

  draw(): void {
    setPoints(
      this.map,
      'fresh',
      this.reports.map(r => ({ ...r, id: r.num, properties: {} })),
    )
  }
}

/** Fills a GeoJSON source of the map with points; before the style is there nothing happens. */
export function setPoints(
  map: LibreMap,
  source: string,
  points: readonly (Point & { id: number; properties: Record<string, string> })[],
): void {
  map.getSource<GeoJSONSource>(source)?.setData({
    type: 'FeatureCollection',
    features: points.map(p => ({
      type: 'Feature',
      id: p.id,
      properties: p.properties,
      geometry: { type: 'Point', coordinates: [p.lon, p.lat] },
    })),
  })
}
