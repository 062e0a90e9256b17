import { onScopeDispose, reactive } from 'vue'
import type { Wire } from '../field/outbox/exchange'
import type { Draft } from './draft'
import { photosOf, sendPhotos } from './send'
import type { Shelf } from './shelf'

/** How a report's photos fare. `ready` and `lost` count; `done`: nothing is to be waited for any more. */
export interface Delivery {
  num: number
  left: number
  ready: number
  lost: number
  state: 'coming' | 'line' | 'closed' | 'reading' | 'done'
}

const shortMs = 2_000
const longMs = 60_000

/** Sends photos of reports that the service has, whenever there is a line while the page is open. What is done leaves the phone. */
export function useDelivery(wire: Wire, shelf: () => Shelf) {
  const all = reactive(new Map<string, Delivery>())
  const waiting = new Map<string, { draft: Draft; times: number; timer?: ReturnType<typeof setTimeout> }>()
  let over = false

  /** `draft` is of a report that was told. */
  function deliver(draft: Draft): void {
    if (!draft.told || draft.photos.length === 0) {
      void shelf().dropDraft(draft)
      return
    }
    all.set(draft.id, { num: draft.told.num, left: draft.told.left.length, ready: 0, lost: 0, state: 'coming' })
    waiting.set(draft.id, { draft, times: 0 })
    void go(draft.id)
  }

  async function go(id: string): Promise<void> {
    const held = waiting.get(id)
    const shown = all.get(id)
    if (!held || !shown || over) return
    clearTimeout(held.timer)
    held.timer = undefined
    const { draft } = held
    const keep = async () => {
      shown.left = draft.told!.left.length
      await shelf()
        .putDraft(draft)
        .catch(() => {}) // sent again, it is the same
    }
    // Another tab may be at it: then it is looked at again later.
    const sent = await alone(id, () => sendPhotos(wire, shelf(), draft, keep))
    if (sent === 'line' || sent === null) {
      shown.state = 'line'
      return later(id, Math.min(longMs, shortMs * 2 ** held.times++))
    }
    if (sent === 'closed') {
      shown.lost = draft.told!.left.length
      return end(id, 'closed')
    }
    const told = await photosOf(wire, draft.told!.secret)
    const expected = draft.photos.length - draft.told!.lost
    if (!told || told.ready + told.refused < expected) {
      shown.state = 'reading'
      if (held.times++ < 10) return later(id, shortMs)
      return end(id, 'done') // they are with the service: it reads them by itself
    }
    shown.ready = told.ready
    shown.lost = draft.photos.length - told.ready
    end(id, 'done')
  }

  function later(id: string, ms: number): void {
    const held = waiting.get(id)
    if (held && !over) held.timer = setTimeout(() => void go(id), ms)
  }
  function end(id: string, state: 'done' | 'closed'): void {
    const held = waiting.get(id)
    const shown = all.get(id)
    if (shown) shown.state = state
    waiting.delete(id)
    if (held) void shelf().dropDraft(held.draft)
  }

  const online = () => {
    for (const [id, held] of waiting) {
      held.times = 0
      if (held.timer) void go(id)
    }
  }
  addEventListener('online', online)
  onScopeDispose(() => {
    over = true
    removeEventListener('online', online)
    for (const { timer } of waiting.values()) clearTimeout(timer)
  })
  return { all, deliver }
}

/** Runs f where no other tab does for the same; null: one does. Without locks there are no drafts of others either. */
async function alone<T>(id: string, f: () => Promise<T>): Promise<T | null> {
  if (!navigator.locks) return f()
  return navigator.locks.request(`gridgov.resident.send.${id}`, { ifAvailable: true }, async lock =>
    lock ? f() : null,
  )
}
