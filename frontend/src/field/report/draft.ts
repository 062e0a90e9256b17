import { v7 } from 'uuid'
import type { Kind } from '../../shared/api/types'
import type { ReportBody } from '../outbox/kinds'
import type { NewCommand } from '../outbox/store'
import type { Pasted } from '../place/link'

/** A photo that is kept on the phone, under its own id. */
export interface DraftPhoto {
  id: string
  type: string
  size: number
  original: string
  at: number
}

/** What was said in place of typing, kept on the phone under its own id. */
export interface DraftVoice {
  id: string
  type: string
  size: number
  ms: number
  at: number
}

/** Where it is, and how that is known. */
export interface Spot {
  lon: number
  lat: number
  accuracyM?: number
  source: 'gps' | 'map'
  /** When the phone measured it, in ms. */
  at?: number
  /** As it was pasted, where it was and nobody has moved it since. */
  pasted?: Pick<Pasted, 'x' | 'y' | 'system'>
}

/** A report as it is being written. Its id is that of the report. */
export interface Draft {
  id: string
  startedAt: number
  photos: DraftPhoto[]
  voice: DraftVoice | null
  item: string
  kind: Kind
  spot: Spot | null
  place: string
  text: string
}

export const maxPhotos = 6
export const maxText = 1000

export const freshDraft = (now = Date.now()): Draft => ({
  id: v7(),
  startedAt: now,
  photos: [],
  voice: null,
  item: '',
  kind: 'problem',
  spot: null,
  place: '',
  text: '',
})

/** What is missing before it can be reported. */
export function lacking(d: Draft): 'item' | 'place' | null {
  if (!d.item) return 'item'
  return d.spot || d.place.trim() ? null : 'place'
}

/** Whether anything of it is worth keeping. */
export const started = (d: Draft): boolean =>
  d.photos.length > 0 || d.voice !== null || d.item !== '' || d.text.trim() !== '' || d.place.trim() !== ''

/** Where the phone says that it is, and by which plan. */
export type Placed = Required<Pick<NonNullable<ReportBody['device']>, 'plan' | 'sure'>> & { grid?: string }

const crsOf = { gcj02: 'gcj02', bd09: 'bd09', wgs84: undefined } as const

/** The files that lie on the phone for it. */
export const filesOf = (d: Pick<Draft, 'photos'> & Partial<Pick<Draft, 'voice'>>): string[] => [
  ...d.photos.map(p => p.id),
  ...(d.voice ? [d.voice.id] : []),
]

/** The commands that tell it: its photos and what was said, then the report, which needs them. */
export function commandsOf(d: Draft, placed: Placed | null, now = Date.now()): NewCommand<unknown>[] {
  const { spot } = d
  const text = d.text.trim().slice(0, maxText)
  const place = d.place.trim().slice(0, 500)
  const body: ReportBody = {
    capturedAt: now,
    photos: d.photos.map(p => p.id),
    ...(d.voice ? { voice: d.voice.id } : {}),
    device: { ...(spot?.at === undefined ? {} : { positionAt: spot.at }), ...(spot ? placed : null) },
    report: {
      source: 'phone',
      item: d.item,
      kind: d.kind,
      ...(text ? { text } : {}),
      ...(place ? { address: place } : {}),
      ...(spot ? pointOf(spot) : {}),
    },
  }
  return [
    ...d.photos.map(p => ({
      id: p.id,
      kind: 'photo' as const,
      body: { type: p.type, size: p.size, original: p.original },
    })),
    ...(d.voice ? [{ id: d.voice.id, kind: 'voice' as const, body: { type: d.voice.type, size: d.voice.size } }] : []),
    { id: d.id, kind: 'report', body, needs: [...body.photos, ...(body.voice ? [body.voice] : [])] },
  ]
}

function pointOf(spot: Spot): Pick<ReportBody['report'], 'lon' | 'lat' | 'crs' | 'accuracy_m' | 'position_source'> {
  const { pasted } = spot
  const crs = pasted ? crsOf[pasted.system] : undefined
  return {
    lon: pasted?.x ?? spot.lon,
    lat: pasted?.y ?? spot.lat,
    ...(crs ? { crs } : {}),
    ...(spot.accuracyM === undefined ? {} : { accuracy_m: Math.min(100_000, spot.accuracyM) }),
    position_source: spot.source,
  }
}
