import { computed, type InjectionKey, inject, readonly, ref, shallowRef } from 'vue'
import type { Session } from '../shared/api/types'
import { keep, kept } from '../shared/prefs'
import { turnOffPush } from './notices/push'
import { isFile, type Row, stuck } from './outbox/command'
import { exchange, type Wire } from './outbox/exchange'
import { alone, drain, type Halt } from './outbox/sender'
import { destroyStore, openStore, type Store, unsentOfOthers } from './outbox/store'
import { emptyPack, type Pack, readPack, renewPack, type Stale } from './pack'
import { forgetItems } from './report/items'
import { askForSync, hear, tell } from './signals'

export interface Person {
  id: string
  name: string
}

/** `starting`; `nobody`: somebody has to sign in; `broken`: the browser keeps nothing. */
export type Phase = 'starting' | 'nobody' | 'broken' | 'ready'

export type Field = ReturnType<typeof createField>
const key: InjectionKey<Field> = Symbol('field')
export const fieldKey = key

export function useField(): Field {
  const field = inject(key)
  if (!field) throw new Error('the field app is provided by main.ts')
  return field
}

/** Renewed by itself after so long, where there is a line. */
const freshMs = 3_600_000

/** The state of the app: who uses this phone, what is kept, and what has become of it. */
export function createField(city: string) {
  const wire: Wire = { fetch: (url, init) => fetch(url, init), now: () => Date.now(), api: `/${city}/v1` }
  const phase = ref<Phase>('starting')
  const store = shallowRef<Store | null>(null)
  const person = shallowRef<Person | null>(null)
  const pack = shallowRef<Pack>(emptyPack)
  const online = ref(navigator.onLine)
  const halt = ref<Halt | null>(null)
  const sending = ref(false)
  const counts = shallowRef({ waiting: 0, stuck: 0, told: 0 })
  /** What other people have on this phone that the service does not have: they alone can send it. */
  const others = ref(0)
  /** Grows whenever something in the outbox is otherwise than before. */
  const turned = ref(0)
  const renewing = ref(false)
  const stale = ref<Stale | null>(null)
  let timer: ReturnType<typeof setTimeout> | undefined
  let failures = 0

  const who = `fieldwork-who-${city}`
  /** Somebody has signed out here while there was no line: the service is to hear of it before anything else. */
  const leaving = `fieldwork-leaving-${city}`

  async function start(): Promise<void> {
    const id = kept(who)
    if (!id) await findPerson()
    else if (await open({ id, name: '' })) await catchUp()
  }

  /** Nobody is known on this phone: whoever is signed in is taken. */
  async function findPerson(): Promise<void> {
    phase.value = 'starting'
    const now = (await endedSession()) ? await signedIn() : null
    if (!now) phase.value = 'nobody'
    else if (await open(now)) await catchUp()
  }

  /** Ends the session that somebody has left without a line; false where that cannot be done yet. */
  async function endedSession(): Promise<boolean> {
    if (!kept(leaving)) return true
    const answer = await exchange(wire, 'DELETE', '/session')
    if (answer.is === 'none') return false
    keep(leaving, '')
    return true
  }

  /** Who is signed in by the service's word; null: nobody, or it does not say. */
  async function signedIn(): Promise<Person | null> {
    const answer = await exchange(wire, 'GET', '/session')
    const s = answer.is === 'ok' ? (answer.body as Session) : null
    if (!s?.signed_in || !s.person || s.must_change_password || s.needs_second_factor) return null
    return { id: s.person.id, name: s.person.name }
  }

  async function open(p: Person): Promise<boolean> {
    try {
      const opened = await openStore(city, p.id)
      const known = await opened.paper<Person>('person')
      store.value = opened
      pack.value = await readPack(opened)
      if (p.name) await opened.putPaper('person', p)
      person.value = p.name ? p : (known?.value ?? p)
      keep(who, p.id)
      halt.value = null
      stale.value = null
      await opened.forgetOld()
      await opened.sweep()
      others.value = await unsentOfOthers(city, p.id)
      await count()
      phase.value = 'ready'
      // Asked for, so that the system does not clear it when room is scarce; whether it grants that is its own.
      void navigator.storage?.persist?.()
      return true
    } catch {
      phase.value = 'broken'
      return false
    }
  }

  /** How many of what came too late the service has kept: nothing is lost with them. */
  async function keptWithService(rows: readonly Row[]): Promise<number> {
    const late = rows.filter(r => r.state === 'conflict')
    const kept = await Promise.all(late.map(r => store.value?.read(r).catch(() => null)))
    return kept.filter(c => c?.conflict?.kept).length
  }

  async function count(): Promise<void> {
    const rows = (await store.value?.rows()) ?? []
    const before = counts.value.stuck
    const told = await keptWithService(rows)
    counts.value = {
      waiting: rows.filter(r => !isFile(r.kind) && (r.state === 'waiting' || r.state === 'sending')).length,
      stuck: rows.filter(r => !isFile(r.kind) && stuck(r.state)).length,
      told,
    }
    turned.value++
    // Somebody was quicker, or a right has ended: what the phone holds is older than that.
    if (phase.value === 'ready' && counts.value.stuck > before) void renew()
  }

  /**
   * Sends what waits, and renews what is old. Where somebody else has signed in on this phone, it is theirs from then on: what the one
   * before has left stays sealed, and goes when they come back.
   */
  async function catchUp(): Promise<void> {
    const now = await signedIn()
    if (now && now.id !== store.value?.person && !(await open(now))) return
    await send()
    if (pack.value.at === null || wire.now() - pack.value.at > freshMs) await renew()
  }

  async function send(): Promise<void> {
    const opened = store.value
    if (!opened || sending.value) return
    clearTimeout(timer)
    sending.value = true
    try {
      const result = await alone(opened, () =>
        drain(opened, wire, () => {
          void count()
          tell(city)
        }),
      )
      if (!result || store.value !== opened) return // another tab or the worker is at it, and tells; or it is somebody else's now
      halt.value = result.halt
      failures = result.halt === 'line' ? failures + 1 : 0
      const inMs =
        result.halt === 'later' && result.nextAt !== null
          ? result.nextAt - wire.now()
          : result.halt === 'line'
            ? Math.min(300_000, 1000 * 2 ** Math.min(failures, 12))
            : null
      if (inMs !== null) timer = setTimeout(() => void send(), Math.max(500, inMs))
    } catch (e) {
      if (store.value === opened) throw e // who left has closed it
      return
    } finally {
      sending.value = false
      await count()
    }
    if (halt.value === 'somebodyElse') return catchUp()
    // What came while the last one was under way.
    const rows = await opened.rows()
    if (halt.value === 'done' && rows.some(r => r.state === 'waiting' && r.next <= wire.now() && ready(r, rows)))
      void send()
  }
  const ready = (r: { needs: string[] }, rows: { id: string; state: string }[]) =>
    r.needs.every(id => rows.find(o => o.id === id)?.state !== 'waiting')

  /** Something was put into the outbox: it goes now, or when the system finds a line. */
  function keptOne(): void {
    void count()
    tell(city)
    askForSync()
    failures = 0
    void send()
  }

  async function renew(): Promise<void> {
    const opened = store.value
    if (!opened || renewing.value) return
    renewing.value = true
    try {
      const why = await renewPack(opened, wire)
      if (store.value !== opened) return
      stale.value = why
      pack.value = await readPack(opened)
    } finally {
      renewing.value = false
    }
  }

  /** Signs out. `keepRest`: what was not delivered stays, for the same person alone; else all goes. */
  async function leave(keepRest: boolean): Promise<void> {
    const opened = store.value
    if (!opened) return
    clearTimeout(timer)
    await turnOffPush()
    keep(leaving, 'yes')
    await endedSession()
    forget()
    opened.close()
    if (keepRest) return
    forgetItems(city, opened.person)
    await destroyStore(city, opened.person)
  }
  function forget(): void {
    keep(who, '')
    store.value = null
    person.value = null
    pack.value = emptyPack
    counts.value = { waiting: 0, stuck: 0, told: 0 }
    halt.value = null
    phase.value = 'nobody'
  }

  addEventListener('online', () => {
    online.value = true
    failures = 0
    void (store.value ? catchUp() : findPerson())
  })
  addEventListener('offline', () => {
    online.value = false
  })
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && phase.value === 'ready') void catchUp()
  })
  hear(city, () => void count())

  return {
    city,
    wire,
    phase: readonly(phase),
    store,
    person: readonly(person),
    pack: readonly(pack) as Readonly<typeof pack>,
    online: readonly(online),
    halt: readonly(halt),
    sending: readonly(sending),
    counts: readonly(counts),
    others: readonly(others),
    turned: readonly(turned),
    renewing: readonly(renewing),
    stale: readonly(stale),
    zone: computed(() => pack.value.city?.timezone ?? 'Asia/Shanghai'),
    start,
    findPerson,
    keptOne,
    send,
    renew,
    leave,
  }
}
