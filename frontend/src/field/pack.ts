import type { components } from '../shared/api/schema'
import type { CaseRow, City, Report, Session } from '../shared/api/types'
import { type Answer, exchange, type Wire } from './outbox/exchange'
import type { Store } from './outbox/store'
import type { PatrolPoint } from './patrol/patrol'
import { createPlaces, type Places } from './place/places'
import type { HeldCase } from './tasks/tasks'

export type PublicCatalogue = components['schemas']['PublicCatalogue']
export type Ground = components['schemas']['Ground']
export type GroundFace = components['schemas']['GroundFace']

/** What is kept of the city. */
export type CityPaper = Pick<City, 'name' | 'name_en' | 'timezone' | 'bbox' | 'generated' | 'attribution'>

/** What the app reads from, each with when the service said so last. */
export interface Pack {
  ground: Ground | null
  list: PublicCatalogue | null
  city: CityPaper | null
  /** Open cases that the person sees: what there is to do, and what a report may be a second one of. */
  cases: HeldCase[]
  /** Points of patrols in the person's territory. */
  points: PatrolPoint[]
  /** What the person may do, by the service's word. */
  allowed: readonly string[]
  /** In ms; null: it was never whole. */
  at: number | null
}

interface Kept<T> {
  value: T
  etag: string | null
}

export const emptyPack: Pack = { ground: null, list: null, city: null, cases: [], points: [], allowed: [], at: null }

export async function readPack(store: Store): Promise<Pack> {
  const [ground, list, city, cases, points, allowed, whole] = await Promise.all([
    store.paper<Kept<Ground | null>>('ground'),
    store.paper<Kept<PublicCatalogue>>('list'),
    store.paper<Kept<CityPaper>>('city'),
    store.paper<HeldCase[]>('cases'),
    store.paper<PatrolPoint[]>('points'),
    store.paper<string[]>('allowed'),
    store.paper<true>('whole'),
  ])
  return {
    ground: ground?.value.value ?? null,
    list: list?.value.value ?? null,
    city: city?.value.value ?? null,
    cases: cases?.value ?? [],
    points: points?.value ?? [],
    allowed: allowed?.value ?? [],
    at: whole?.at ?? null,
  }
}

/** Why what the app reads from could not be renewed. */
export type Stale = 'line' | 'signIn' | 'service'

/** Renews it. What did not come stays as it was; all of it counts as renewed only where all of it came. */
export async function renewPack(store: Store, wire: Wire): Promise<Stale | null> {
  const before = await store.paper<Kept<Ground | null>>('ground')
  const etag = before?.value.etag ?? undefined
  const [ground, list, city, session, open, patrol] = await Promise.all([
    exchange(wire, 'GET', '/field/ground', undefined, etag),
    exchange(wire, 'GET', '/public/catalogue'),
    exchange(wire, 'GET', '/'),
    exchange(wire, 'GET', '/session'),
    exchange(wire, 'GET', `/cases?limit=${mostCases}`),
    exchange(wire, 'GET', '/patrols/points'),
  ])
  // Who has no ground, and a city without borders, are answered so: that is what is known then.
  const none = ground.is === 'problem' && (ground.status === 403 || ground.status === 404)
  // Who sees no cases has nothing to do here but to report.
  const seesNone = open.is === 'problem' && open.status === 403
  const noPatrol = patrol.is === 'problem' && patrol.status === 403
  const asked = [
    ...(none ? [] : [ground]),
    list,
    city,
    session,
    ...(seesNone ? [] : [open]),
    ...(noPatrol ? [] : [patrol]),
  ]
  const stale = asked.map(why).find(w => w !== null)
  if (stale) return stale
  // Before any of it is kept: it may be somebody else's by now.
  const { person, allowed } = (session as Extract<Answer, { is: 'ok' }>).body as Session
  if (person?.id !== store.person) return 'signIn'
  await store.putPaper('allowed', allowed)
  if (ground.is === 'ok' && ground.status !== 304) await keep(store, 'ground', ground.body as Ground, ground.etag)
  if (none) await keep(store, 'ground', null, null)
  if (list.is === 'ok') await keep(store, 'list', list.body as PublicCatalogue, null)
  if (city.is === 'ok') {
    const { name, name_en, timezone, bbox, generated, attribution } = city.body as City
    await keep(store, 'city', { name, name_en, timezone, bbox, generated, attribution }, null)
  }
  const rows = open.is === 'ok' ? (open.body as { cases: CaseRow[] }).cases.filter(r => !r.partly) : []
  const held = await withTexts(wire, rows)
  if (!held) return 'line'
  await store.putPaper('cases', held)
  await store.putPaper('points', patrol.is === 'ok' ? (patrol.body as { points: PatrolPoint[] }).points : [])
  await store.putPaper('whole', true, wire.now())
  return null
}

/** As many open cases as a phone holds, the first due first; and of as many their words are asked for at once. */
const mostCases = 200
const mostTexts = 100

/** The cases with what was told of them; null where that did not come. */
async function withTexts(wire: Wire, rows: readonly CaseRow[]): Promise<HeldCase[] | null> {
  const told = new Map<number, Report>()
  for (let i = 0; i < rows.length; i += mostTexts) {
    const nums = [...new Set(rows.slice(i, i + mostTexts).map(r => r.num))]
    const answer = await exchange(wire, 'GET', `/reports?id=${nums.join(',')}&limit=${mostTexts}`)
    if (answer.is !== 'ok') return null
    for (const r of (answer.body as { reports: Report[] }).reports) told.set(r.num, r)
  }
  return rows.map(row => {
    const r = told.get(row.num)
    return { row, text: r?.text ?? '', address: r?.address ?? '', ...(r?.voice ? { voice: r.voice } : {}) }
  })
}

const keep = <T>(store: Store, name: string, value: T, etag: string | null) =>
  store.putPaper(name, { value, etag } satisfies Kept<T>)

function why(a: Answer): Stale | null {
  if (a.is === 'ok') return null
  if (a.is === 'none') return 'line'
  return a.status === 401 ? 'signIn' : 'service'
}

/** The faces of the ground, ready to be asked. Where microgrids nest they decide on borders, so those of the neighbours are held too. */
export function placesOf(g: Ground): Places {
  const partsOf = (grid: string) => g.microgrids.filter(m => m.parents[0]?.code === grid)
  const divided = g.microgrids.length > 0
  return createPlaces(
    g.grids.map(f => ({
      code: f.code,
      shape: f.shape,
      own: f.own ?? false,
      ...(divided ? { parts: partsOf(f.code) } : {}),
    })),
    g.around_m,
  )
}
