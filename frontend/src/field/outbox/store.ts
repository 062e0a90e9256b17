import { type DBSchema, deleteDB, type IDBPDatabase, openDB } from 'idb'
import { type Command, type Content, format, isFile, type Kind, type Row, type State, unsent } from './command'
import { makeKey, type Sealed, seal, sealJSON, unseal, unsealJSON } from './crypt'

interface Schema extends DBSchema {
  key: { key: 'own'; value: CryptoKey }
  /** Single documents: the pack, what was told of the device. */
  paper: { key: string; value: { sealed: Sealed; at: number } }
  draft: { key: string; value: { id: string; at: number; sealed: Sealed } }
  command: { key: number; value: Row; indexes: { id: string } }
  blob: { key: string; value: { id: string; sealed: Sealed; size: number; at: number } }
}

export interface NewCommand<Body> {
  id: string
  kind: Kind
  body: Body
  needs?: string[]
}

/** Receipts stay for so long. */
const keptMs = 30 * 86_400_000
/** A form that is being written has its photos here before it is kept itself. */
const strayMs = 86_400_000

const nameOf = (city: string, person: string) => `gridgov.field.${city}.${person}`

export type Store = Awaited<ReturnType<typeof openStore>>

/**
 * What one person of one city has on this phone. Who opens it has to know who they are: nothing here tells. Reads of what somebody else
 * has sealed, or what was changed on the disk, reject. `name` is the database's: that of who has no account is another (resident/shelf.ts).
 */
