import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createApp, effectScope, nextTick, ref } from 'vue'
import { bellKey } from './bell'
import { useFeed } from './feed'
import type { SessionStore } from './session'

/** The line as the browser has it. */
class Line extends EventTarget {
  static readonly all: Line[] = []
  readyState = 1
  onopen: () => void = () => {}
  onerror: () => void = () => {}
  constructor() {
    super()
    Line.all.push(this)
  }
  close() {
    this.readyState = 2
  }
  tell(type: string, data = {}) {
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(data) }))
  }
  static get open() {
    return Line.all.filter(l => l.readyState < 2)
  }
}

function given() {
  const heard: string[] = []
  const may = ref(true)
  const session = { code: 'c', check: () => heard.push('who is here?') }
  const app = createApp({})
  app.provide(bellKey, { ring: () => heard.push('bell') } as never)
  const scope = effectScope()
  const feed = app.runWithContext(() =>
    scope.run(() =>
      useFeed(session as unknown as SessionStore, () => may.value, {
        event: type => heard.push(type),
        back: () => heard.push('back'),
      }),
    ),
  )!
  const told = () => heard.splice(0)
  return { may, feed, told, end: () => scope.stop() }
}

describe('a page’s line to the feed', () => {
  const page = new EventTarget()
  beforeEach(() => {
    Line.all.length = 0
    vi.stubGlobal('EventSource', Line)
    vi.stubGlobal('window', page)
  })
  afterEach(() => vi.unstubAllGlobals())

  it('is there while somebody may listen', async () => {
    const { may, end } = given()
    expect(Line.open).toHaveLength(1)
    may.value = false
    await nextTick()
    expect(Line.open).toEqual([])
    may.value = true
    await nextTick()
    expect(Line.open).toHaveLength(1)
    end()
    expect(Line.open).toEqual([])
  })

  it('says when it broke, and that it stands again', () => {
    const { feed, told, end } = given()
    Line.open[0]!.onopen()
    expect([feed.state.value, feed.brokenAt.value, told()]).toEqual(['live', null, []])
    Line.open[0]!.onerror()
    expect([feed.state.value, told()]).toEqual(['reconnecting', ['who is here?']])
    expect(feed.brokenAt.value).toBeCloseTo(Date.now() / 1000, -1)
    Line.open[0]!.onopen()
    expect([feed.state.value, feed.brokenAt.value, told()]).toEqual(['live', null, ['back']])
    end()
  })

  it('is let go of while the network is gone', () => {
    const { feed, end } = given()
    page.dispatchEvent(new Event('offline'))
    expect([feed.state.value, Line.open]).toEqual(['reconnecting', []])
    page.dispatchEvent(new Event('online'))
    expect(Line.open).toHaveLength(1)
    end()
    page.dispatchEvent(new Event('online'))
    expect(Line.open).toEqual([])
  })

  it('rings the bell, and has asked who is here once the page has heard that this may be another', () => {
    const { told, end } = given()
    for (const type of ['notice.made', 'reset', 'access', 'case.changed']) Line.open[0]!.tell(type)
    expect(told()).toEqual(['bell', 'bell', 'reset', 'access', 'who is here?', 'case.changed'])
    end()
  })
})
