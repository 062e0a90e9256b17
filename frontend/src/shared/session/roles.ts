/** What may be done, as the service names it. The page asks for what it has a control for. */
export type Action =
  | 'account.own'
  | 'city.view'
  | 'public.report'
  | 'photo.upload'
  | 'field.hold'
  | 'plan.view'
  | 'report.file'
  | 'report.view'
  | 'report.view_unplaced'
  | 'report.position'
  | 'report.unmask'
  | 'case.confirm'
  | 'case.handle'
  | 'case.note'
  | 'case.self_settle'
  | 'case.triage'
  | 'case.verify'
  | 'queue.share'
  | 'team.view'
  | 'duty.own'
  | 'regime.view'
  | 'regime.edit'
  | 'person.view'
  | 'person.edit'
  | 'unit.edit'
  | 'token.edit'
  | 'audit.view'
  | 'setting.edit'
  | 'screening.view'
  | 'proposal.decide'
  | 'investigation.view'
  | 'patrol.view'
  | 'patrol.edit'

/** What a post makes of a person, in the order of the domain; the last three are machines. */
export const postRoles = [
  'resident',
  'volunteer',
  'microgrid_leader',
  'grid_leader',
  'grid_worker',
  'auxiliary',
  'officer',
  'unit_member',
  'unit_head',
  'duty_leader',
  'village_secretary',
  'stationed_officer',
  'desk',
  'centre_head',
  'planner',
  'committee',
  'town_leader',
  'pro_bono_lawyer',
  'mediator',
  'administrator',
  'hotline',
  'sensor',
  'machine',
] as const
export type PostRole = (typeof postRoles)[number]

export function isPostRole(role: string): role is PostRole {
  return (postRoles as readonly string[]).includes(role)
}
