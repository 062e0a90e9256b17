import { v7 } from 'uuid'
import { computed, onScopeDispose, reactive } from 'vue'
import { ApiError } from '../shared/api/client'
import { type Send, send, UploadFault, upload } from './tus'

/** What the service tells of a photo once it was read. */
export interface Read {
  state: 'uploading' | 'ready' | 'refused'
  refusal?: string
  taken_at?: string
  lon?: number
  lat?: number
}

/** Where photos go: somebody's own uploads, or those of who has a report's link. */
export interface Lane {
  uploads: string
  headers?: Record<string, string>
  look: (id: string, signal: AbortSignal) => Promise<Read>
  /** Where a small picture of it is once it is ready. */
  thumbnail: (id: string) => string | null
}

/** `broken`: the line is, and it goes on by itself; `reading`: all of it is there, and is looked at. */
export type PhotoState = 'waiting' | 'sending' | 'broken' | 'reading' | 'ready' | 'refused'

export interface Item {
  id: string
  name: string
  size: number
  state: PhotoState
  /** Bytes that are there. */
  sent: number
  /** Why it was refused. */
  code: Refusal | null
  /** A picture to show; null where the browser has none yet. */
  picture: string | null
  read: Read | null
}

export const refusals = [
  'not_a_photo',
  'damaged',
  'animated',
  'too_many_pixels',
  'unsupported',
  'too_slow',
  'file_missing',
  'too_large',
  'too_many_uploads',
  'too_many_photos',
  'no_photo_store',
  'not_allowed',
  'case_state',
  'other',
] as const
export type Refusal = (typeof refusals)[number]

/** What the service takes at most. */
export const maxBytes = 20_971_520
/** What a file's window offers. Many systems know HEIC by its ending alone. */
export const accepted = 'image/jpeg,image/png,image/webp,image/heic,image/heif,.heic,.heif'
/** Browsers that cannot draw it show nothing until the service has made a picture of it. */
const drawn = ['image/jpeg', 'image/png', 'image/webp']

export function refusalOf(code: string | undefined): Refusal {
  return refusals.find(r => r === code) ?? 'other'
}

/** What is wrong with a file before any of it is sent. */
export function faultOf(file: { size: number; type: string }): Refusal | null {
  if (file.size > maxBytes) return 'too_large'
  return file.size === 0 || (file.type !== '' && !file.type.startsWith('image/')) ? 'not_a_photo' : null
}

/** How much has come, in whole per cent; the whole is said only when it is there. */
export const percent = (i: Pick<Item, 'sent' | 'size'>): number =>
  Math.min(99, Math.floor((100 * i.sent) / Math.max(1, i.size)))

export type Photos = ReturnType<typeof usePhotos>

