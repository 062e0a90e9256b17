import type { Map as LibreMap } from 'maplibre-gl'
import type { CityTiles } from './geo'
import { type Breaks, breaksOf } from './heat'
import { deepest, type Look, reportsFrom } from './style'

type Tell = (breaks: Breaks | null, tileZoom: number, truncated: boolean) => void

/**
 * The heat's classes, taken from the cells in view. They change with the zoom and with the filter, not while the map is
 * moved, so that a colour keeps its meaning under the hand.
 */
export class HeatClasses {
  private takenFor = ''
  private told = ''

  constructor(
    private readonly map: LibreMap,
    private readonly tell: Tell,
  ) {}

  /** The next look takes them anew. */
  forget(): void {
    this.takenFor = ''
  }

  /** Looks at the cells that came from the heat's address; tells what differs from what was told last. */
  look({ heat: address, heatZoom = deepest }: CityTiles, { heat, breaks: known }: Pick<Look, 'heat' | 'breaks'>): void {
    if (!this.map.isSourceLoaded('heat')) return
    const zoom = Math.min(heatZoom, Math.floor(this.map.getZoom()))
    const key = `${zoom} ${address} ${heat}`
    const truncated =
      this.map.getZoom() >= reportsFrom &&
      this.map.querySourceFeatures('reports', { sourceLayer: 'reports', filter: ['==', ['get', 'truncated'], true] })
        .length > 0
    let breaks = known
    if (key !== this.takenFor && heat !== 'off' && heat !== 'smooth') {
      breaks = breaksOf(this.values(heat === 'density' ? 'per_km2' : 'count'), heat === 'count')
      if (breaks) this.takenFor = key
    }
    const told = JSON.stringify([breaks, zoom, truncated])
    if (told === this.told) return
    this.told = told
    this.tell(breaks, zoom, truncated)
  }

  /** The values of the cells at hand, each cell once though neighbouring tiles may both hold it. */
  private values(property: string): number[] {
    const cells = new Map<string, number>()
    for (const f of this.map.querySourceFeatures('heat', { sourceLayer: 'heat' })) {
      if (f.geometry.type !== 'Polygon') continue
      cells.set(String(f.geometry.coordinates[0]?.[0]), Number(f.properties[property]))
    }
    return [...cells.values()].filter(v => v > 0)
  }
}
