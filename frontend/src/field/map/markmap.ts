import { LngLatBounds, Marker } from 'maplibre-gl'
import { type About, GroundMap, type GroundMapPlan } from './groundmap'

export interface MarkMapPlan extends GroundMapPlan {
  hereLabel: string
}

/** A thing that lies somewhere: its element is the page's, a button. */
export interface Mark {
  id: string
  lon: number
  lat: number
  element: HTMLElement
}

/** The ground, with what there is to do on it, and where one stands. */
export class MarkMap extends GroundMap {
  private readonly marks = new Map<string, Marker>()
  private readonly here: Marker
  private fitted = false

  constructor(container: HTMLElement, plan: MarkMapPlan) {
    super(container, plan)
    const dot = document.createElement('div')
    dot.className = 'here'
    dot.setAttribute('role', 'img')
    dot.setAttribute('aria-label', plan.hereLabel)
    this.here = new Marker({ element: dot })
  }

  /** What there is now; the first time the map shows all of it. */
  setMarks(marks: readonly Mark[]): void {
    const now = new Set(marks.map(m => m.id))
    for (const [id, marker] of this.marks)
      if (!now.has(id)) {
        marker.remove()
        this.marks.delete(id)
      }
    for (const m of marks) {
      const marker = this.marks.get(m.id) ?? new Marker({ element: m.element })
      marker.setLngLat([m.lon, m.lat]).addTo(this.map)
      this.marks.set(m.id, marker)
    }
    if (this.fitted || marks.length === 0) return
    this.fitted = true
    const box = marks.reduce((b, m) => b.extend([m.lon, m.lat]), new LngLatBounds())
    this.map.fitBounds(box, { padding: 48, maxZoom: 17, animate: false })
  }

  stand(at: About | null): void {
    if (at) this.here.setLngLat([at.lon, at.lat]).addTo(this.map)
    else this.here.remove()
    this.circleAround(at)
  }

  /** Brings a point into sight; what is near it stays where it is. */
  lead(to: { lon: number; lat: number }): void {
    this.map.easeTo({ center: [to.lon, to.lat], duration: 200 })
  }
}
