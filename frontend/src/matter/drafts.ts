import { type Filled, readFilled } from '../center/cases'

/** What somebody was writing about a case: it outlives a reload and a line that breaks, and goes with the browser's tab. */
export interface Writing {
  /** The act whose form is open; null: none. */
  open: string | null
  /** By which an act that is sent twice is done once. */
  key: string
  forms: Record<string, Filled>
  /** Photos that are there and wait to be used. */
  photos: string[]
}

const prefix = (city: string, person: string) => `gridgov.act.${city}.${person}.`

/** Reads what was stored; null where it is nothing of the kind. */
export function readWriting(stored: string | null): Writing | null {
  try {
    const w = JSON.parse(stored ?? 'null') as Partial<Writing> | null
    if (typeof w !== 'object' || w === null || typeof w.key !== 'string' || !Array.isArray(w.photos)) return null
    const forms: Record<string, Filled> = {}
    for (const [act, stored] of Object.entries(w.forms ?? {})) {
      const filled = readFilled(stored)
      if (filled) forms[act] = filled
    }
    const open = typeof w.open === 'string' && forms[w.open] ? w.open : null
    return { open, key: w.key, forms, photos: w.photos.filter(p => typeof p === 'string') }
  } catch {
    return null
  }
}

export function loadWriting(city: string, person: string, ref: string): Writing | null {
  try {
    return readWriting(sessionStorage.getItem(prefix(city, person) + ref))
  } catch {
    return null // Without storage it lives as long as the page.
  }
}

/** null: there is nothing to keep. */
export function storeWriting(city: string, person: string, ref: string, w: Writing | null): void {
  try {
    if (w) sessionStorage.setItem(prefix(city, person) + ref, JSON.stringify(w))
    else sessionStorage.removeItem(prefix(city, person) + ref)
  } catch {
    // As above.
  }
}

/** Who leaves takes along what they were writing. */
export function dropWritings(city: string, person: string): void {
  try {
    for (const k of Object.keys(sessionStorage)) if (k.startsWith(prefix(city, person))) sessionStorage.removeItem(k)
  } catch {
    // As above.
  }
}
