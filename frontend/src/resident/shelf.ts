import { openStore, type Store } from '../field/outbox/store'
import { type Draft, keptMs, readDraft } from './draft'

/** Where drafts, their photos and what the page needs to begin lie: on the phone, or in memory where the browser keeps nothing. */
export interface Shelf extends Pick<Store, 'putBlob' | 'blob' | 'dropBlobs' | 'putPaper' | 'paper'> {
  /** It is there when the page is opened again. */
  lasting: boolean
  putDraft(d: Draft): Promise<void>
  /** With its photos. */
  dropDraft(d: Pick<Draft, 'id' | 'photos'>): Promise<void>
  /** The latest first, and the ids of those that cannot be opened. */
  drafts(): Promise<{ list: Draft[]; closed: string[] }>
  dropClosed(ids: readonly string[]): Promise<void>
}

/** Another database than those of who has an account: nobody signs in to it. */
export const shelfName = (city: string) => `gridgov.resident.${city}`

export async function openShelf(city: string): Promise<Shelf> {
  let store: Store
  try {
    store = await openStore(city, '', shelfName(city))
  } catch {
    return memoryShelf()
  }
  const shelf: Shelf = {
    lasting: true,
    putBlob: store.putBlob,
    blob: store.blob,
    dropBlobs: store.dropBlobs,
    putPaper: store.putPaper,
    paper: store.paper,
    putDraft: d => store.putDraft(d.id, d),
    async dropDraft(d) {
      await store.dropDraft(d.id)
      await store.dropBlobs(d.photos.map(p => p.id))
    },
    async drafts() {
      const read = (await store.drafts<unknown>()).flatMap(({ value, at }) => {
        const draft = readDraft(value)
        return draft ? [{ draft, at }] : []
      })
      const known = new Set(read.map(r => r.draft.id))
      const old = read.filter(r => r.at < Date.now() - keptMs)
      for (const { draft } of old) await shelf.dropDraft(draft)
      const list = read.filter(r => !old.includes(r)).map(r => r.draft)
      return { list, closed: (await store.draftIds()).filter(id => !known.has(id)) }
    },
    async dropClosed(ids) {
      for (const id of ids) await store.dropDraft(id)
      await store.sweep()
    },
  }
  await store.sweep().catch(() => {}) // what is left over can wait
  return shelf
}

/** As long as the page. */
export function memoryShelf(): Shelf {
  const [files, papers, all] = [new Map<string, Blob>(), new Map<string, unknown>(), new Map<string, Draft>()]
  return {
    lasting: false,
    async putBlob(id, file) {
      files.set(id, file)
    },
    blob: async id => files.get(id) ?? null,
    dropBlobs: async ids => ids.map(id => files.delete(id)),
    async putPaper(name, value) {
      papers.set(name, value)
    },
    paper: async <T>(name: string) => (papers.has(name) ? { value: papers.get(name) as T, at: Date.now() } : null),
    async putDraft(d) {
      all.set(d.id, structuredClone(d))
    },
    async dropDraft(d) {
      all.delete(d.id)
      for (const p of d.photos) files.delete(p.id)
    },
    drafts: async () => ({ list: [...all.values()], closed: [] }),
    async dropClosed() {},
  }
}
