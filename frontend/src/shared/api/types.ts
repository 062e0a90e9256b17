import type { components } from './schema'

type Schemas = components['schemas']
export type City = Schemas['City']
export type Item = Schemas['Item']
export type Role = Schemas['Role']
export type Kind = Schemas['Kind']
export type Source = Schemas['Source']
export type Report = Schemas['Report']
export type CaseDetail = Schemas['CaseDetail']
export type NewAct = Schemas['NewAct']
export type CaseRow = Schemas['CaseRow']
export type CaseState = Schemas['CaseState']
export type QueueFilter = Schemas['QueueFilter']
export type QueueView = Schemas['QueueView']
export type Batch = Schemas['Batch']
export type Duplicate = Schemas['Duplicate']
export type Neighbour = Schemas['Neighbour']
export type Unit = Schemas['Unit']
export type MaskedReporter = Schemas['MaskedReporter']
export type UnmaskedReporter = Schemas['UnmaskedReporter']
export type NewReport = Schemas['NewReport']
export type Placement = Schemas['Placement']
export type Located = Schemas['Located']
export type Jurisdiction = Schemas['Jurisdiction']
export type JurisdictionRef = Schemas['JurisdictionRef']
export type Counts = Schemas['Counts']
export type Found = Schemas['Found']
export type Effect = Schemas['Effect']
export type Hotspot = Schemas['Hotspot']
export type HotspotMap = Schemas['HotspotMap']
export type HotspotDetail = Schemas['HotspotDetail']
export type Screening = Schemas['Screening']
export type ProposalRow = Schemas['ProposalRow']
export type Proposal = Schemas['Proposal']
export type Investigation = Schemas['Investigation']
export type Investigator = Schemas['Investigator']
export type DecisionMade = Schemas['DecisionMade']
export type PlaceRef = Schemas['PlaceRef']
export type Channel = Schemas['Channel']
export type ReportOptions = Schemas['ReportOptions']
export type CodeSent = Schemas['CodeSent']
export type ResidentReport = Schemas['ResidentReport']
export type ToldReport = Schemas['ToldReport']
export type PublicVillage = Schemas['PublicVillage']
export type FollowedReport = Schemas['FollowedReport']
export type MessageSettings = Schemas['MessageSettings']
export type OutboxMessage = Schemas['OutboxMessage']
export type Notice = Schemas['Notice']
export type Webhook = Schemas['Webhook']
export type WebhookDelivery = Schemas['WebhookDelivery']
export type Problem = Schemas['Problem']
export type Plan = Schemas['Plan']
export type Session = Schemas['Session']
export type HeldPost = Schemas['HeldPost']
export type DemoAccount = Schemas['DemoAccount']
export type Credentials = Schemas['Credentials']
export type Account = Schemas['Account']
export type AccountSession = Schemas['AccountSession']

/** A city as `GET /cities` lists it. */
export interface CityEntry {
  code: string
  name: string
  name_en?: string
  timezone: string
  generated: boolean
}

export const roles = ['city', 'town', 'village', 'grid', 'microgrid'] as const satisfies readonly Role[]
export const kinds = ['problem', 'inquiry', 'conflict'] as const satisfies readonly Kind[]
export const sources = ['phone', 'hotline', 'web', 'patrol', 'sensor', 'import'] as const satisfies readonly Source[]
export type Settler = Schemas['CaseSettledBy']
export const caseStates = [
  'reported',
  'confirming',
  'self_settled',
  'accepted',
  'filed',
  'dispatched',
  'returned',
  'received',
  'disposing',
  'suspended',
  'fed_back',
  'rework',
  'verified',
  'closed',
  'evaluated',
  'rejected',
  'merged',
  'voided',
] as const satisfies readonly CaseState[]
export const settlers = ['village_onsite', 'town_team', 'committee'] as const satisfies readonly Settler[]