/** Photos on their way, one after the other: each is sent, read, and then ready to be used. */
export function usePhotos(options: { lane: () => Lane; max: number; send?: Send }) {
  const list = reactive<Item[]>([])
  const files = new Map<string, File>()
  const stops = new Map<string, AbortController>()
  /** Ends the waiting of whoever waits for the line. */
  const nudges = new Set<() => void>()
  let working = false

  function add(chosen: Iterable<File>): void {
    for (const file of chosen) {
      if (list.length >= options.max) return
      const code = faultOf(file)
      const picture = !code && drawn.includes(file.type) ? URL.createObjectURL(file) : null
      const id = v7()
      list.push({
        id,
        name: file.name,
        size: file.size,
        state: code ? 'refused' : 'waiting',
        sent: 0,
        code,
        picture,
        read: null,
      })
      if (!code) files.set(id, file)
    }
    void work()
  }

  /** Photos that are there already: of a form that was written before the page was loaded anew. */
  function adopt(ids: readonly string[]): void {
    for (const id of ids.slice(0, options.max - list.length)) {
      if (list.some(i => i.id === id)) continue
      list.push({ id, name: '', size: 1, state: 'reading', sent: 1, code: null, picture: null, read: null })
      void settle(list.find(i => i.id === id)!)
    }
  }

  async function work(): Promise<void> {
    if (working) return
    working = true
    try {
      for (;;) {
        const next = list.find(i => i.state === 'waiting')
        if (!next) return
        await one(next)
      }
    } finally {
      working = false
    }
  }

  async function one(item: Item): Promise<void> {
    const stop = new AbortController()
    stops.set(item.id, stop)
    item.state = 'sending'
    try {
      const { uploads: at, headers } = options.lane()
      const file = files.get(item.id)!
      await upload(
        { at, headers, id: item.id, file },
        {
          send: options.send ?? send,
          progress(bytes) {
            item.sent = bytes
            item.state = bytes >= item.size ? 'reading' : 'sending'
          },
          broken(times, signal) {
            item.state = 'broken'
            return pause(Math.min(30_000, 500 * 2 ** times), signal)
          },
        },
        stop.signal,
      )
      item.sent = item.size
      item.state = 'reading'
      // Whether it is read in the same moment or by a later sweep, the next may be sent meanwhile.
      void settle(item)
    } catch (e) {
      if (!stop.signal.aborted) refuse(item, e)
    }
  }

  /** Waits until the photo was read. */
  async function settle(item: Item): Promise<void> {
    const stop = stops.get(item.id) ?? new AbortController()
    stops.set(item.id, stop)
    try {
      for (let times = 0; ; times++) {
        try {
          const read = await options.lane().look(item.id, stop.signal)
          if (read.state !== 'uploading') return take(item, read)
        } catch (e) {
          if (!(e instanceof ApiError && (e.offline || e.status >= 500))) throw e
        }
        await pause(Math.min(10_000, 500 * 2 ** times), stop.signal)
      }
    } catch (e) {
      if (!stop.signal.aborted) refuse(item, e)
    }
  }

  function take(item: Item, read: Read): void {
    files.delete(item.id)
    item.read = read
    item.code = read.state === 'refused' ? refusalOf(read.refusal) : null
    item.state = read.state === 'refused' ? 'refused' : 'ready'
    const small = item.state === 'ready' ? options.lane().thumbnail(item.id) : null
    if (small) show(item, small)
  }

  function refuse(item: Item, e: unknown): void {
    if (e instanceof UploadFault) item.code = refusalOf(e.status === 413 ? 'too_large' : e.code)
    else if (e instanceof ApiError) item.code = refusalOf(e.problem.code)
    else throw e
    item.state = 'refused'
  }

  function show(item: Item, picture: string | null): void {
    if (item.picture?.startsWith('blob:')) URL.revokeObjectURL(item.picture)
    item.picture = picture
  }

  /** Tries once more, now: what waits for the line, or was refused for what may have passed. */
  function retry(item: Item): void {
    if (item.state === 'refused' && files.has(item.id)) {
      item.state = 'waiting'
      item.code = null
      void work()
    }
    for (const go of [...nudges]) go()
  }

  function drop(item: Item): void {
    stops.get(item.id)?.abort()
    stops.delete(item.id)
    files.delete(item.id)
    show(item, null)
    const i = list.findIndex(o => o.id === item.id)
    if (i >= 0) list.splice(i, 1)
  }

  /** Takes a photo out again, there too. What cannot be removed now, nobody uses: the service removes it later. */
  function remove(item: Item): void {
    const { uploads, headers } = options.lane()
    const none = new AbortController().signal
    const request = { method: 'DELETE', url: `${uploads}/${item.id}` } as const
    if (item.sent > 0 || item.state !== 'waiting')
      void (options.send ?? send)({ ...request, headers: { ...headers, 'Tus-Resumable': '1.0.0' } }, () => {}, none)
    drop(item)
  }

  /** Forgets all: they are used, or the form is gone. */
  function clear(): void {
    for (const item of [...list]) drop(item)
  }

  function pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((done, fail) => {
      const end = () => {
        clearTimeout(timer)
        nudges.delete(end)
        globalThis.removeEventListener?.('online', end)
        signal.removeEventListener('abort', end)
        if (signal.aborted) fail(signal.reason)
        else done()
      }
      const timer = setTimeout(end, ms)
      nudges.add(end)
      globalThis.addEventListener?.('online', end)
      signal.addEventListener('abort', end)
      if (signal.aborted) end()
    })
  }

  onScopeDispose(clear, true)

  return {
    list,
    max: options.max,
    add,
    adopt,
    retry,
    remove,
    clear,
    ready: computed(() => list.filter(i => i.state === 'ready').map(i => i.id)),
    /** Something is still on its way. */
    busy: computed(() => list.some(i => i.state !== 'ready' && i.state !== 'refused')),
  }
}
