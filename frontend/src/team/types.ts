import type { components } from '../shared/api/schema'

type Schemas = components['schemas']
export type Team = Schemas['Team']
export type TeamSummary = Schemas['TeamSummary']
export type TeamMember = Schemas['TeamMember']
export type TeamPost = Schemas['TeamPost']
export type TeamPerson = Schemas['TeamPerson']
export type Vehicle = Schemas['Vehicle']
export type VehicleKind = Schemas['VehicleKind']
export type Roster = Schemas['Roster']
export type RosterFinding = Schemas['RosterFinding']
export type Shift = Schemas['Shift']
export type ShiftKind = Schemas['ShiftKind']
export type Leave = Schemas['Leave']
export type LeaveKind = Schemas['LeaveKind']
export type Swap = Schemas['Swap']
export type TeamHours = Schemas['TeamHours']
export type ForceUnit = Schemas['ForceUnit']

export const shiftKinds = ['duty', 'leader', 'standby'] as const satisfies readonly ShiftKind[]
export const leaveKinds = ['annual', 'sick', 'training', 'other'] as const satisfies readonly LeaveKind[]
export const teamHours = ['always', 'work'] as const satisfies readonly TeamHours[]
export const vehicleKinds = [
  'car',
  'van',
  'motorcycle',
  'electric',
  'truck',
  'boat',
  'drone',
  'other',
] as const satisfies readonly VehicleKind[]
export type Forces = Schemas['Forces']
export type MyDuty = Schemas['MyDuty']

/** The words of one's own that a field holds: between commas, each once, as the service keeps them. */
export function ownWords(text: string): string[] {
  return [...new Set(text.split(/[,，、;；\n]/).map(s => s.trim()))].filter(Boolean)
}
