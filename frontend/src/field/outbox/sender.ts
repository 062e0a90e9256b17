import { type Command, type Row, type State, stuck } from './command'
import { exchange, type Wire } from './exchange'
import { type Around, type Outcome, type Teller, tellers } from './kinds'
import type { Store } from './store'

/**
 * Why sending came to its end: nothing is left, there is no line, something has to wait until a moment, nobody is signed in or somebody
 * else, or the app is too old for the service.
 */
export type Halt = 'done' | 'line' | 'later' | 'signIn' | 'somebodyElse'

export interface Drained {
  halt: Halt
  /** In ms by this phone's clock; of `later`. */
  nextAt: number | null
}

/** Clocks that agree within this are left alone: an answer tells whole seconds, and takes its time. */
const agreedMs = 60_000

/** How long to wait before the n-th try: 1 s, doubled, at most 5 min. */
export const pauseMs = (tries: number): number => Math.min(300_000, 1000 * 2 ** Math.min(20, Math.max(0, tries - 1)))

/**
 * Tells the service what is in the outbox, one after the other in the order in which it was done. Only one may do so at a time for a
 * store (see `alone`). Whoever is cut off in the middle leaves it so that the next goes on: a command may be told twice, and is done once.
 */
export async function drain(store: Store, wire: Wire, changed: () => void = () => {}): Promise<Drained> {
  let rows = (await store.rows()).filter(open)
  if (rows.length === 0) return { halt: 'done', nextAt: null }
  const who = await whoIsHere(store, wire)
  if ('halt' in who) return who
  const around: Around = {
    wire: { ...wire, person: store.person },
    blob: store.blob,
    async sent(ids) {
      const all = new Map((await store.rows()).map(r => [r.id, r.state]))
      // A receipt that was forgotten since was one of what was sent.
      return ids.filter(id => (all.get(id) ?? 'sent') === 'sent')
    },
    late: ids => keptLate(store, ids),
  }
  const tried = new Set<string>()
  for (;;) {
    rows = (await store.rows()).filter(open)
    const row = await following(store, rows, tried, wire.now())
    if (!row) break
    tried.add(row.id)
    const command = await store.read(row).catch(() => null)
    if (!command) {
      await store.settle(unreadable(row)) // it holds up nothing else, and is told
      changed()
      continue
    }
    // Put right before it is told for the first time, and never again: what is told twice has to be the same.
    const begun: Command = { ...command, state: 'sending', aheadMs: command.aheadMs ?? who.aheadMs }
    await store.settle(begun)
    changed()
    const outcome = await (tellers[row.kind] as Teller<unknown>).tell(begun, around)
    const after = become(begun, outcome, wire.now())
    await store.settle(after, after.state === 'sent' ? [after.id] : [])
    changed()
    if (outcome.is === 'line') return { halt: 'line', nextAt: null }
    if (outcome.is === 'signIn') return { halt: 'signIn', nextAt: null }
    if (outcome.is === 'later' && outcome.all) return { halt: 'later', nextAt: after.next }
  }
  const waiting = rows.filter(r => r.next > wire.now() || tried.has(r.id))
  if (waiting.length === 0) return { halt: 'done', nextAt: null }
  return { halt: 'later', nextAt: Math.min(...waiting.map(r => r.next)) }
}

/** What was damaged on the disk: nobody can tell any more what it was. */
const unreadable = (row: Row): Command => ({
  ...row,
  state: 'refused',
  body: {},
  madeAt: row.changedAt,
  refusal: { status: 0, code: 'unreadable', detail: '' },
})

/** Neither sent nor for somebody to look at. What was being sent when the phone went out is told again. */
const open = (r: Row) => r.state === 'waiting' || r.state === 'sending'

/** Those of these commands that came too late and are kept with the service. */
async function keptLate(store: Store, ids: readonly string[]): Promise<Command[]> {
  const all = await Promise.all(ids.map(id => store.command(id).catch(() => null)))
  return all.filter(c => c !== null).filter(c => c?.state === 'conflict' && c.conflict?.kept)
}

