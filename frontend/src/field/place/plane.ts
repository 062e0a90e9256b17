import { orient2d } from 'robust-predicates'
import { arcM, geocentre, localM, type Metric, minus, segment2, type Vector } from './metric'

/** Polygons of rings of lon, lat in degrees; a polygon's first ring is its outline, the others are its holes. */
export type MultiPolygon = readonly (readonly (readonly (readonly number[])[])[])[]

type Whereabouts = 'outside' | 'border' | 'inside'
/** Positive when x, y is left of a→b, negative when right, 0 on the line. */
type Side = (ax: number, ay: number, bx: number, by: number, x: number, y: number) => number

/** determineSide of PostGIS, with its rounding. */
const rounded: Side = (ax, ay, bx, by, x, y) => (bx - ax) * (y - ay) - (x - ax) * (by - ay)
/** The true side. orient2d counts clockwise; its products leave the range of doubles only 1e-150° from 0, 0. */
const exact: Side = (ax, ay, bx, by, x, y) => -orient2d(ax, ay, bx, by, x, y)

/** Further from a box, in degrees, than rounding reaches, which is 12·2⁻⁵³ times the largest coordinate. */
const slack = 2 ** -44 * 180
/** Edges in a run: few enough that a box leaves little to look at, enough that boxes are few. */
const runEdges = 12

/** One face, prepared: its points one after another, cut into runs of edges with the box around each. */
export class Outline {
  readonly box = Float64Array.of(Infinity, Infinity, -Infinity, -Infinity)
  private readonly xy: Float64Array
  private readonly boxes: Float64Array // four a run
  private readonly runs: [from: number, to: number][] = [] // edges xy[from]–xy[from+2] … –xy[to]
  private readonly rings: { from: number; to: number; outer: boolean }[] = [] // of runs

  constructor(
    readonly code: string,
    readonly grid: string, // the code of the grid that it is or is part of
    shape: MultiPolygon,
  ) {
    const xy: number[] = []
    for (const polygon of shape) {
      polygon.forEach((ring, i) => {
        const from = this.runs.length
        const first = xy.length
        for (const [lon, lat] of ring) xy.push(lon!, lat!)
        for (let k = first; k < xy.length - 2; k += 2 * runEdges) {
          this.runs.push([k, Math.min(k + 2 * runEdges, xy.length - 2)])
        }
        this.rings.push({ from, to: this.runs.length, outer: i === 0 })
      })
    }
    this.xy = Float64Array.from(xy)
    this.boxes = new Float64Array(4 * this.runs.length)
    this.runs.forEach(([from, to], r) => {
      const box = this.boxes.subarray(4 * r, 4 * r + 4)
      box.set([Infinity, Infinity, -Infinity, -Infinity])
      for (let k = from; k < to + 2; k++) {
        for (const b of [box, this.box]) {
          b[k % 2] = Math.min(b[k % 2]!, xy[k]!)
          b[2 + (k % 2)] = Math.max(b[2 + (k % 2)]!, xy[k]!)
        }
      }
    })
  }

  /** Whether a point may be in the face, by its box. */
  near(x: number, y: number): boolean {
    const b = this.box
    return x >= b[0]! - slack && x <= b[2]! + slack && y >= b[1]! - slack && y <= b[3]! + slack
  }

  /** As point_in_multipolygon of PostGIS: the first polygon that does not exclude the point decides. */
  where(x: number, y: number, side: Side): Whereabouts {
    for (let i = 0; i < this.rings.length; ) {
      let w = this.inRing(i, x, y, side)
      let hole = i + 1
      for (; hole < this.rings.length && !this.rings[hole]!.outer; hole++) {
        if (w !== 'inside') continue
        const h = this.inRing(hole, x, y, side)
        if (h === 'border') return h
        if (h === 'inside') w = 'outside'
      }
      if (w !== 'outside') return w
      i = hole
    }
    return 'outside'
  }

  /** The winding number test of point_in_ring. Edges wholly left of the point cannot count, whatever the rounding. */
  private inRing(i: number, x: number, y: number, side: Side): Whereabouts {
    const { xy, boxes } = this
    let turns = 0
    for (let r = this.rings[i]!.from; r < this.rings[i]!.to; r++) {
      if (y < boxes[4 * r + 1]! || y > boxes[4 * r + 3]! || x > boxes[4 * r + 2]!) continue
      const [from, to] = this.runs[r]!
      for (let k = from; k < to; k += 2) {
        const ay = xy[k + 1]!
        const by = xy[k + 3]!
        if ((ay > y && by > y) || (ay < y && by < y)) continue
        const ax = xy[k]!
        const bx = xy[k + 2]!
        if (ax === bx && ay === by) continue
        const s = side(ax, ay, bx, by, x, y)
        if (s === 0 && x >= Math.min(ax, bx) && x <= Math.max(ax, bx)) return 'border'
        if (ay <= y && y < by && s > 0) turns++
        else if (by <= y && y < ay && s < 0) turns--
      }
    }
    return turns === 0 ? 'outside' : 'inside'
  }

  /** Whether a test holds for some edge that the point's parallel touches. */
  someEdgeAt(y: number, test: (ax: number, ay: number, bx: number, by: number) => boolean): boolean {
    const { xy, boxes } = this
    return this.runs.some(([from, to], r) => {
      if (y < boxes[4 * r + 1]! || y > boxes[4 * r + 3]!) return false
      for (let k = from; k < to; k += 2) {
        const [ax, ay, bx, by] = [xy[k]!, xy[k + 1]!, xy[k + 2]!, xy[k + 3]!]
        if (Math.min(ay, by) <= y && y <= Math.max(ay, by) && (ax !== bx || ay !== by) && test(ax, ay, bx, by))
          return true
      }
      return false
    })
  }

