import { quickerThan } from '../../matter/late'
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
  /** Those of these that came too late and are kept with the service, in their order. */
  late: (ids: readonly string[]) => Promise<Command[]>
  blob: (id: string, type: string) => Promise<Blob | null>
}

/** How one kind of command is told. */
export interface Teller<Body> {
  tell(command: Command<Body>, around: Around): Promise<Outcome>
  /** It goes without what it needs where that was refused; else it is refused too. */
  without: boolean
  /** It goes where what it needs came too late and is kept: it was done after that, and is kept with it. */
  afterLate?: boolean
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
  /** What only the phone knows; commands of an older app have none. */
  device?: {
    /** When the position was measured; absent where it was not. */
    positionAt?: number
    /** By which plan the phone placed it, and where: in none without a grid. */
    plan?: string
    grid?: string
    sure?: boolean
  }
}

export interface ActBody {
  ref: string
  /** For who looks at the outbox. */
  item: string
  title?: string
  act: Pick<NewAct, 'act' | 'version' | 'verdict' | 'reason' | 'measure' | 'settled_by'>
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
  /** The grid that the phone had said, where the service said another. */
  phoneGrid?: string
  /** Photos that the service would not take. */
  without: number
  /** Nor what was said. */
  withoutVoice?: boolean
}

/** A file, by tus; what it is read as afterwards is told elsewhere. */
const file = (kind: 'photo' | 'voice'): Teller<VoiceBody & Partial<Pick<PhotoBody, 'original'>>> => ({
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
        {
          at: `${wire.api}/uploads`,
          id: c.id,
          file,
          ...(kind === 'voice' ? { kind } : {}),
          ...(digest.test(c.body.original ?? '') ? { taken: c.body.original } : {}),
        },
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
const digest = /^[0-9a-f]{64}$/
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
      ...(c.body.device ? { device: deviceOf(c, c.body.device) } : {}),
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
      ...(c.body.device?.grid && c.body.device.grid !== p.grid?.code ? { phoneGrid: c.body.device.grid } : {}),
      without: c.body.photos.length - photos.length,
      ...(c.body.voice && !said ? { withoutVoice: true } : {}),
    }
    return { is: 'sent', receipt }
  },
}

function deviceOf(
  c: Command,
  { positionAt, plan, grid, sure }: NonNullable<ReportBody['device']>,
): NewReport['device'] {
  return {
    clock_ahead_ms: Math.round(c.aheadMs ?? 0),
    ...(positionAt === undefined ? {} : { position_at: right(c, positionAt) }),
    ...(plan === undefined ? {} : { plan, sure: sure ?? false }),
    ...(grid === undefined ? {} : { grid }),
  }
}

/** Who has it now, and until when; nothing where that does not come: the report is there all the same. */
async function caseOf(wire: Wire, id: string): Promise<Report['case']> {
  const answer = await exchange(wire, 'GET', `/reports/${id}`)
  return answer.is === 'ok' ? (answer.body as Report).case : undefined
}

const act: Teller<ActBody> = {
  without: false,
  afterLate: true,
  async tell(c, { wire, late }) {
    const { ref, act, evidence } = c.body
    // What was done before it and came too late was never done there: it goes along, from the version on which all of it was done.
    const before = (await late(c.needs)).filter(n => n.kind === 'act').map(n => (n.body as ActBody).act)
    const seen = before[0]?.version ?? act.version
    const { act: name, ...more } = act
    const body: NewAct = {
      ...more,
      ...(before.length > 0 ? { acts: [...before.map(b => b.act!), name!] } : { act: name }),
      version: seen,
      key: c.id,
      done_at: right(c, c.madeAt),
      keep_late: true,
      ...(evidence.length > 0 ? { evidence } : {}),
    }
    const answer = await exchange(wire, 'POST', `/cases/${ref}/acts`, body)
    if (answer.is === 'problem' && answer.status === 409 && late409.has(answer.code))
      return changed(c, seen, answer.code === 'kept_late', wire)
    if (answer.is !== 'ok') return otherwise(answer)
    const now = answer.body as Partial<CaseDetail>
    if (now.ref !== ref || !now.case) return { is: 'line' }
    return { is: 'sent', receipt: { state: now.case.state } }
  },
}

const late409: ReadonlySet<string> = new Set(['case_changed', 'kept_late'])

/** Somebody was quicker: what they did, beside what was meant. */
async function changed(c: Command<ActBody>, seen: number, kept: boolean, wire: Wire): Promise<Outcome> {
  const answer = await exchange(wire, 'GET', `/cases/${c.body.ref}`)
  // It is kept, whether or not one may still see with what.
  if (answer.is !== 'ok' && !(answer.is === 'problem' && kept && (answer.status === 403 || answer.status === 404)))
    return otherwise(answer)
  const now = answer.is === 'ok' ? (answer.body as CaseDetail) : null
  const { act, evidence } = c.body
  const theirs = now ? quickerThan(now, seen) : undefined
  const said = (v: boolean | undefined) => (v === undefined ? null : v ? 'yes' : 'no')
  const count = (n: number | undefined) => (n ? String(n) : null)
  const fields: Conflict[] = (
    [
      { field: 'act', mine: act.act ?? null, theirs: theirs?.act ?? null },
      { field: 'verdict', mine: said(act.verdict), theirs: said(theirs?.verdict) },
      { field: 'measure', mine: act.measure ?? null, theirs: theirs?.measure ?? null },
      { field: 'reason', mine: act.reason ?? null, theirs: theirs?.reason ?? null },
      { field: 'photos', mine: count(evidence.length), theirs: count(theirs?.evidence?.length) },
      { field: 'state', mine: null, theirs: now?.case.state ?? null },
    ] satisfies Conflict[]
  ).filter(f => f.mine !== null || f.theirs !== null)
  const by = theirs?.by
  return {
    is: 'conflict',
    conflict: {
      fields,
      kept,
      ...(theirs ? { at: theirs.done_at ?? theirs.at } : {}),
      ...(by && (by.name ?? by.role) ? { by: by.name ?? by.role } : {}),
    },
  }
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
