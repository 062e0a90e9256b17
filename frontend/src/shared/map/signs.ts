import { type GeoJSONSource, type Map as LibreMap, Marker } from 'maplibre-gl'
import type { Palette } from '../theme/tokens'
import type { Point } from './geo'
import { signImage } from './style'

/** How a point of a patrol stands to its rhythm: each has a form of its own, as colour alone tells not everybody. */
export const signStates = ['ok', 'due', 'never', 'overdue'] as const
export type SignState = (typeof signStates)[number]
export interface Sign extends Point {
  id: number
  name: string
  state: SignState
}

const side = 48

/** A disc with a tick, a disc with a clock's hands, a ring of dashes, a triangle with a mark. */
function signOf(state: SignState, p: Palette): ImageData {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = side
  const c = canvas.getContext('2d')!
  c.lineJoin = c.lineCap = 'round'
  const middle = side / 2
  const line = (...at: [number, number][]) => {
    c.beginPath()
    for (const [x, y] of at) c.lineTo(x, y)
    c.stroke()
  }
  const disc = (r: number) => {
    c.beginPath()
    c.arc(middle, middle, r, 0, 2 * Math.PI)
  }
  const rim = p.map.pointLine
  if (state === 'overdue') {
    c.beginPath()
    for (const [x, y] of [
      [24, 7],
      [43, 40],
      [5, 40],
    ] as const)
      c.lineTo(x, y)
    c.closePath()
    c.lineWidth = 7
    c.strokeStyle = rim
    c.stroke()
    c.lineWidth = 2
    c.fillStyle = c.strokeStyle = p.red
    c.fill()
    c.stroke()
    c.lineWidth = 5
    c.strokeStyle = rim
    line([24, 20], [24, 28])
    c.fillStyle = rim
    c.beginPath()
    c.arc(24, 35, 2.6, 0, 2 * Math.PI)
    c.fill()
    return c.getImageData(0, 0, side, side)
  }
  disc(18)
  c.fillStyle = rim
  c.fill()
  if (state === 'never') {
    disc(14)
    c.lineWidth = 4
    c.lineCap = 'butt'
    c.setLineDash([8.8, 5.86])
    c.strokeStyle = p.ink
    c.stroke()
    return c.getImageData(0, 0, side, side)
  }
  disc(15.5)
  c.fillStyle = state === 'ok' ? p.ok : p.amber
  c.fill()
  c.lineWidth = 4
  c.strokeStyle = rim
  if (state === 'ok') line([17, 24.5], [22, 29.5], [31.5, 19])
  else line([24, 15], [24, 24.5], [30, 28])
  return c.getImageData(0, 0, side, side)
}

/** The points of patrols on a map, and the one that is being placed, which can be dragged. */
export class Signs {
  private signs: readonly Sign[] = []
  private palette: Palette | null = null
  private pin: Marker | null = null

  constructor(private readonly map: LibreMap) {}

  show(signs: readonly Sign[], palette: Palette): void {
    this.signs = signs
    this.draw(palette)
  }

  draw(palette: Palette): void {
    const source = this.map.getSource<GeoJSONSource>('signs')
    if (!source) return
    if (palette !== this.palette && this.signs.length > 0) {
      for (const s of signStates) {
        const image = signOf(s, palette)
        if (this.map.hasImage(signImage(s))) this.map.updateImage(signImage(s), image)
        else this.map.addImage(signImage(s), image, { pixelRatio: 2 })
      }
      this.palette = palette
    }
    source.setData({
      type: 'FeatureCollection',
      features: this.signs.map(s => ({
        type: 'Feature',
        id: s.id,
        properties: { name: s.name, state: s.state },
        geometry: { type: 'Point', coordinates: [s.lon, s.lat] },
      })),
    })
  }

  /** Shows what is being placed; told where it is dragged to. */
  setPin(at: Point | null, colour: string, label: string, moved: (to: Point) => void): void {
    this.pin?.remove()
    this.pin = null
    if (!at) return
    const pin = new Marker({ color: colour, draggable: true }).setLngLat([at.lon, at.lat]).addTo(this.map)
    pin.getElement().setAttribute('aria-label', label)
    pin.getElement().dataset.test = 'pin'
    pin.on('dragend', () => {
      const { lng, lat } = pin.getLngLat()
      moved({ lon: lng, lat })
    })
    this.pin = pin
  }
}
