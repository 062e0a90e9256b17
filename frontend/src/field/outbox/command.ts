import type { Sealed } from './crypt'

/** Something that was done, and of which the service is to hear. Other kinds come with the work that needs them (kinds.ts). */
export type Kind = 'photo' | 'voice' | 'report' | 'act' | 'visit'

/** A file that something else needs: no line of its own. */
export const isFile = (k: Kind): k is 'photo' | 'voice' => k === 'photo' || k === 'voice'

/**
 * `waiting`: for a line, a time, or what it needs; `sending`: somebody is at it, or was when the phone went out; `sent`: the service
 * has it on disk; `refused` and `conflict`: it will not take it, and somebody has to look.
 */
export type State = 'waiting' | 'sending' | 'sent' | 'refused' | 'conflict'

/** What stands in the clear, so that it can be ordered, counted and sent by whoever may not read it aloud. */
export interface Row {
  seq: number
  id: string
  kind: Kind
  state: State
  /** Ids of commands that have to be with the service before. */
  needs: string[]
  tries: number
  /** Not before this moment, in ms; 0: at once. */
  next: number
  /** Of which the shape of what is sealed is. */
  format: number
  changedAt: number
  sealed: Sealed
}

export interface Refusal {
  /** The service's own, or `not_sent` for what needs something that was refused. */
  code: string
  status: number
  /** The service's words, in its language; for the log of whoever helps. */
  detail: string
  field?: string
}

/** A field in which somebody else was quicker: what it says here, and there; codes, but for the reason. */
export interface Conflict {
  field: 'act' | 'verdict' | 'measure' | 'reason' | 'photos' | 'state'
  mine: string | null
  theirs: string | null
}

/** What is sealed. `Body` is the kind's own. */
export interface Content<Body = unknown> {
  body: Body
  /** By this phone's clock, in ms. */
  madeAt: number
  /** How many ms the phone's clock was ahead, once that was known: times are put right by it, always by the same. */
  aheadMs?: number
  receipt?: unknown
  refusal?: Refusal
  /** `kept`: the service has it beside what was done, so that nothing is lost where it goes from here. */
  /** `by`: their name where it may be told, else the code of their role; `at`: when they did it. */
  conflict?: { fields: Conflict[]; by?: string; at?: string; kept: boolean }
}

/** The present shape of Content: a newer app reads what an older one has left (upgrade.ts would turn it). */
export const format = 1

export interface Command<Body = unknown> extends Omit<Row, 'sealed'>, Content<Body> {}

/** What may be thrown away by hand, and what waits for somebody to look. */
export const stuck = (s: State): boolean => s === 'refused' || s === 'conflict'
export const unsent = (s: State): boolean => s !== 'sent'
