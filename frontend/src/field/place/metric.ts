/**
 * Metres around a point, operation by operation as internal/placement/metric.go and far.go take them: distances within
 * localM are the service's to the last bit, in every browser.
 */

const equatorM = 6378137
const meanM = 6371008.8
// Of CGCS2000, rounded from the exact value as Go's constants are; computed here they would differ in the last bit.
const e2 = 0.006694380022900788
const oneLessE2 = 0.9933056199770992

/** How far the plane metric is trusted. */
export const localM = 10_000

/** Degrees times the metres that a degree is worth at a point. */
export class Metric {
  readonly lonM: number
  readonly latM: number

  constructor(
    readonly lon: number,
    readonly lat: number,
  ) {
    const [sinLat, cosLat] = sincos((lat * Math.PI) / 180)
    const w2 = 1 - e2 * sinLat * sinLat
    const prime = equatorM / Math.sqrt(w2)
    this.lonM = (prime * cosLat * Math.PI) / 180
    this.latM = (((prime * oneLessE2) / w2) * Math.PI) / 180
  }

  /** The square of the distance to the edge a–b. */
  edgeM2(aLon: number, aLat: number, bLon: number, bLat: number): number {
    const ax = (aLon - this.lon) * this.lonM
    const ay = (aLat - this.lat) * this.latM
    const dx = (bLon - aLon) * this.lonM
    const dy = (bLat - aLat) * this.latM
    const length2 = dx * dx + dy * dy
    if (length2 > 0) {
      const t = -(ax * dx + ay * dy) / length2
      if (t >= 1) {
        const bx = (bLon - this.lon) * this.lonM
        const by = (bLat - this.lat) * this.latM
        return bx * bx + by * by
      }
      if (t > 0) {
        // From the cross product: the foot's coordinates would cancel.
        const across = ax * dy - ay * dx
        return (across * across) / length2
      }
    }
    return ax * ax + ay * ay
  }

  /** The square of the distance to the box that begins at boxes[at]; 0 within it, infinite to the empty one. */
  boxM2(boxes: Float64Array, at: number): number {
    const x = Math.max(boxes[at]! - this.lon, this.lon - boxes[at + 2]!, 0) * this.lonM
    const y = Math.max(boxes[at + 1]! - this.lat, this.lat - boxes[at + 3]!, 0) * this.latM
    return x * x + y * y
  }
}

/** A place on the ellipsoid seen from the earth's centre, in metres. */
export type Vector = readonly [number, number, number]

export function geocentre(lon: number, lat: number): Vector {
  const [sinLon, cosLon] = sincos((lon * Math.PI) / 180)
  const [sinLat, cosLat] = sincos((lat * Math.PI) / 180)
  const n = equatorM / Math.sqrt(1 - e2 * sinLat * sinLat)
  return [n * cosLat * cosLon, n * cosLat * sinLon, n * oneLessE2 * sinLat]
}

export const minus = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]

/** The square of the distance from the origin to the segment a–b. */
export function segment2(a: Vector, b: Vector): number {
  const d = minus(b, a)
  const length2 = dot(d, d)
  if (!(length2 > 0)) return dot(a, a)
  const t = Math.min(Math.max(-dot(a, d) / length2, 0), 1)
  const foot: Vector = [a[0] + t * d[0], a[1] + t * d[1], a[2] + t * d[2]]
  return dot(foot, foot)
}

/** The length along the surface of a chord. */
export const arcM = (chordM: number) => 2 * meanM * Math.asin(Math.min(chordM / (2 * meanM), 1))

// Of math.Sincos, the highest power first, as short as they read back to the same doubles.
const quarter = [0.7853981256484985, 3.774894707930798e-8, 2.6951514290790595e-15] // π/4 in parts
const sinTerms = [
  1.5896230157654656e-10, -2.5050747762857807e-8, 2.7557313621385722e-6, -1.984126982958954e-4, 8.333333333322118e-3,
  -1.666666666666663e-1,
]
const cosTerms = [
  -1.1358536521387682e-11, 2.087570084197473e-9, -2.755731417929674e-7, 2.4801587288851704e-5, -1.3888888888873056e-3,
  4.1666666666666595e-2,
]

/**
 * Sine and cosine of up to half a turn as Go's math.Sincos computes them (after Cephes). Math.sin differs in the last
 * bit, from Go and between browsers, and with it which of two faces is the nearer.
 */
function sincos(radians: number): [sin: number, cos: number] {
  const x = Math.abs(radians)
  let octant = Math.floor(x * (4 / Math.PI))
  if (octant % 2 === 1) octant++
  const z = quarter.reduce((rest, part) => rest - octant * part, x)
  const zz = z * z
  const horner = (sum: number, term: number) => sum * zz + term
  const sin = z + z * zz * sinTerms.reduce(horner)
  const cos = 1 - 0.5 * zz + zz * zz * cosTerms.reduce(horner)
  // Half a turn has the octants 0, 2 and 4.
  const [up, right] = octant === 2 ? [cos, -sin] : octant === 4 ? [-sin, -cos] : [sin, cos]
  return [radians < 0 ? -up : up, right]
}