/**
 * The next that may be told. What needs something that was refused goes without it, or is refused itself: it never waits for what will
 * not come.
 */
async function following(store: Store, rows: Row[], tried: ReadonlySet<string>, now: number): Promise<Row | null> {
  const states = new Map<string, State>((await store.rows()).map(r => [r.id, r.state]))
  for (const row of rows) {
    if (tried.has(row.id) || row.next > now) continue
    const teller = tellers[row.kind] as Teller<unknown>
    const needs = row.needs.filter(id => (states.get(id) ?? 'sent') !== 'sent')
    if (needs.some(id => states.get(id) === 'waiting' || states.get(id) === 'sending')) continue
    if (needs.length === 0 || teller.without) return row
    if (teller.afterLate && (await keptLate(store, needs)).length === needs.length) return row
    const command = await store.read(row).catch(() => null)
    const refusal = { status: 0, code: 'not_sent', detail: '' }
    await store.settle(command ? { ...command, state: 'refused', refusal } : unreadable(row))
    states.set(row.id, 'refused')
  }
  return null
}

function become(c: Command, o: Outcome, now: number): Command {
  const { refusal: _r, conflict: _c, ...rest } = c
  switch (o.is) {
    case 'sent':
      return { ...rest, state: 'sent', receipt: o.receipt, next: 0 }
    case 'refused':
      return { ...rest, state: 'refused', refusal: o.refusal, next: 0 }
    case 'conflict':
      return { ...rest, state: 'conflict', conflict: o.conflict, next: 0 }
    case 'later': {
      const tries = c.tries + 1
      return { ...rest, state: 'waiting', tries, next: now + (o.ms ?? pauseMs(tries)) }
    }
    default:
      return { ...rest, state: 'waiting' }
  }
}

/** Asks who is signed in, what the time is, and whether it is the service at all that answers. */
async function whoIsHere(store: Store, wire: Wire): Promise<{ aheadMs: number } | Drained> {
  const asked = wire.now()
  const answer = await exchange(wire, 'GET', '/session')
  const came = wire.now()
  if (answer.is === 'none') return { halt: 'line', nextAt: null }
  if (answer.is === 'problem') {
    if (answer.status === 401) return { halt: 'signIn', nextAt: null }
    if (answer.status === 429 || answer.status >= 500)
      return { halt: 'later', nextAt: came + (answer.afterMs ?? pauseMs(4)) }
    return { halt: 'line', nextAt: null }
  }
  const session = answer.body as { signed_in?: boolean; person?: { id?: string }; must_change_password?: boolean }
  if (typeof session.signed_in !== 'boolean') return { halt: 'line', nextAt: null }
  if (!session.signed_in || session.must_change_password) return { halt: 'signIn', nextAt: null }
  if (session.person?.id !== store.person) return { halt: 'somebodyElse', nextAt: null }
  const ahead = answer.date === null ? 0 : (asked + came) / 2 - (answer.date + 500)
  return { aheadMs: Math.abs(ahead) < agreedMs ? 0 : Math.round(ahead) }
}

/** Puts back into the queue what was refused, once somebody has seen to what was wrong. Its id stays, so it is done once. */
export async function again(store: Store, id: string): Promise<void> {
  const c = await store.command(id)
  if (!c || !stuck(c.state)) return
  const { refusal: _r, conflict: _c, ...rest } = c
  await store.settle({ ...rest, state: 'waiting', tries: 0, next: 0 })
}

/** Runs f where nobody else sends for this person on this phone, in whatever tab or worker; else does nothing and says so. */
export async function alone<T>(store: Pick<Store, 'city' | 'person'>, f: () => Promise<T>): Promise<T | null> {
  const name = `gridgov.field.send.${store.city}.${store.person}`
  return navigator.locks.request(name, { ifAvailable: true }, async lock => (lock ? f() : null))
}
