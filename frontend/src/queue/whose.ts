import type { HeldPost } from '../shared/api/types'

/** Who keeps views for a unit of theirs, and who for all where their post is of the whole city: rows of docs/rights.md. */
export const leads: readonly string[] = ['unit_head', 'duty_leader']
export const heads: readonly string[] = ['centre_head']
export const everywhere: readonly string[] = ['administrator']

/** For whom somebody with these posts may keep views of the queue besides for themselves; the service has the last word. */
export function sharesWith(posts: readonly Pick<HeldPost, 'role' | 'area' | 'unit'>[]): {
  city: boolean
  units: number[]
} {
  const city = posts.some(p => everywhere.includes(p.role) || (heads.includes(p.role) && p.area?.level === 'city'))
  const units = posts.flatMap(p => (p.unit !== undefined && leads.includes(p.role) ? [p.unit] : []))
  return { city, units: [...new Set(units)] }
}
