import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { Metric } from './metric'
import { createPlaces, type HeldFace, type HeldShape, type PhoneAnswer, type Places } from './places'
import { Outline } from './plane'

/** What placement.Locate says, written and held by TestPhoneVectorsAreWhatLocateSays of internal/placement. */
interface Said {
  accuracy_m?: number
  method: PhoneAnswer['method']
  code?: string
  microgrid?: string
  nearest?: string
  distance_m?: number
  border_m?: number
  near?: string[]
  candidates?: string[]
  ambiguous?: boolean
}
interface Vectors {
  name: string
  faces: (HeldShape & { parts?: HeldShape[] })[]
  points: { at: [number, number]; says: Said[] }[]
}
const file = new URL('./testdata/locate.json.gz', import.meta.url)
const sets: Vectors[] = JSON.parse(gunzipSync(readFileSync(file)).toString())

const about = (s: Said) => ({
  method: s.method,
  code: s.code ?? null,
  microgrid: s.microgrid ?? null,
  nearest: s.nearest ?? null,
})
const around = (s: Said) => ({
  near: s.near ?? [],
  candidates: s.candidates ?? [],
  ambiguous: s.ambiguous ?? false,
})

/** Within ten kilometres the arithmetic is the service's, beyond it asks the engine for an arc sine. */
function sameM(got: number | null, want: number | undefined): boolean {
  if (got === null || want === undefined) return got === null && want === undefined
  return got === want || (want > 9000 && Math.abs(got - want) <= 1e-9 * want)
}

/** What an answer is sure of and the service says otherwise; nothing when it is right. */
function wrongs(a: PhoneAnswer, want: Said): unknown[] {
  const out: unknown[] = []
  const differ = (got: unknown, said: unknown) =>
    JSON.stringify(got) !== JSON.stringify(said) && out.push({ got, said })
  const { method, code, microgrid, nearest, near, candidates, ambiguous } = a
  if (a.nearSure && !a.sure) out.push('sure of what is near, and not where it is')
  if (a.sure) {
    differ({ method, code, microgrid, nearest }, about(want))
    if (!sameM(a.distanceM, want.distance_m)) out.push({ distanceM: a.distanceM, said: want.distance_m })
    if (!sameM(a.borderM, want.border_m)) out.push({ borderM: a.borderM, said: want.border_m })
  }
  if (a.nearSure) differ({ near, candidates, ambiguous }, around(want))
  return out
}

const everything = (faces: Vectors['faces']) =>
  createPlaces(
    faces.map(f => ({ ...f, own: true })),
    Infinity,
  )

/** Asks all points; returns the first few wrong answers and how often each method was met. */
function ask(places: Places, points: Vectors['points'], each: (a: PhoneAnswer, want: Said) => void = () => {}) {
  const wrong: unknown[] = []
  const met = { inside: 0, edge: 0, nearest: 0, unplaced: 0, beyond: 0 }
  for (const { at, says } of points) {
    for (const want of says) {
      const a = places.locate(...at, want.accuracy_m)
      met[a.method]++
      each(a, want)
      const found = wrongs(a, want)
      if (found.length > 0 && wrong.length < 3) wrong.push([at, want.accuracy_m, ...found])
    }
  }
  return { wrong, met }
}

describe.each(sets)('$name', ({ name, faces, points }) => {
  it('is placed as by the service where all faces are held', () => {
    let unsure = 0
    const { wrong, met } = ask(everything(faces), points, a => {
      if (!a.sure || !a.nearSure) unsure++
    })
    expect(wrong).toEqual([])
    expect(unsure).toBe(0)
    for (const method of ['inside', 'edge', 'nearest', 'unplaced'] as const) {
      const rare = name.startsWith('torn') || (name.startsWith('few') && method === 'nearest')
      expect(met[method], method).toBeGreaterThan(rare ? -1 : 20)
    }
  })

  it('does not depend on the order of faces', () => {
    const own = faces.map(f => ({ ...f, own: true, parts: f.parts?.toReversed() }))
    const [p, q] = [createPlaces(own, Infinity), createPlaces(own.toReversed(), Infinity)]
    for (const { at } of points) expect(p.locate(...at, 80)).toEqual(q.locate(...at, 80))
  })

  const torn = name.startsWith('torn')
  const tiny = name.startsWith('metres')
  it.each(tiny ? [0.05, 0.3] : [0, 60, 250, 1000])('is sure only of what is right, holding %d m', heldM => {
    const count = { own: 0, ownSure: 0, clear: 0, clearSure: 0, otherSure: 0, otherUnsure: 0, outsideSure: 0 }
    const between = gaps(faces)
    for (const chosen of choices(faces, between)) {
      const own = new Set([...chosen].map(i => faces[i]!.code))
      const { wrong } = ask(createPlaces(held(faces, chosen, between, heldM), heldM), points, (a, want) => {
        if (a.code === null || a.method === 'nearest') {
          if (a.sure) count.outsideSure++
        } else if (!own.has(a.code)) {
          count[a.sure ? 'otherSure' : 'otherUnsure']++
        } else {
          count.own++
          if (a.sure) count.ownSure++
          if ((want.accuracy_m ?? 0) > 240) return
          count.clear++
          if (a.nearSure) count.clearSure++
        }
      })
      expect(wrong).toEqual([])
    }
    // A point in or on an own grid is sure, and with the pack's 250 m all of it is, for circles that are no larger.
    expect(count.own).toBeGreaterThan(300)
    if (heldM > 0) expect(count.ownSure).toBe(count.own)
    if (heldM >= 250) expect(count.clearSure).toBe(count.clear)
    if (heldM === 60 && !torn) {
      expect(count.otherSure).toBeGreaterThan(100)
      expect(count.otherUnsure).toBeGreaterThan(20)
      expect(count.outsideSure).toBeGreaterThan(20)
    }
  })
})

