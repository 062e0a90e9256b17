import { localM, Metric } from './metric'
import { type MultiPolygon, type Outline, Plane } from './plane'

/** One jurisdiction as stored: rings closed, doubles untouched. */
export interface HeldShape {
  code: string
  shape: MultiPolygon
}

/** A grid that the phone holds. */
export interface HeldFace extends HeldShape {
  /** It is one of those that the phone's person answers for. */
  own: boolean
  /** Its microgrids, in a plan where they nest: there the service looks for these, and takes the grid from them. */
  parts?: readonly HeldShape[]
}

/** What placement.Locate would say, as far as the phone can know. Codes are of grids but `microgrid`. */
export interface PhoneAnswer {
  /** `beyond`: in none of the faces held, and whether in another one, or near it, the service will say. */
  method: 'inside' | 'edge' | 'nearest' | 'unplaced' | 'beyond'
  /** The grid placed in; null when unplaced or beyond. */
  code: string | null
  /** The microgrid that holds the point, where `code` has parts and does. */
  microgrid: string | null
  /** The grid nearest to a point outside of all; with `beyond` the nearest one held, if it is within ten kilometres. */
  nearest: string | null
  /** Metres to `nearest`; 0 in a grid, null where `nearest` is and the point is in none. */
  distanceM: number | null
  /** Metres to the border of the grid found, holes included; outside of all it is `distanceM`. */
  borderM: number | null
  /** Other grids within nearBorderM of a placed point, nearest first. */
  near: string[]
  /** Other grids that the accuracy circle meets, nearest first; none of a position without accuracy. */
  candidates: string[]
  ambiguous: boolean
  /** By the same plan the service says the same method, code, nearest, distances, and microgrid if `code` has parts. */
  sure: boolean
  /** And the same near, candidates and ambiguous. It implies `sure`. */
  nearSure: boolean
}

export interface Places {
  /** Places lon, lat in degrees. An accuracy that is not a number, negative or infinite is unknown. */
  locate(lon: number, lat: number, accuracyM?: number): PhoneAnswer
}

const defaultAccuracyM = 50
const nearBorderM = 50
const maxAccuracyM = 5000
const maxCandidates = 32
/** Further from a border than any rounding reaches: a point this deep in a face is by no arithmetic in another one. */
const certainM = 1e-4

/**
 * Prepares faces of one plan: own grids, and all other grids that come within heldM metres of one of them. These
 * metres may be of geodesics or of the service's plane, which differ by less than a hundredth (0.3 % below 60° of
 * latitude, and the bulge of edges of a few kilometres). An infinite heldM says that all grids are held. In a plan
 * whose microgrids nest all faces come with their parts, in another one none does.
 *
 * What a missing face could change. Let trustedM be 0.99 heldM, and ownM the distance from the point to the nearest
 * own face, 0 within it. By the metric around the point a missing face comes no nearer to an own one than trustedM.
 * That metric is flat, so the triangle inequality holds: the face is further from the point than clearM = trustedM −
 * ownM. Hence
 *
 * 1. With clearM above certainM no missing face covers the point, by any rounding, or shares an edge that the point
 *    is torn out at. Who holds it is sure: in and on own grids always, near them on borders of neighbours too.
 * 2. A point deeper than certainM in a held face is in no other, as faces of a plan do not overlap. So the interior
 *    of neighbours is sure. On their borders away from own grids a missing face may have the point too, and the
 *    smaller code.
 * 3. Outside of all held faces, with 1, a missing one is nearer than the nearest held only if that is further than
 *    clearM. If it is not, nearest and unplaced are sure; else the point is beyond.
 * 4. near and candidates need all faces within the larger of nearBorderM and the accuracy. They are sure where that
 *    is less than clearM, and where the circle lies in the face found: then nobody is near.
 *
 * Where only some faces have parts, the others are searched by themselves. That tells the same, but not at their
 * borders, where codes of microgrids decide: less than certainM from one nothing is sure.
 */
export function createPlaces(faces: readonly HeldFace[], heldM: number): Places {
  const grids = new Plane(faces.map(f => ({ ...f, grid: f.code })))
  const own = new Set(faces.filter(f => f.own).map(f => f.code))
  const divided = new Set(faces.filter(f => f.parts).map(f => f.code))
  const alike = divided.size === 0 || divided.size === faces.length
  const search = new Plane(faces.flatMap(f => (f.parts ?? [f]).map(part => ({ ...part, grid: f.code }))))
  const trustedM = heldM === Infinity ? Infinity : 0.99 * Math.min(heldM, localM)

  /** What every missing face is further away than. */
  function clearance(m: Metric): number {
    if (trustedM === Infinity) return Infinity
    let ownM = trustedM
    for (const face of grids.faces) {
      if (own.has(face.code) && face.boxM(m) < ownM) ownM = Math.min(ownM, face.distanceM(m, ownM))
    }
    return trustedM - ownM
  }

  function locate(lon: number, lat: number, accuracyM = Number.NaN): PhoneAnswer {
    if (!(Math.abs(lon) <= 180 && Math.abs(lat) <= 90))
      return answer({ method: 'unplaced', sure: true, nearSure: true })
    const known = accuracyM >= 0 && accuracyM < Infinity
    const radiusM = known ? Math.min(accuracyM, maxAccuracyM) : defaultAccuracyM
    const reachM = known ? Math.max(nearBorderM, radiusM) : nearBorderM
    const m = new Metric(lon, lat)
    const clearM = clearance(m)

    function surrounded(a: PhoneAnswer, found: Outline): PhoneAnswer {
      for (const { face, distanceM } of grids.within(m, reachM)) {
        if (face === found) continue
        if (distanceM <= nearBorderM && a.near.length < maxCandidates) a.near.push(face.code)
        if (known && distanceM <= radiusM && a.candidates.length < maxCandidates) a.candidates.push(face.code)
      }
      return { ...a, ambiguous: a.candidates.length > 0, nearSure: a.sure && reachM < clearM }
    }

    const holder = search.decide(lon, lat).face
    const found = grids.faces.find(f => f.code === holder?.grid)
    if (holder && found) {
      const borderM = found.borderM(m)
      const method = borderM < certainM && grids.decide(lon, lat).border ? 'edge' : 'inside'
      const microgrid = divided.has(found.code) ? holder.code : null
      const sure = borderM >= certainM || (clearM > certainM && alike)
      const a = answer({ method, code: found.code, microgrid, distanceM: 0, borderM, sure })
      return borderM > reachM ? { ...a, nearSure: true } : surrounded(a, found)
    }
    const closest = grids.nearest(m) ?? (clearM === Infinity ? grids.nearestFar(m) : null)
    if (closest === null) return answer(clearM === Infinity ? { method: 'unplaced', sure: true, nearSure: true } : {})
    const { face, distanceM } = closest
    const a = answer({ nearest: face.code, distanceM, borderM: distanceM })
    if (!(clearM > certainM && distanceM < clearM && (distanceM >= certainM || alike))) return a
    if (distanceM > radiusM) return { ...a, method: 'unplaced', sure: true, nearSure: true }
    return surrounded({ ...a, method: 'nearest', code: face.code, sure: true }, face)
  }

  return { locate }
}

function answer(known: Partial<PhoneAnswer>): PhoneAnswer {
  const nothing = { code: null, microgrid: null, nearest: null, distanceM: null, borderM: null }
  const nobody = { near: [], candidates: [], ambiguous: false }
  return { method: 'beyond', ...nothing, ...nobody, sure: false, nearSure: false, ...known }
}
