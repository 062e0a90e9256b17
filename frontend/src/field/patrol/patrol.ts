import { v7 } from 'uuid'
import { metresBetween } from '../../matter/taken'
import type { components } from '../../shared/api/schema'
import type { VisitBody } from '../outbox/kinds'
import type { NewCommand } from '../outbox/store'
import type { Fix } from '../place/position'

export type PatrolPoint = components['schemas']['PatrolPoint']

/** Who stands no further from a point than this was there, as the service has it. */
export const thereM = 50
/** A position that is worse says nothing about 50 m. */
const worstM = 100
/** A patrol ends by itself after so long: nobody is watched who has forgotten about it. */
export const longestMs = 4 * 3_600_000

export interface Ahead {
  point: PatrolPoint
  /** Null as long as nobody knows where the phone is. */
  m: number | null
  /** Visited here, whether the service has heard of it or not. */
  done: boolean
}

const order: Record<PatrolPoint['state'], number> = { overdue: 0, due: 1, never: 2, ok: 3 }

/** What lies ahead: the nearest first, or without a position what is due first; what was visited last of all. */
export function ahead(points: readonly PatrolPoint[], fix: Fix | null, visited: ReadonlySet<number>): Ahead[] {
  return points
    .map(point => ({ point, m: fix ? metresBetween(fix, point) : null, done: visited.has(point.id) }))
    .toSorted(
      (a, b) =>
        Number(a.done) - Number(b.done) ||
        (a.m ?? 0) - (b.m ?? 0) ||
        order[a.point.state] - order[b.point.state] ||
        a.point.id - b.point.id,
    )
}

/** The points at which somebody stands who has not been there on this patrol. */
export function reached(points: readonly PatrolPoint[], fix: Fix, visited: ReadonlySet<number>): PatrolPoint[] {
  if (fix.accuracyM > worstM) return []
  return points.filter(p => !visited.has(p.id) && metresBetween(fix, p) <= thereM)
}

/** The command that tells a visit: where one stood, when, and nothing of the way. */
export function visitOf(p: PatrolPoint, fix: Fix): NewCommand<VisitBody> {
  const { lon, lat, accuracyM, at } = fix
  return { id: v7(), kind: 'visit', body: { point: p.id, name: p.name, at, lon, lat, accuracyM } }
}