describe('the phone', () => {
  /** A grid about a kilometre across. */
  const square = (code: string, w: number, s: number): HeldShape => {
    const [e, n] = [w + 0.01, s + 0.01]
    const ring = [w, s, e, s, e, n, w, n, w, s]
    return { code, shape: [[[0, 2, 4, 6, 8].map(k => ring.slice(k, k + 2))]] }
  }
  const holding = (...faces: HeldShape[]) =>
    createPlaces(
      faces.map((f, i) => ({ ...f, own: i === 0 })),
      250,
    )

  it('orders codes by bytes, not by units of UTF-16', () => {
    const places = holding(square('\u{1F600}', 120, 30), square('\uFF21', 120.01, 30), square('b', 120, 30.01))
    expect(places.locate(120.01, 30.005)).toMatchObject({ method: 'edge', code: '\uFF21', sure: true })
    expect(places.locate(120.01, 30.01).code).toBe('b')
  })

  it('knows what is no place on earth, and nothing without faces', () => {
    const nowhere = { method: 'unplaced', nearest: null, distanceM: null, sure: true, nearSure: true }
    for (const at of [
      { lon: Number.NaN, lat: 30 },
      { lon: 120, lat: Infinity },
      { lon: 30.2, lat: 120.3 },
    ]) {
      expect(holding(square('a', 120, 30)).locate(at.lon, at.lat)).toMatchObject(nowhere)
    }
    expect(createPlaces([], Infinity).locate(120, 30)).toMatchObject(nowhere)
    expect(createPlaces([], 250).locate(120, 30)).toMatchObject({ method: 'beyond', nearest: null, sure: false })
  })

  it('tells what is beyond, with the nearest that it holds as far as it looks', () => {
    const places = holding(square('a', 120, 30))
    expect(places.locate(119.9985, 30.005)).toMatchObject({ method: 'beyond', code: null, nearest: 'a', sure: false })
    expect(places.locate(119.9989, 30.005)).toMatchObject({ method: 'unplaced', nearest: 'a', sure: true })
    expect(places.locate(119.9996, 30.005)).toMatchObject({ method: 'nearest', code: 'a', sure: true, nearSure: true })
    expect(places.locate(119.9996, 30.005, 220)).toMatchObject({ code: 'a', sure: true, nearSure: false })
    expect(places.locate(119, 30)).toMatchObject({ method: 'beyond', nearest: null, distanceM: null })
  })

  it('is not sure on borders where only some faces came with their microgrids', () => {
    const { faces, points } = sets.find(s => s.faces.some(f => f.parts))!
    const some = faces.map((f, i) => (i % 3 === 0 ? { ...f, own: true } : { ...f, own: true, parts: undefined }))
    const whole = new Set(some.filter(f => f.parts).map(f => f.code))
    const undivided = points.map(p => ({
      ...p,
      says: p.says.map(s => (whole.has(s.code ?? '') ? s : { ...s, microgrid: undefined })),
    }))
    let unsure = 0
    const { wrong, met } = ask(createPlaces(some, Infinity), undivided, a => {
      if (!a.sure) unsure++
    })
    expect(wrong).toEqual([])
    expect(unsure).toBeGreaterThan(met.edge / 2)
    expect(met.inside).toBeGreaterThan(unsure)
  })
})

/** The gap between each two faces in metres: two borders are nearest at a vertex of one. */
function gaps(faces: readonly HeldShape[]): number[][] {
  const outlines = faces.map(f => new Outline(f.code, f.code, f.shape))
  const out = faces.map(() => faces.map(() => Infinity))
  faces.forEach((f, i) => {
    for (const [lon, lat] of new Set(f.shape.flat(2))) {
      const m = new Metric(lon!, lat!)
      outlines.forEach((o, k) => {
        if (o.boxM(m) < out[i]![k]!) out[i]![k] = out[k]![i] = Math.min(out[i]![k]!, o.borderM(m))
      })
    }
  })
  return out
}

/** Own faces: some alone, some with the three nearest. */
function choices(faces: readonly HeldShape[], between: number[][]): Set<number>[] {
  return faces.flatMap((_, i) => {
    if (i % 5 > 1) return []
    const byGap = faces.map((_, k) => k).sort((a, b) => between[i]![a]! - between[i]![b]!)
    return [new Set([i, ...(i % 5 === 0 ? byGap.slice(0, 4) : [])])]
  })
}

function held(faces: Vectors['faces'], own: Set<number>, between: number[][], heldM: number): HeldFace[] {
  return faces.flatMap((f, i) =>
    own.has(i) || [...own].some(o => between[o]![i]! <= heldM) ? [{ ...f, own: own.has(i) }] : [],
  )
}
