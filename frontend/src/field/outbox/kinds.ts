import { type Answer as TusAnswer, UploadFault, upload } from '../../photo/tus'
import type { CaseDetail, NewAct, NewReport, Report } from '../../shared/api/types'
import type { Command, Conflict, Kind, Refusal } from './command'
import { type Answer, afterMs, exchange, tusOver, type Wire } from './exchange'

/** What became of trying to send one command. */
export type Outcome =
  | { is: 'sent'; receipt: unknown }
  | { is: 'refused'; refusal: Refusal }
  | { is: 'conflict'; conflict: NonNullable<Command['conflict']> }
  /** There is no line: nothing else can be sent either. */
  | { is: 'line' }
  /** Later: this one alone, or all of them. */
  | { is: 'later'; ms: number | null; all: boolean }
  | { is: 'signIn' }

/** What a command may know of others, and of its own files. */
export interface Around {
  wire: Wire
  /** Which of these are with the service. */
  sent: (ids: readonly string[]) => Promise<string[]>
  blob: (id: string, type: string) => Promise<Blob | null>
}

/** How one kind of command is told. */
export interface Teller<Body> {
  tell(command: Command<Body>, around: Around): Promise<Outcome>
  /** It goes without what it needs where that was refused; else it is refused too. */
  without: boolean
}

export interface PhotoBody {
  type: string
  size: number
  /** SHA-256 of the picture as it was taken, in hex. */
  original: string
}

export type VoiceBody = Pick<PhotoBody, 'type' | 'size'>

/** As the phone has it; times are this phone's, in ms. */
export interface ReportBody {
  report: Omit<NewReport, 'id' | 'captured_at' | 'photos' | 'voice'>
  capturedAt: number
  photos: string[]
  voice?: string
}

export interface ActBody {
  ref: string
  /** For who looks at the outbox. */
  item: string
  title?: string
  act: Pick<NewAct, 'act' | 'acts' | 'version' | 'verdict' | 'reason' | 'measure' | 'settled_by'>
  evidence: string[]
}

export interface VisitBody {
  point: number
  /** For who looks at the outbox. */
  name: string
  /** By this phone's clock, in ms. */
  at: number
  lon: number
  lat: number
  accuracyM: number
}

/** What the phone shows of a report that was taken. */
export interface ReportReceipt {
  num: number
  receivedAt: string
  method: string
  plan: string
  grid?: { code: string; name: string; nameEn?: string }
  unit?: { name: string; nameEn?: string }
  due?: string
  /** Photos that the service would not take. */
  without: number
  /** Nor what was said. */
  withoutVoice?: boolean
}

/** A file, by tus; what it is read as afterwards is told elsewhere. */
const file = (kind: 'photo' | 'voice'): Teller<VoiceBody> => ({
  without: false,
  async tell(c, { wire, blob }) {
    const file = await blob(c.id, c.body.type)
    if (!file) return refusedHere('file_missing')
    const stop = new AbortController()
    const over = tusOver(wire)
    let last: TusAnswer = { status: 0, header: () => null }
    let broken: Outcome | null = null
    try {
      await upload(
        { at: `${wire.api}/uploads`, id: c.id, file, ...(kind === 'voice' ? { kind } : {}) },
        {
          send: async (request, sent, signal) => {
            last = await over(request, sent, signal)
            return last
          },
          progress: () => {},
          // Waiting here would hold up the rest: the sender waits, and comes back to where the bytes end.
          broken: async () => {
            if (last.code === 'wrong_offset') return
            broken = postponed(last)
            stop.abort()
          },
        },
        stop.signal,
      )
    } catch (e) {
      if (broken) return broken
      if (!(e instanceof UploadFault)) throw e
      if (e.status === 401) return { is: 'signIn' }
      return { is: 'refused', refusal: { status: e.status, code: e.status === 413 ? 'too_large' : e.code, detail: '' } }
    }
    const answer = await exchange(wire, 'GET', `/${kind}s/${c.id}`)
    if (answer.is !== 'ok') return otherwise(answer)
    const read = answer.body as { state?: string; refusal?: string }
    if (read.state === 'ready') return { is: 'sent', receipt: {} }
    if (read.state === 'refused') return refusedHere(read.refusal ?? 'other')
    return { is: 'later', ms: 2_000, all: false }
  },
})
const photo: Teller<PhotoBody> = file('photo')
const voice = file('voice')

const postponed = ({ status, header }: TusAnswer): Outcome =>
  status === 0 ? { is: 'line' } : { is: 'later', ms: afterMs(header('Retry-After')), all: status === 429 }

