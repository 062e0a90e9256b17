import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Live, type LiveState, type Stream } from './live'

class FakeStream extends EventTarget implements Stream {
  readyState = 0
  onopen: ((e: Event) => void) | null = null
  onerror: ((e: Event) => void) | null = null
  closed = false
  constructor(readonly url: string) {
    super()
  }
  close() {
    this.closed = true
  }
  opens() {
    this.readyState = 1
    this.onopen?.(new Event('open'))
  }
  breaks(forGood: boolean) {
    this.readyState = forGood ? 2 : 0
    this.onerror?.(new Event('error'))
  }
  says(type: string, data: string, id: string) {
    this.dispatchEvent(new MessageEvent(type, { data, lastEventId: id }))
  }
}

function given() {
  const streams: FakeStream[] = []
  const states: LiveState[] = []
  const events: unknown[] = []
  const live = new Live(
    '/haining/v1/events',
    { state: s => states.push(s), event: (type, data) => events.push([type, data]) },
    url => {
      const s = new FakeStream(url)
      streams.push(s)
      return s
    },
  )
  live.start()
  return { live, streams, states, events }
}

describe('the live feed', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  it('tells of events and of its state', () => {
    const { streams, states, events } = given()
    streams[0]!.opens()
    streams[0]!.says('report.filed', '{"num":7}', '1-7')
    streams[0]!.breaks(false)
    expect(states).toEqual(['live', 'reconnecting'])
    expect(events).toEqual([['report.filed', { num: 7 }]])
    expect(streams).toHaveLength(1)
  })

  it('opens anew where it stopped when the server had refused, ever more patiently', () => {
    const { streams } = given()
    streams[0]!.opens()
    streams[0]!.says('report.filed', '{"num":7}', '1-7')
    streams[0]!.breaks(true)
    expect(streams[0]!.closed).toBe(true)
    vi.advanceTimersByTime(1000)
    expect(streams[1]!.url).toBe('/haining/v1/events?last_event_id=1-7')
    streams[1]!.breaks(true)
    vi.advanceTimersByTime(1999)
    expect(streams).toHaveLength(2)
    vi.advanceTimersByTime(1)
    expect(streams).toHaveLength(3)
  })

  it('is closed while the network is gone, and reads on where it stopped', () => {
    const { live, streams, states } = given()
    streams[0]!.opens()
    streams[0]!.says('report.filed', '{"num":7}', '1-7')
    live.suspend()
    expect(streams[0]!.closed).toBe(true)
    vi.runAllTimers()
    expect(streams).toHaveLength(1)
    live.start()
    streams[1]!.opens()
    expect(streams[1]!.url).toBe('/haining/v1/events?last_event_id=1-7')
    expect(states).toEqual(['live', 'reconnecting', 'live'])
  })

  it.each(['access', 'reports.changed', 'city.changed'])('hears of %s, which carries nothing', type => {
    const { streams, events } = given()
    streams[0]!.says(type, '{}', '')
    expect(events).toEqual([[type, {}]])
  })

  it.each(['proposal.changed', 'investigation.changed'])('hears of %s', type => {
    const { streams, events } = given()
    streams[0]!.says(type, '{"id":3,"state":"done"}', '1-9')
    expect(events).toEqual([[type, { id: 3, state: 'done' }]])
  })

  it('has one line at a time', () => {
    const { live, streams } = given()
    live.start()
    expect(streams.map(s => s.closed)).toEqual([true, false])
  })

  it('passes over data that is not JSON', () => {
    const { streams, events } = given()
    streams[0]!.says('report.filed', '{', '1-8')
    expect(events).toEqual([])
  })

  it('ends for good when it is stopped', () => {
    const { live, streams } = given()
    streams[0]!.breaks(true)
    live.stop()
    vi.runAllTimers()
    expect(streams).toHaveLength(1)
  })
})
