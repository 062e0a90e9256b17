import { Marker } from 'maplibre-gl'
import type { Point } from '../../shared/map/geo'
import { type About, GroundMap, type GroundMapPlan } from './groundmap'

export interface SpotMapPlan extends GroundMapPlan {
  pinLabel: string
  /** The pin stays where it is. */
  fixed: boolean
  /** Somebody pointed out another place. */
  moved: (p: Point) => void
}

/** The ground, and a pin that can be dragged. */
export class SpotMap extends GroundMap {
  private readonly pin: Marker

  constructor(container: HTMLElement, plan: SpotMapPlan) {
    super(container, plan)
    this.pin = new Marker({ color: plan.palette.primary, draggable: !plan.fixed, scale: 1.2 })
    const element = this.pin.getElement()
    element.setAttribute('aria-label', plan.pinLabel)
    element.dataset.test = 'pin'
    this.pin.on('dragend', () => {
      const { lng, lat } = this.pin.getLngLat()
      plan.moved({ lon: lng, lat })
    })
    if (!plan.fixed) this.map.on('click', e => plan.moved({ lon: e.lngLat.lng, lat: e.lngLat.lat }))
  }

  show(spot: About | null, lead: boolean): void {
    if (spot) this.pin.setLngLat([spot.lon, spot.lat]).addTo(this.map)
    else this.pin.remove()
    if (spot && lead) this.map.jumpTo({ center: [spot.lon, spot.lat], zoom: Math.max(16, this.map.getZoom()) })
    this.circleAround(spot)
  }
}
