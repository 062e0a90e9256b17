import type { components } from '../shared/api/schema'

type Schemas = components['schemas']
export type Person = Schemas['Person']
export type PersonAccount = Schemas['PersonAccount']
export type IdentityProvider = Schemas['IdentityProvider']
export type IdentityProviderChange = Schemas['IdentityProviderChange']
export type IdentityProviderSettings = Schemas['IdentityProviderSettings']
export type ProviderCheck = Schemas['ProviderCheck']
export type Post = Schemas['Post']
export type NewPost = Schemas['NewPost']
export type PostChange = Schemas['PostChange']
export type Station = Schemas['Station']
export type Right = Schemas['Right']
export type Unit = Schemas['Unit']
export type UnitKind = Unit['kind']
export type PeopleImport = Schemas['PeopleImport']
export type ImportedRow = Schemas['ImportedRow']
export type Token = Schemas['Token']
export type AuditRow = Schemas['AuditRow']
export type OneTimePassword = Schemas['OneTimePassword']

export const stations = ['deputy_secretary', 'assistant_director'] as const satisfies readonly Station[]
export const unitKinds = [
  'town_team',
  'line_department',
  'enforcement_committee',
  'command_center',
  'x_force',
] as const satisfies readonly UnitKind[]
