import { v7 } from 'uuid'
import type { Channel, ResidentReport } from '../shared/api/types'
import type { Locale } from '../shared/i18n'
import type { Box, Point } from '../shared/map/geo'

/** Where a position comes from, and how far off it may be. */
export interface Spot extends Point {
  accuracyM?: number
  source: 'gps' | 'map' | 'address'
}

/** A report as it is being told. The number or address, and the code, are not part of it: they are kept nowhere. */
export interface Draft {
  id: string
  spot: Spot | null
  /** The place in words. */
  place: string
  item: string
  text: string
}

export const maxText = 1000

export const freshDraft = (): Draft => ({ id: v7(), spot: null, place: '', item: '', text: '' })

export const steps = ['place', 'item', 'text', 'contact'] as const
export type Step = (typeof steps)[number]

/** What is missing before the next step. */
export function missing(draft: Draft, step: Step): 'place' | 'item' | null {
  if (step === 'place') return draft.spot || draft.place.trim() ? null : 'place'
  if (step === 'item') return draft.item ? null : 'item'
  return null
}

export function within(box: readonly number[] | undefined, p: Point): boolean {
  if (!box) return true
  const [west, south, east, north] = box as Box
  return p.lon >= west && p.lon <= east && p.lat >= south && p.lat <= north
}

export interface Contact {
  channel: Channel
  to: string
  code: string
  name: string
}

export function toReport(draft: Draft, contact: Contact, language: Locale): ResidentReport {
  const { spot } = draft
  const [place, text, name] = [draft.place.trim(), draft.text.trim(), contact.name.trim()]
  return {
    id: draft.id,
    channel: contact.channel,
    to: contact.to.trim(),
    code: contact.code.trim(),
    item: draft.item,
    language,
    ...(spot ? { lon: spot.lon, lat: spot.lat, position_source: spot.source } : {}),
    ...(spot?.accuracyM !== undefined ? { accuracy_m: spot.accuracyM } : {}),
    ...(place ? { address: place } : {}),
    ...(text ? { text } : {}),
    ...(name ? { name } : {}),
  }
}

const key = (city: string) => `gridgov.report.${city}`

/** The draft of this tab, so that a page that is loaded anew loses nothing. */
export function keptDraft(city: string): Draft {
  try {
    const kept = JSON.parse(sessionStorage.getItem(key(city)) ?? 'null') as Partial<Draft> | null
    if (kept && typeof kept.id === 'string') return { ...freshDraft(), ...kept }
  } catch {
    // Storage is refused, or holds something else: a fresh draft.
  }
  return freshDraft()
}

export function keepDraft(city: string, draft: Draft | null): void {
  try {
    if (draft) sessionStorage.setItem(key(city), JSON.stringify(draft))
    else sessionStorage.removeItem(key(city))
  } catch {
    // As above: the draft then lasts as long as the page.
  }
}

/** A secret of a link, as its fragment holds it; null where there is none. */
export function secretOf(hash: string): string | null {
  const secret = hash.replace(/^#/, '')
  return /^[\w-]{43}$/.test(secret) ? secret : null
}
