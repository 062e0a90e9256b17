import type { OneStopList } from '../../regime/types'
import { inWords } from '../../shared/i18n/names'
import { type Command, isFile, type Refusal, type Row } from './command'
import type { ActBody, PhotoBody, ReportBody, ReportReceipt, VisitBody } from './kinds'
import type { Store } from './store'

/** A line of the outbox: what a person did, with its photos, and what has become of it. */
export interface Line {
  id: string
  state: Row['state']
  kind: 'report' | 'act' | 'visit'
  /** Of a visit: the point. */
  name: string
  /** Of an act: on which case, and which. */
  ref: string
  act: string
  /** Of a confirmation. */
  verdict: boolean | null
  item: string
  photos: number
  /** Something was said with it. */
  voice: boolean
  /** How many of them are with the service. */
  photosSent: number
  madeAt: number
  next: number
  /** When its state turned, by this phone's clock. */
  changedAt: number
  lon?: number
  lat?: number
  receipt: ReportReceipt | null
  /** Photos that the service would not take: they are still here. */
  lost: { id: string; type: string; refusal: Refusal }[]
  refusal: Command['refusal'] | null
  conflict: Command['conflict'] | null
}

/** The newest first. What cannot be read any more is left out: nobody could tell what it is. */
export async function linesOf(store: Store): Promise<Line[]> {
  const rows = await store.rows()
  const states = new Map(rows.map(r => [r.id, r.state]))
  const lines: Line[] = []
  const lost = new Map<string, Line['lost'][number]>()
  for (const row of rows) {
    if (row.kind !== 'photo' || row.state !== 'refused') continue
    const c = await store.read<PhotoBody>(row).catch(() => null)
    if (c?.refusal) lost.set(row.id, { id: row.id, type: c.body.type, refusal: c.refusal })
  }
  for (const row of rows) {
    if (isFile(row.kind)) continue
    const c = await store.read<ReportBody & ActBody & VisitBody>(row).catch(() => null)
    if (!c) continue
    const photos = c.body.photos ?? c.body.evidence ?? []
    lines.push({
      id: row.id,
      state: row.state,
      kind: row.kind,
      name: c.body.name ?? '',
      ref: c.body.ref ?? '',
      act: c.body.act?.act ?? '',
      verdict: c.body.act?.verdict ?? null,
      item: c.body.report?.item ?? c.body.item ?? '',
      photos: photos.length,
      voice: c.body.voice !== undefined,
      photosSent: photos.filter(id => (states.get(id) ?? 'sent') === 'sent').length,
      madeAt: c.body.capturedAt ?? c.body.at ?? c.madeAt,
      next: row.next,
      changedAt: row.changedAt,
      lon: c.body.report?.lon,
      lat: c.body.report?.lat,
      receipt: row.kind === 'report' ? ((c.receipt as ReportReceipt | undefined) ?? null) : null,
      lost: photos.flatMap(id => lost.get(id) ?? []),
      refusal: c.refusal ?? null,
      conflict: c.conflict ?? null,
    })
  }
  return lines.toReversed()
}

/** What a line, and all that only it needs, is known by; for throwing it away. */
export async function withNeeds(store: Store, id: string): Promise<string[]> {
  const row = (await store.rows()).find(r => r.id === id)
  return row ? [id, ...row.needs] : []
}

export const itemName = (list: OneStopList | undefined, code: string, locale: string): string =>
  inWords(list?.items.find(i => i.code === code)?.name, locale) || code
