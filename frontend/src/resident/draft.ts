import { v7 } from 'uuid'
import type { DraftPhoto } from '../field/report/draft'
import type { Channel, ResidentReport } from '../shared/api/types'
import type { Locale } from '../shared/i18n/locale'
import type { Box, Point } from '../shared/map/geo'

/** Where a position comes from, and how far off it may be. */
export interface Spot extends Point {
  accuracyM?: number
  source: 'gps' | 'map' | 'address'
}

export const steps = ['photo', 'item', 'place', 'contact'] as const
export type Step = (typeof steps)[number]

/** How somebody can be reached. The code is not part of it: it is kept nowhere. */
export interface Contact {
  channel: Channel
  to: string
  name: string
}

/** A code that was asked for: where it went, when by this phone's clock in ms, and what the service said of it. */
export interface Asked {
  to: string
  at: number
  againS: number
  ageS: number
}

/** The service has the report; `left` are photos that it does not have yet, and so many it did not take. */
export interface Told {
  num: number
  secret: string
  left: string[]
  lost: number
}

/** A report as it is being told, as it is kept on the phone at each step. Its id is that of the report. */
export interface Draft {
  format: typeof format
  id: string
  startedAt: number
  step: Step
  photos: DraftPhoto[]
  item: string
  spot: Spot | null
  /** The place in words. */
  place: string
  text: string
  contact: Contact
  asked: Asked | null
  told: Told | null
}

/** The present shape of a draft. */
export const format = 2
export const maxText = 1000
export const maxBytes = 8 << 20
/** What nobody goes on with goes after so long. */
export const keptMs = 30 * 86_400_000

export const freshDraft = (now = Date.now()): Draft => ({
  format,
  id: v7(),
  startedAt: now,
  step: 'photo',
  photos: [],
  item: '',
  spot: null,
  place: '',
  text: '',
  contact: { channel: 'sms', to: '', name: '' },
  asked: null,
  told: null,
})

/** Whether anything of it is worth keeping; `given` is the place in words that stood there before anybody wrote. */
export const started = (d: Draft, given = ''): boolean =>
  d.photos.length > 0 ||
  d.item !== '' ||
  d.spot !== null ||
  d.text.trim() !== '' ||
  !['', given.trim()].includes(d.place.trim()) ||
  d.contact.to.trim() !== ''

/** What is missing before the next step. */
export function missing(d: Draft, step: Step): 'place' | 'item' | null {
  if (step === 'place') return d.spot || d.place.trim() ? null : 'place'
  if (step === 'item') return d.item ? null : 'item'
  return null
}

export function within(box: readonly number[] | undefined, p: Point): boolean {
  if (!box) return true
  const [west, south, east, north] = box as Box
  return p.lon >= west && p.lon <= east && p.lat >= south && p.lat <= north
}

export function toReport(d: Draft, code: string, language: Locale): ResidentReport {
  const { spot, contact } = d
  const [place, text, name] = [d.place.trim(), d.text.trim(), contact.name.trim()]
  return {
    id: d.id,
    channel: contact.channel,
    to: contact.to.trim(),
    code: code.trim(),
    item: d.item,
    language,
    ...(spot ? { lon: spot.lon, lat: spot.lat, position_source: spot.source } : {}),
    ...(spot?.accuracyM !== undefined ? { accuracy_m: Math.min(100_000, spot.accuracyM) } : {}),
    ...(place ? { address: place } : {}),
    ...(text ? { text } : {}),
    ...(name ? { name } : {}),
    ...(d.photos.length > 0 ? { photos: d.photos.map(p => ({ id: p.id, bytes: p.size })) } : {}),
  }
}

/**
 * Reads what was kept as a draft: one of this version, or of the first, which had neither photos nor a format. null: it is of a version to
 * come, or no draft at all. Single fields that are not as they should be are left out.
 */
export function readDraft(kept: unknown): Draft | null {
  const k = record(kept)
  if (!k || typeof k.id !== 'string' || !/^[0-9a-f-]{36}$/.test(k.id)) return null
  if (k.format !== undefined && k.format !== format) return null
  const fresh = freshDraft()
  const contact = record(k.contact)
  const photos = Array.isArray(k.photos) ? k.photos.flatMap(p => photoOf(p) ?? []) : []
  return {
    ...fresh,
    id: k.id,
    startedAt: number(k.startedAt) ?? fresh.startedAt,
    step: steps.find(s => s === k.step) ?? 'photo',
    photos,
    item: string(k.item),
    spot: spotOf(k.spot),
    place: string(k.place),
    text: string(k.text),
    contact: {
      channel: contact?.channel === 'email' ? 'email' : 'sms',
      to: string(contact?.to),
      name: string(contact?.name),
    },
    asked: askedOf(k.asked),
    told: toldOf(k.told),
  }
}

const record = (v: unknown): Record<string, unknown> | null =>
  typeof v === 'object' && v !== null && !Array.isArray(v) ? (v as Record<string, unknown>) : null
const string = (v: unknown): string => (typeof v === 'string' ? v : '')
const number = (v: unknown): number | null => (typeof v === 'number' && Number.isFinite(v) ? v : null)

function spotOf(v: unknown): Spot | null {
  const s = record(v)
  const [lon, lat, accuracyM] = [number(s?.lon), number(s?.lat), number(s?.accuracyM)]
  if (lon === null || lat === null) return null
  const source = (['gps', 'map', 'address'] as const).find(o => o === s?.source) ?? 'map'
  return { lon, lat, source, ...(accuracyM === null ? {} : { accuracyM }) }
}

function photoOf(v: unknown): DraftPhoto | null {
  const p = record(v)
  const [size, at] = [number(p?.size), number(p?.at)]
  if (!p || typeof p.id !== 'string' || size === null) return null
  return { id: p.id, type: string(p.type) || 'image/jpeg', size, original: string(p.original), at: at ?? 0 }
}

function askedOf(v: unknown): Asked | null {
  const a = record(v)
  const [at, againS, ageS] = [number(a?.at), number(a?.againS), number(a?.ageS)]
  if (!a || typeof a.to !== 'string' || at === null || againS === null || ageS === null) return null
  return { to: a.to, at, againS, ageS }
}

function toldOf(v: unknown): Told | null {
  const t = record(v)
  const num = number(t?.num)
  if (!t || num === null || typeof t.secret !== 'string') return null
  const left = Array.isArray(t.left) ? t.left.filter(i => typeof i === 'string') : []
  return { num, secret: t.secret, left, lost: number(t.lost) ?? 0 }
}

/** How many seconds until another code may be asked for. A clock that was set back makes nobody wait longer than the service does. */
export function waitS(asked: Asked | null, now: number): number {
  if (!asked) return 0
  const passedS = (now - asked.at) / 1000
  return passedS < 0 ? asked.againS : Math.max(0, Math.ceil(asked.againS - passedS))
}

/** Whether the code that was asked for may still be good. */
export const fresh = (asked: Asked | null, to: string, now: number): boolean =>
  asked !== null && asked.to === to.trim() && now - asked.at < asked.ageS * 1000

/** A secret of a link, as its fragment holds it; null where there is none. */
export function secretOf(hash: string): string | null {
  const secret = hash.replace(/^#/, '')
  return /^[\w-]{43}$/.test(secret) ? secret : null
}
