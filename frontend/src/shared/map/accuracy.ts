import type { GeoJSONSource, Map as LibreMap } from 'maplibre-gl'
import type { Point } from './geo'

/** Metres of a degree of latitude. */
const degreeM = 111_320
const corners = 64

/** The ring around a point at a distance, closed: flat, as accuracies are small beside the Earth. */
export function circle(at: Point, radiusM: number): [number, number][] {
  const shrink = Math.max(0.01, Math.cos((at.lat * Math.PI) / 180))
  return Array.from({ length: corners + 1 }, (_, i) => {
    const a = ((i % corners) / corners) * 2 * Math.PI
    return [at.lon + (radiusM * Math.cos(a)) / (degreeM * shrink), at.lat + (radiusM * Math.sin(a)) / degreeM]
  })
}

/** How far off a position may be, as a circle around it. */
export class Accuracy {
  private shown: { at: Point; radiusM: number } | null = null

  constructor(private readonly map: LibreMap) {}

  set(at: Point | null, radiusM: number): void {
    this.shown = at ? { at, radiusM } : null
    this.draw()
  }

  draw(): void {
    this.map.getSource<GeoJSONSource>('accuracy')?.setData({
      type: 'FeatureCollection',
      features: this.shown
        ? [
            {
              type: 'Feature',
              properties: {},
              geometry: { type: 'Polygon', coordinates: [circle(this.shown.at, this.shown.radiusM)] },
            },
          ]
        : [],
    })
  }
}
