import type { Map as LibreMap } from 'maplibre-gl'
import { setPoints } from './fresh'
import type { Point } from './geo'

/** `hover` is lit while its row is hovered, `chosen` while it is open or being picked. */
export type Mark = 'hover' | 'chosen'

/** The points that are lit on the map. */
export class Marks {
  private readonly points: Record<Mark, Point | null> = { hover: null, chosen: null }

  constructor(private readonly map: LibreMap) {}

  set(mark: Mark, point: Point | null): void {
    this.points[mark] = point
    this.draw()
  }

  draw(): void {
    setPoints(
      this.map,
      'marked',
      (['hover', 'chosen'] as const).flatMap(mark => {
        const p = this.points[mark]
        return p ? [{ ...p, id: mark === 'hover' ? 1 : 2, properties: { mark } }] : []
      }),
    )
  }
}