  boxM(m: Metric): number {
    return Math.sqrt(m.boxM2(this.box, 0))
  }

  /** The distance to the border, holes included; infinite for a face without edges, and where it is not below limitM. */
  borderM(m: Metric, limitM = Infinity): number {
    const { xy, boxes, runs } = this
    // The run with the nearest box first: it spares nearly all others.
    let first = -1
    let nearest2 = limitM * limitM
    for (let r = 0; r < runs.length; r++) {
      const d2 = m.boxM2(boxes, 4 * r)
      if (d2 < nearest2) [first, nearest2] = [r, d2]
    }
    if (first < 0) return Infinity
    let best = limitM * limitM
    for (let i = -1; i < runs.length; i++) {
      const r = i < 0 ? first : i
      if (m.boxM2(boxes, 4 * r) >= best) continue
      const [from, to] = runs[r]!
      for (let k = from; k < to; k += 2) best = Math.min(best, m.edgeM2(xy[k]!, xy[k + 1]!, xy[k + 2]!, xy[k + 3]!))
    }
    return best < limitM * limitM ? Math.sqrt(best) : Infinity
  }

  /** 0 for a point that the face holds, else the distance to its border; infinite where that is not below limitM. */
  distanceM(m: Metric, limitM = Infinity): number {
    return this.near(m.lon, m.lat) && this.where(m.lon, m.lat, rounded) !== 'outside' ? 0 : this.borderM(m, limitM)
  }

  /** The length of the shortest chord through the earth to the border. */
  chordM(from: Vector): number {
    const { xy } = this
    let best = Infinity
    for (const [first, last] of this.runs) {
      let a = minus(geocentre(xy[first]!, xy[first + 1]!), from)
      for (let k = first + 2; k <= last; k += 2) {
        const b = minus(geocentre(xy[k]!, xy[k + 1]!), from)
        best = Math.min(best, segment2(a, b))
        a = b
      }
    }
    return Math.sqrt(best)
  }
}

/** The faces of a level, in byte order of their codes as the service has them. */
export class Plane {
  readonly faces: readonly Outline[]

  constructor(faces: readonly { code: string; grid: string; shape: MultiPolygon }[]) {
    this.faces = faces.map(f => new Outline(f.code, f.grid, f.shape)).sort((a, b) => byBytes(a.code, b.code))
  }

  /** The face that a point belongs to: the smallest code that ST_Covers finds, else the one that a crack hides. */
  decide(x: number, y: number): { face: Outline | null; border: boolean } {
    const around = this.faces.filter(f => f.near(x, y))
    for (const face of around) {
      const w = face.where(x, y, rounded)
      if (w !== 'outside') return { face, border: w === 'border' }
    }
    const torn = around.find(f => f.where(x, y, exact) !== 'outside' && inCrack(f, x, y, around))
    return { face: torn ?? null, border: torn !== undefined }
  }

  /** The faces no further than reachM, nearest first, then by code. */
  within(m: Metric, reachM: number): { face: Outline; distanceM: number }[] {
    return this.faces
      .filter(f => f.boxM(m) <= reachM)
      .map(face => ({ face, distanceM: face.distanceM(m) }))
      .filter(o => o.distanceM <= reachM)
      .sort((a, b) => a.distanceM - b.distanceM) // stable: equal ones stay in order of code
  }

  /** The face nearest to a point outside all of them, by the plane; null where none is as near as that is trusted. */
  nearest(m: Metric): { face: Outline; distanceM: number } | null {
    let best: { face: Outline; distanceM: number } | null = null
    for (const face of this.faces) {
      const limitM = best?.distanceM ?? localM
      if (face.boxM(m) > limitM) continue
      const distanceM = face.borderM(m, limitM)
      if (distanceM < limitM) best = { face, distanceM }
    }
    return best !== null && best.distanceM <= lastReachM ? best : null
  }

  /** The same through the earth's body, for what is further. It looks at every vertex. */
  nearestFar(m: Metric): { face: Outline; distanceM: number } | null {
    const from = geocentre(m.lon, m.lat)
    let best: { face: Outline; chordM: number } | null = null
    for (const face of this.faces) {
      const chordM = face.chordM(from)
      if (chordM < (best?.chordM ?? Infinity)) best = { face, chordM }
    }
    return best && { face: best.face, distanceM: arcM(best.chordM) }
  }
}

/** Where the service's search by the plane ends, in steps of 4.4 from 500 m. */
const lastReachM = 500 * 4.4 * 4.4

/** Whether each edge whose side is rounded to the wrong one is another face's too; if not, the point is at the rim. */
function inCrack(face: Outline, x: number, y: number, around: readonly Outline[]): boolean {
  let misjudged = false
  const atRim = face.someEdgeAt(y, (ax, ay, bx, by) => {
    if (Math.sign(rounded(ax, ay, bx, by, x, y)) === Math.sign(exact(ax, ay, bx, by, x, y))) return false
    misjudged = true
    const twin = (cx: number, cy: number, dx: number, dy: number) =>
      (ax === cx && ay === cy && bx === dx && by === dy) || (ax === dx && ay === dy && bx === cx && by === cy)
    return !around.some(f => f !== face && f.someEdgeAt(y, twin))
  })
  return misjudged && !atRim
}

/** Order of UTF-8, which is that of code points; JavaScript's own order is that of UTF-16. */
function byBytes(a: string, b: string): number {
  const [p, q] = [Array.from(a), Array.from(b)]
  for (let i = 0; i < Math.min(p.length, q.length); i++) {
    const d = p[i]!.codePointAt(0)! - q[i]!.codePointAt(0)!
    if (d !== 0) return d
  }
  return p.length - q.length
}
