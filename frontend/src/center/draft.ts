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
  }
}

/** What is sent; null while the spot or the item is missing. */
export function toReport(d: Draft): NewReport | null {
  if (d.lon === null || d.lat === null || d.item === '') return null
  const [title, text] = [d.title.trim(), d.text.trim()]
  return {
    id: d.id,
    source: 'web',
    captured_at: d.capturedAt,
    lon: d.lon,
    lat: d.lat,
    position_source: 'map',
    item: d.item,
    kind: d.kind,
    ...(title ? { title } : {}),
    ...(text ? { text } : {}),
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
    const strings = [whole.id, whole.capturedAt, whole.item, whole.title, whole.text]
    return strings.every(s => typeof s === 'string') && ['inquiry', 'problem', 'conflict'].includes(whole.kind)
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
