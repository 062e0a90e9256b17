import { exchange, tusOver, type Wire } from '../field/outbox/exchange'
import { UploadFault, upload } from '../photo/tus'
import type { CodeSent, ToldReport } from '../shared/api/types'
import type { Locale } from '../shared/i18n/locale'
import { type Draft, toReport } from './draft'
import type { Trouble } from './problem'
import type { Shelf } from './shelf'

const noAnswer: Trouble = { is: 'none' }

/** Asks for a code. What does not read as the service's word is none. */
export async function askCode(wire: Wire, d: Draft, language: Locale): Promise<CodeSent | Trouble> {
  const { channel, to } = d.contact
  const answer = await exchange(wire, 'POST', '/public/codes', { channel, to: to.trim(), language })
  if (answer.is !== 'ok') return answer
  const sent = answer.body as Partial<CodeSent>
  return typeof sent.ask_again_s === 'number' && typeof sent.code_age_s === 'number' ? (sent as CodeSent) : noAnswer
}

/** Tells the report. It may be told twice, and is filed once. */
export async function tell(wire: Wire, d: Draft, code: string, language: Locale): Promise<ToldReport | Trouble> {
  const answer = await exchange(wire, 'POST', '/public/reports', toReport(d, code, language))
  if (answer.is !== 'ok') return answer
  const told = answer.body as Partial<ToldReport>
  return typeof told.secret === 'string' && typeof told.report?.num === 'number' ? (told as ToldReport) : noAnswer
}

/** `line`: there is none, or it is too early; `closed`: the city takes none now; `done`: nothing is left to send. */
export type Sent = 'done' | 'line' | 'closed'

/**
 * Sends the photos of a report that the service has, one after the other, each from where its bytes end. `changed` is told after each, and
 * is to keep the draft. What the service will not take is given up: the report stands without it.
 */
export async function sendPhotos(wire: Wire, shelf: Shelf, d: Draft, changed: () => Promise<unknown>): Promise<Sent> {
  while (d.told?.left.length) {
    const id = d.told.left[0]!
    const kept = d.photos.find(p => p.id === id)
    const file = kept ? await shelf.blob(id, kept.type).catch(() => null) : null
    const became = file ? await sendPhoto(wire, d.told.secret, id, file) : 'lost'
    if (became === 'line' || became === 'closed') return became
    d.told.left = d.told.left.filter(o => o !== id)
    if (became === 'lost') d.told.lost++
    await changed()
    await shelf.dropBlobs([id])
  }
  return 'done'
}

async function sendPhoto(wire: Wire, secret: string, id: string, file: Blob): Promise<Sent | 'lost'> {
  const stop = new AbortController()
  try {
    await upload(
      { at: `${wire.api}/public/uploads`, headers: { 'Report-Secret': secret }, id, file },
      {
        send: tusOver(wire),
        progress: () => {},
        // A few times at once, as a line flickers; then whoever called comes back to where the bytes end.
        broken: async times => {
          if (times > 3) stop.abort()
        },
      },
      stop.signal,
    )
    return 'done'
  } catch (e) {
    if (stop.signal.aborted) return 'line'
    if (!(e instanceof UploadFault)) throw e
    return e.status === 401 || e.status === 403 ? 'closed' : 'lost'
  }
}

/** How many of a report's photos have come, are being read, and were none; null: it is not known. */
export async function photosOf(wire: Wire, secret: string) {
  const answer = await exchange(wire, 'POST', '/public/follow', { secret })
  return answer.is === 'ok' ? ((answer.body as Partial<ToldReport['report']>).photos ?? null) : null
}
