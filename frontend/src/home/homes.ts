import type { HeldPost, JurisdictionRef, Session } from '../shared/api/types'
import type { Box } from '../shared/map/geo'
import type { PostRole } from '../shared/session/roles'

/** What a person's page is set up for. */
export type HomeType =
  | 'live' // a command centre's: the live map, and what lies in no grid
  | 'grid'
  | 'village'
  | 'team' // the town that a unit answers for
  | 'matters' // of a unit without a territory: what it leads or supports
  | 'plans' // boundaries and how they came about
  | 'months' // heat, month by month
  | 'own' // what one told
  | 'people'
  | 'machine' // a machine account: there is no page for it
  | 'none' // no post in force
  | 'public' // who has not signed in, where the map is open

export type ListName = 'reports' | 'unplaced' | 'plans' | 'months'

export interface Home {
  /** Tells a person's homes apart and stays the same over time. */
  key: string
  type: HomeType
  /** The post that it is the home of. */
  post: HeldPost | null
  /** The territory it is framed to; null: the whole city. */
  area: JurisdictionRef | null
  bbox: Box | null
}

/** How a home sets up the one frame. */
export interface Setup {
  /** The lists of the left pane, the one that opens first. */
  lists: readonly ListName[]
  /** There are numbers, heat and a time bar to it: the home has a territory. */
  counted: boolean
  /** The head says how the week was. */
  week: boolean
  /** The heat is drawn when the page opens. */
  heat: boolean
}

const territory: Setup = { lists: ['reports'], counted: true, week: true, heat: true }
const apart: Setup = { lists: ['reports'], counted: false, week: false, heat: false }
const bare: Setup = { ...apart, lists: [] }

export const setups: Record<HomeType, Setup> = {
  live: { lists: ['reports', 'unplaced'], counted: true, week: false, heat: true },
  grid: territory,
  village: territory,
  team: territory,
  matters: apart,
  plans: { lists: ['plans', 'reports'], counted: true, week: false, heat: false },
  months: { lists: ['months', 'reports'], counted: true, week: false, heat: true },
  own: apart,
  people: { lists: ['reports', 'unplaced'], counted: true, week: false, heat: true },
  machine: bare,
  none: bare,
  public: bare,
}

/** The home of each role; a unit's people are at home in its town, or, without one, at what it leads or supports. */
const byRole: Record<PostRole, HomeType> = {
  resident: 'own',
  volunteer: 'own',
  microgrid_leader: 'grid',
  grid_leader: 'grid',
  grid_worker: 'grid',
  auxiliary: 'team',
  officer: 'team',
  unit_member: 'team',
  unit_head: 'team',
  duty_leader: 'team',
  village_secretary: 'village',
  stationed_officer: 'village',
  desk: 'live',
  centre_head: 'live',
  planner: 'plans',
  committee: 'months',
  town_leader: 'months',
  pro_bono_lawyer: 'own',
  mediator: 'own',
  administrator: 'people',
  hotline: 'machine',
  sensor: 'machine',
  machine: 'machine',
}

export function homeOf(post: HeldPost): Home {
  let type = byRole[post.role as PostRole] ?? 'none'
  if (type === 'team' && !post.area) type = 'matters'
  const framed = type !== 'own' && type !== 'matters' && type !== 'machine'
  return {
    key: String(post.id),
    type,
    post,
    area: (framed && post.area) || null,
    bbox: framed && post.bbox?.length === 4 ? (post.bbox as Box) : null,
  }
}

/** A person's homes, one a post in force; there is always one. Those that are a page come first. */
export function homesOf(session: Session): Home[] {
  const bareHome = (type: 'public' | 'none'): Home => ({ key: type, type, post: null, area: null, bbox: null })
  if (!session.signed_in) return [bareHome('public')]
  const homes = session.posts.map(homeOf)
  if (homes.length === 0) return [bareHome('none')]
  return [...homes.filter(h => h.type !== 'machine'), ...homes.filter(h => h.type === 'machine')]
}

/** The home a person chose, if they still have it, else their first. */
export function chosenHome(homes: readonly Home[], key: string | null): Home {
  return homes.find(h => h.key === key) ?? homes[0]!
}

/** What a person sees reaches beyond the home: they hold other posts with a territory. */
export function beyond(homes: readonly Home[], home: Home): boolean {
  return homes.some(h => h.key !== home.key && setups[h.type].counted && h.area?.code !== home.area?.code)
}