const report: Teller<ReportBody> = {
  without: true,
  async tell(c, { wire, sent }) {
    const photos = await sent(c.body.photos)
    const [said] = await sent(c.body.voice ? [c.body.voice] : [])
    const body: NewReport = {
      ...c.body.report,
      id: c.id,
      captured_at: right(c, c.body.capturedAt),
      ...(photos.length > 0 ? { photos } : {}),
      ...(said ? { voice: said } : {}),
    }
    const answer = await exchange(wire, 'POST', '/reports', body)
    if (answer.is !== 'ok') return otherwise(answer)
    const kept = answer.body as Partial<Report>
    if (kept.id !== c.id || typeof kept.num !== 'number' || !kept.placement) return { is: 'line' }
    const { placement: p } = kept
    const k = kept.case ?? (await caseOf(wire, c.id))
    const receipt: ReportReceipt = {
      num: kept.num,
      receivedAt: kept.received_at!,
      method: p.method,
      plan: p.plan,
      ...(p.grid ? { grid: { code: p.grid.code, name: p.grid.name, nameEn: p.grid.name_latin } } : {}),
      ...(k ? { unit: { name: k.unit.name, nameEn: k.unit.name_en } } : {}),
      ...(k?.due_at ? { due: k.due_at } : {}),
      without: c.body.photos.length - photos.length,
      ...(c.body.voice && !said ? { withoutVoice: true } : {}),
    }
    return { is: 'sent', receipt }
  },
}

/** Who has it now, and until when; nothing where that does not come: the report is there all the same. */
async function caseOf(wire: Wire, id: string): Promise<Report['case']> {
  const answer = await exchange(wire, 'GET', `/reports/${id}`)
  return answer.is === 'ok' ? (answer.body as Report).case : undefined
}

const act: Teller<ActBody> = {
  without: false,
  async tell(c, { wire }) {
    const { ref, act, evidence } = c.body
    const body: NewAct = { ...act, key: c.id, ...(evidence.length > 0 ? { evidence } : {}) }
    const answer = await exchange(wire, 'POST', `/cases/${ref}/acts`, body)
    if (answer.is === 'problem' && answer.status === 409 && answer.code === 'case_changed') return changed(c, wire)
    if (answer.is !== 'ok') return otherwise(answer)
    const now = answer.body as Partial<CaseDetail>
    if (now.ref !== ref || !now.case) return { is: 'line' }
    return { is: 'sent', receipt: { state: now.case.state } }
  },
}

/** Somebody was quicker: what they did, beside what was meant. */
async function changed(c: Command<ActBody>, wire: Wire): Promise<Outcome> {
  const answer = await exchange(wire, 'GET', `/cases/${c.body.ref}`)
  if (answer.is !== 'ok') return otherwise(answer)
  const now = answer.body as CaseDetail
  const { act } = c.body
  const theirs = now.acts.findLast(a => a.n > act.version)
  const fields: Conflict[] = [
    { field: 'act', mine: act.act ?? act.acts?.at(-1) ?? null, theirs: theirs?.act ?? null },
    { field: 'state', mine: null, theirs: now.case.state },
  ]
  if (act.reason) fields.push({ field: 'reason', mine: act.reason, theirs: theirs?.reason ?? null })
  const conflict: NonNullable<Command['conflict']> = { fields, kept: false }
  if (theirs?.at) conflict.at = theirs.at
  return { is: 'conflict', conflict }
}

const visit: Teller<VisitBody> = {
  without: false,
  async tell(c, { wire }) {
    const { point, at, lon, lat, accuracyM } = c.body
    const body = { id: c.id, point, at: right(c, at), lon, lat, accuracy_m: Math.min(100_000, accuracyM) }
    const answer = await exchange(wire, 'POST', '/patrols/visits', body)
    if (answer.is !== 'ok') return otherwise(answer)
    const kept = answer.body as { id?: string; counts?: boolean; flags?: string[] }
    if (kept.id !== c.id || typeof kept.counts !== 'boolean') return { is: 'line' }
    return { is: 'sent', receipt: { counts: kept.counts, flags: kept.flags ?? [] } }
  },
}

export const tellers: Record<Kind, Teller<never>> = { photo, voice, report, act, visit }

/** A moment of this phone's clock as it was in truth. */
const right = (c: Command, at: number) => new Date(at - (c.aheadMs ?? 0)).toISOString()

const refusedHere = (code: string): Outcome => ({ is: 'refused', refusal: { status: 0, code, detail: '' } })

/** What an answer means that is not the one asked for. */
export function otherwise(answer: Exclude<Answer, { is: 'ok' }>): Outcome {
  if (answer.is === 'none') return { is: 'line' }
  const { status, code, detail, field, afterMs } = answer
  if (status === 401) return { is: 'signIn' }
  if (status === 429 || (status === 503 && afterMs !== null)) return { is: 'later', ms: afterMs, all: true }
  // A fault of the service with this command holds up no other.
  if (status >= 500 || status === 408 || status === 425) return { is: 'later', ms: afterMs, all: false }
  return { is: 'refused', refusal: { status, code, detail, ...(field ? { field } : {}) } }
}
