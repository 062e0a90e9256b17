import { v7 } from 'uuid'
import { reactive, watch } from 'vue'
import type { Kind, NewReport } from '../shared/api/types'

/** A report being written. It outlives errors and reloads, and keeps its id, so that sending it again never doubles it. */
export interface Draft {
  id: string
  capturedAt: string
  lon: number | null
  lat: number | null
  item: string
  kind: Kind
  title: string
  text: string
  /** Ids of photos that are ready. */
  photos: string[]
}

export function freshDraft(now: Date, random: () => string = v7): Draft {
  return {
    id: random(),
    capturedAt: `${now.toISOString().slice(0, 19)}Z`,
    lon: null,
    lat: null,
    item: '',
    kind: 'problem',
    title: '',
    text: '',
    photos: [],
  }
}

/** Who calls, in whose stead a desk files. It is no part of the draft: it is in memory alone, and goes with the page. */
export interface Caller {
  /** Whether somebody calls at all. */
  on: boolean
  name: string
  phone: string
  email: string
}

export const freshCaller = (): Caller => ({ on: false, name: '', phone: '', email: '' })

/** What is wrong with how a caller can be reached, as the service would say. */
export function callerFault(c: Caller): 'bad_phone' | 'bad_email' | null {
  const phone = c.phone.normalize('NFKC').trim()
  const [number = '', extension, more] = phone.toLowerCase().split(/ext|[#x转]/)
  const digits = (text: string) => text.replace(/\D/g, '').length
  const sound = /^[\s\p{Pd}()./·]*\+?[\d\s\p{Pd}()./·]*$/u.test(number) && digits(number) >= 3 && digits(number) <= 20
  const behind =
    extension === undefined ||
    (/^[\d\s\p{Pd}()./·]*$/u.test(extension) && /^\d{1,6}$/.test(extension.replace(/\D/g, '')))
  if (phone && !(sound && behind && more === undefined)) return 'bad_phone'
  const email = c.email.normalize('NFKC').trim()
  return email && !/^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u.test(email) ? 'bad_email' : null
}

/** What is sent; null while the spot or the item is missing. */
export function toReport(d: Draft, caller: Caller = freshCaller()): NewReport | null {
  if (d.lon === null || d.lat === null || d.item === '') return null
  const [title, text] = [d.title.trim(), d.text.trim()]
  const told = Object.entries({ name: caller.name, phone: caller.phone, email: caller.email })
    .map(([field, value]) => [field, value.trim()] as const)
    .filter(([, value]) => value !== '')
  return {
    id: d.id,
    source: caller.on ? 'hotline' : 'web',
    captured_at: d.capturedAt,
    lon: d.lon,
    lat: d.lat,
    position_source: 'map',
    item: d.item,
    kind: d.kind,
    ...(title ? { title } : {}),
    ...(text ? { text } : {}),
    ...(d.photos.length > 0 ? { photos: d.photos } : {}),
    ...(caller.on && told.length > 0 ? { reporter: Object.fromEntries(told) } : {}),
  }
}

const draftKey = (city: string, person: string) => `gridgov.draft.${city}.${person}`

/** Who leaves takes along what they were writing. */
export function dropDraft(city: string, person: string): void {
  try {
    sessionStorage.removeItem(draftKey(city, person))
  } catch {
    // Without storage there is none.
  }
}

/** Reads a stored draft; null where it is none. */
export function readDraft(stored: string | null): Draft | null {
  try {
    const d: unknown = JSON.parse(stored ?? 'null')
    if (typeof d !== 'object' || d === null) return null
    const whole = { ...freshDraft(new Date(0)), ...d } as Draft
    const strings = [whole.id, whole.capturedAt, whole.item, whole.title, whole.text, ...whole.photos]
    return Array.isArray(whole.photos) &&
      strings.every(s => typeof s === 'string') &&
      ['inquiry', 'problem', 'conflict'].includes(whole.kind)
      ? whole
      : null
  } catch {
    return null
  }
}

/** What a person is writing in a city, kept for the browser tab. */
export function useDraft(city: string, person: string): Draft {
  const key = draftKey(city, person)
  let stored: string | null = null
  try {
    stored = sessionStorage.getItem(key)
  } catch {
    // Without storage the draft lives as long as the page.
  }
  const draft = reactive(readDraft(stored) ?? freshDraft(new Date()))
  watch(draft, d => {
    try {
      sessionStorage.setItem(key, JSON.stringify(d))
    } catch {
      // As above.
    }
  })
  return draft
}
