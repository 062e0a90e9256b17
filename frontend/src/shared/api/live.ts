import type { Kind, Source } from './types'

/** The city's feed as the page hears it. Each event carries numbers and codes only. */
export interface LiveEvents {
  'report.filed': {
    num: number
    id: string
    item: string
    kind?: Kind
    source: Source
    grid?: string
    units?: number[]
  }
  'case.changed': { num: number; part?: number; version: number; state: string; units: number[] }
  'team.changed': { unit: number }
  /** Cases have other times since another calendar, or list, is in force. */
  'cases.recounted': { regime?: number; nums?: number[] }
  'report.imported': { from_num: number; to_num: number; count: number }
  'report.positioned': { num?: number }
  'report.replaced': Record<string, unknown>
  'report.erased': { nums?: number[] }
  'plan.published': Record<string, unknown>
  'city.changed': Record<string, unknown>
  'proposal.changed': { id: number; state: string; version: number; item: string; towns: string[] }
  'investigation.changed': { id: number; state: string; version: number; units: number[]; towns: string[] }
  /** A point of a patrol was set, changed or removed, or somebody was there. */
  'patrol.changed': { point: number; version: number; town?: string; village?: string; grid?: string }
  /** Reports have come, gone or moved in what the reader sees; which is not said. */
  'reports.changed': Record<string, unknown>
  /** What the reader may see is no longer what it was. */
  access: Record<string, unknown>
  /** The reader was told something, or has read it on another page. */
  'notice.made': Record<string, unknown>
  reset: Record<string, unknown>
}

export type LiveState = 'connecting' | 'live' | 'reconnecting'

export interface LiveListener {
  state(state: LiveState): void
  event<T extends keyof LiveEvents>(type: T, data: LiveEvents[T]): void
}

const types = [
  'report.filed',
  'case.changed',
  'team.changed',
  'cases.recounted',
  'report.imported',
  'report.positioned',
  'report.replaced',
  'report.erased',
  'plan.published',
  'city.changed',
  'reports.changed',
  'proposal.changed',
  'investigation.changed',
  'patrol.changed',
  'notice.made',
  'access',
  'reset',
] as const

/** It tells of proposals, of orders of investigations or of patrols, and of no report or case. */
export const ofOthers = (type: keyof LiveEvents) =>
  type === 'proposal.changed' || type === 'investigation.changed' || type === 'patrol.changed'

/** What of EventSource is used; a test gives its own. */
export interface Stream {
  readonly readyState: number
  onopen: ((e: Event) => void) | null
  onerror: ((e: Event) => void) | null
  close(): void
  addEventListener(type: string, listener: (e: Event) => void): void
}

/**
 * Follows the feed and reads on where it stopped. The browser reconnects by itself after a broken line; where the server
 * refused, which ends an EventSource for good, this class tries again, at first after one second and at most every 15.
 */
export class Live {
  private stream: Stream | undefined
  private lastId = ''
  private retry: ReturnType<typeof setTimeout> | undefined
  private pauseMs = 1000

  constructor(
    private readonly url: string,
    private readonly listener: LiveListener,
    private readonly open: (url: string) => Stream = u => new EventSource(u),
  ) {}

  start(): void {
    this.stop()
    const url = this.lastId ? `${this.url}?last_event_id=${encodeURIComponent(this.lastId)}` : this.url
    const stream = this.open(url)
    this.stream = stream
    stream.onopen = () => {
      this.pauseMs = 1000
      this.listener.state('live')
    }
    stream.onerror = () => {
      this.listener.state('reconnecting')
      if (stream.readyState !== 2) return
      stream.close()
      this.retry = setTimeout(() => this.start(), this.pauseMs)
      this.pauseMs = Math.min(15_000, this.pauseMs * 2)
    }
    for (const type of types) {
      stream.addEventListener(type, (e: Event) => {
        const message = e as MessageEvent<string>
        if (message.lastEventId) this.lastId = message.lastEventId
        const data = decode(message.data)
        if (data) this.listener.event(type, data as never)
      })
    }
  }

  /** The network is gone, which an open line does not notice by itself; start reads on. */
  suspend(): void {
    this.stop()
    this.listener.state('reconnecting')
  }

  stop(): void {
    clearTimeout(this.retry)
    this.stream?.close()
    this.stream = undefined
  }
}

function decode(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text || '{}')
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}
