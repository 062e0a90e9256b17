import type { Role } from '../shared/api/types'
import type { PostRole } from '../shared/session/roles'
import { type UnitKind, unitKinds } from './types'

/** Where a role is held: for a jurisdiction of one of the levels, or in a unit of one of the kinds. */
export interface Place {
  levels: readonly Role[]
  units: readonly UnitKind[]
}

const anyLevel = ['city', 'town', 'village', 'grid', 'microgrid'] as const
const area = (...levels: Role[]): Place => ({ levels, units: [] })
const unit = (...units: UnitKind[]): Place => ({ levels: [], units })
const helpers: Place = { levels: anyLevel, units: ['x_force'] }

/** The service decides; the page asks for no more than a role can have (internal/person/rule.go). */
export const placeOf: Record<PostRole, Place> = {
  resident: area('city'),
  volunteer: helpers,
  microgrid_leader: area('microgrid'),
  grid_leader: area('grid'),
  grid_worker: area('grid'),
  auxiliary: unit(...unitKinds),
  officer: unit(...unitKinds),
  unit_member: unit(...unitKinds),
  unit_head: unit(...unitKinds),
  duty_leader: unit(...unitKinds),
  village_secretary: area('village'),
  stationed_officer: area('village'),
  desk: unit('command_center'),
  centre_head: unit('command_center'),
  planner: area('city'),
  committee: unit('enforcement_committee'),
  town_leader: area('town'),
  pro_bono_lawyer: helpers,
  mediator: helpers,
  administrator: area('city'),
  hotline: area(...anyLevel),
  sensor: area(...anyLevel),
  machine: area(...anyLevel),
}

export const machineRoles: readonly PostRole[] = ['hotline', 'sensor', 'machine']
