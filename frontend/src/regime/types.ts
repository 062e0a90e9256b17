import type { components } from '../shared/api/schema'

type Schemas = components['schemas']
export type RegimeVersion = Schemas['RegimeVersion']
export type RegimeKind = RegimeVersion['kind']
export type RegimeDocument = Schemas['RegimeDocument']
export type RegimeFinding = Schemas['RegimeFinding']
export type RegimeTable = Schemas['RegimeTable']
export type NamedUnit = Schemas['NamedUnit']
export type Words = Schemas['Words']
export type OneStopList = Schemas['OneStopList']
export type OneStopItem = Schemas['OneStopItem']
export type OneStopScreening = Schemas['OneStopScreening']
export type OneStopAspect = Schemas['OneStopAspect']
export type OneStopStage = Schemas['OneStopStage']
export type AssignmentRules = Schemas['AssignmentRules']
export type AssignmentRule = Schemas['AssignmentRule']
export type AssignmentParty = Schemas['AssignmentParty']
export type WorkingCalendar = Schemas['WorkingCalendar']
export type CalendarDay = Schemas['CalendarDay']
export type CalendarWeek = Schemas['CalendarWeek']
export type PublicCatalogue = Schemas['PublicCatalogue']

/** What differs between two versions, line by line. */
export interface DiffRow {
  key: string
  change: 'new' | 'gone' | 'changed'
  title: string
  fields: { name: string; before: string; after: string }[]
}
