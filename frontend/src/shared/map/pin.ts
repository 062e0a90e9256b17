import { type Map as LibreMap, Marker } from 'maplibre-gl'
import type { Point } from './geo'

/** A pin that is dragged to where something is. */
export class DragPin {
  private readonly marker: Marker

  constructor(
    private readonly map: LibreMap,
    label: string,
    color: string,
    moved: (p: Point) => void,
  ) {
    this.marker = new Marker({ color, draggable: true, scale: 1.2 })
    const element = this.marker.getElement()
    element.setAttribute('aria-label', label)
    element.dataset.test = 'pin'
    this.marker.on('dragend', () => {
      const { lng, lat } = this.marker.getLngLat()
      moved({ lon: lng, lat })
    })
  }

  /** null: it is nowhere. */
  show(at: Point | null): void {
    if (at) this.marker.setLngLat([at.lon, at.lat]).addTo(this.map)
    else this.marker.remove()
  }
}