export async function openStore(city: string, person: string, name = nameOf(city, person)) {
  const db = await openDB<Schema>(name, 1, {
    upgrade(db) {
      db.createObjectStore('key')
      db.createObjectStore('paper')
      db.createObjectStore('draft', { keyPath: 'id' })
      db.createObjectStore('blob', { keyPath: 'id' })
      const commands = db.createObjectStore('command', { keyPath: 'seq', autoIncrement: true })
      commands.createIndex('id', 'id', { unique: true })
    },
    // Another tab wants to delete or to renew it: it is not held up.
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  })
  const key = await ownKey(db)

  async function read<Body>(row: Row): Promise<Command<Body>> {
    const { sealed, ...open } = row
    return { ...open, ...(await unsealJSON<Content<Body>>(key, sealed, `command ${row.id}`)) }
  }

  /** Keeps a command, with the files that it brings; all or nothing. It is on disk when this resolves. */
  async function put<Body>(
    fresh: NewCommand<Body>,
    files: ReadonlyMap<string, Blob> = new Map(),
    at = Date.now(),
  ): Promise<void> {
    await putAll([fresh], files, at)
  }

  /** Several in this order: a report and its photos are one act of the person. `draft` goes with them. */
  async function putAll(
    fresh: readonly NewCommand<unknown>[],
    files: ReadonlyMap<string, Blob> = new Map(),
    at = Date.now(),
    draft?: string,
  ): Promise<void> {
    const rows = await Promise.all(
      fresh.map(async (c): Promise<Omit<Row, 'seq'>> => {
        const content: Content = { body: c.body, madeAt: at }
        const sealed = await sealJSON(key, content, `command ${c.id}`)
        const open = { state: 'waiting' as const, needs: c.needs ?? [], tries: 0, next: 0, format, changedAt: at }
        return { id: c.id, kind: c.kind, ...open, sealed }
      }),
    )
    const blobs = await Promise.all([...files].map(([id, file]) => sealedBlob(id, file)))
    const tx = db.transaction(['command', 'blob', 'draft'], 'readwrite', { durability: 'strict' })
    const commands = tx.objectStore('command')
    const work: Promise<unknown>[] = blobs.map(b => tx.objectStore('blob').put(b))
    // IndexedDB gives the numbers, in this order.
    for (const row of rows) work.push(commands.add(row as Row))
    if (draft) work.push(tx.objectStore('draft').delete(draft))
    await Promise.all([...work, tx.done])
  }

  async function sealedBlob(id: string, file: Blob, at = Date.now()) {
    return { id, at, size: file.size, sealed: await seal(key, await file.arrayBuffer(), `blob ${id}`) }
  }

  /**
   * Writes down what became of a command. `drop` are files that are not needed any more: they go in the same transaction, so none goes
   * before it is written that the service has them.
   */
  async function settle(c: Command, drop: readonly string[] = [], at = Date.now()): Promise<void> {
    const { seq, id, kind, state, needs, tries, next, format, changedAt: _, ...content } = c
    const sealed = await sealJSON(key, content satisfies Content, `command ${id}`)
    const tx = db.transaction(['command', 'blob'], 'readwrite', { durability: 'strict' })
    const blobs = tx.objectStore('blob')
    await Promise.all([
      tx.objectStore('command').put({ seq, id, kind, state, needs, tries, next, format, changedAt: at, sealed }),
      ...drop.map(d => blobs.delete(d)),
      tx.done,
    ])
  }

  /** All that is there, in the order in which it was done. */
  const rows = (): Promise<Row[]> => db.getAll('command')

  async function command<Body>(id: string): Promise<Command<Body> | null> {
    const row = await db.getFromIndex('command', 'id', id)
    return row ? read<Body>(row) : null
  }

  /** Throws away what the service will not take, with its files, and receipts that are old. What waits stays. */
  async function discard(ids: readonly string[]): Promise<void> {
    const tx = db.transaction(['command', 'blob'], 'readwrite')
    const commands = tx.objectStore('command')
    for (const id of ids) {
      const row = await commands.index('id').get(id)
      if (!row) continue
      await Promise.all([commands.delete(row.seq), tx.objectStore('blob').delete(id)])
    }
    await tx.done
  }

  async function forgetOld(now = Date.now()): Promise<void> {
    const old = (await rows()).filter(r => r.state === 'sent' && r.changedAt < now - keptMs)
    await discard(old.map(r => r.id))
  }

  /** Files that no draft and no command has for a day go: of a draft that was deleted, or a form that was left. */
  async function sweep(now = Date.now()): Promise<void> {
    const used = new Set((await rows()).map(r => r.id))
    for (const d of await drafts<{ photos?: { id: string }[]; voice?: { id: string } | null }>())
      for (const f of [...(d.value.photos ?? []), d.value.voice]) if (f) used.add(f.id)
    const tx = db.transaction('blob', 'readwrite')
    for (let c = await tx.store.openCursor(); c; c = await c.continue())
      if (!used.has(c.value.id) && c.value.at < now - strayMs) await c.delete()
    await tx.done
  }

  /** The latest first. */
  async function drafts<T>(): Promise<{ id: string; at: number; value: T }[]> {
    const all = await db.getAll('draft')
    const opened = all.map(async ({ id, at, sealed }) => {
      const value = await unsealJSON<T>(key, sealed, `draft ${id}`).catch(() => null) // damaged: the others can be gone on with
      return value ? [{ id, at, value }] : []
    })
    return (await Promise.all(opened)).flat().sort((a, b) => b.at - a.at)
  }

  return {
    city,
    person,
    sweep,
    drafts,
    put,
    putAll,
    rows,
    read,
    command,
    settle,
    discard,
    forgetOld,
    async counts(): Promise<Record<State, number>> {
      const out: Record<State, number> = { waiting: 0, sending: 0, sent: 0, refused: 0, conflict: 0 }
      for (const r of await rows()) out[r.state]++
      return out
    },
    async putBlob(id: string, file: Blob): Promise<void> {
      await db.put('blob', await sealedBlob(id, file))
    },
    async blob(id: string, type: string): Promise<Blob | null> {
      const kept = await db.get('blob', id)
      return kept ? new Blob([await unseal(key, kept.sealed, `blob ${id}`)], { type }) : null
    },
    dropBlobs: (ids: readonly string[]): Promise<unknown> => Promise.all(ids.map(id => db.delete('blob', id))),
    async putPaper(name: string, value: unknown, at = Date.now()): Promise<void> {
      await db.put('paper', { at, sealed: await sealJSON(key, value, `paper ${name}`) }, name)
    },
    async paper<T>(name: string): Promise<{ value: T; at: number } | null> {
      const kept = await db.get('paper', name)
      if (!kept) return null
      // Damaged is as good as never read: it comes anew with the next line.
      const value = await unsealJSON<T>(key, kept.sealed, `paper ${name}`).catch(() => null)
      return value === null ? null : { value, at: kept.at }
    },
    async putDraft(id: string, value: unknown, at = Date.now()): Promise<void> {
      await db.put('draft', { id, at, sealed: await sealJSON(key, value, `draft ${id}`) })
    },
    /** Of all that are there, those too that cannot be read. */
    draftIds: (): Promise<string[]> => db.getAllKeys('draft'),
    dropDraft: (id: string): Promise<void> => db.delete('draft', id),
    close: () => db.close(),
  }
}

/** The key that is there, or a new one; of two tabs that make one at once both take the first. */
async function ownKey(db: IDBPDatabase<Schema>): Promise<CryptoKey> {
  const there = await db.get('key', 'own')
  if (there) return there
  const made = await makeKey()
  const tx = db.transaction('key', 'readwrite', { durability: 'strict' })
  const first = await tx.store.get('own')
  if (!first) await tx.store.put(made, 'own')
  await tx.done
  return first ?? made
}

/** How much people but this one have here that the service does not have, without reading any of it. */
export async function unsentOfOthers(city: string, person: string): Promise<number> {
  const prefix = nameOf(city, '')
  let n = 0
  for (const { name } of await indexedDB.databases()) {
    if (!name?.startsWith(prefix) || name === nameOf(city, person)) continue
    const store = await openStore(city, name.slice(prefix.length))
    n += (await store.rows()).filter(r => !isFile(r.kind) && unsent(r.state)).length
    store.close()
  }
  return n
}

/** Deletes everything of a person here, the key first of all: what a disk may still hold of it is noise. */
export async function destroyStore(city: string, person: string): Promise<void> {
  const db = await openDB<Schema>(nameOf(city, person))
  if (db.objectStoreNames.contains('key')) await db.clear('key')
  db.close()
  await deleteDB(nameOf(city, person))
}
