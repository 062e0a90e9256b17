import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import 'vue' // before there is a document, which it would ask for more than the page below has

const settled = () => new Promise(done => setTimeout(done))

/** What of the document is used: links that are added load, and how it hears of those that did not. */
class Page extends EventTarget {
  readonly added: string[] = []
  readonly head = {
    append: (link: EventTarget & { href: string }) => {
      this.added.push(link.href)
      link.dispatchEvent(new Event('load'))
    },
  }
  /** A stylesheet does not come. */
  miss(href: string) {
    const link = () => Object.assign(new EventTarget(), { href, rel: 'stylesheet', cloneNode: link })
    const e = new Event('error')
    Object.defineProperty(e, 'target', { value: link() })
    this.dispatchEvent(e)
  }
}

describe('code that comes when it is needed', () => {
  let page: Page
  beforeEach(() => {
    page = new Page()
    vi.resetModules()
    vi.stubGlobal('document', page)
    vi.stubGlobal('location', { href: 'https://city.example/page' })
    vi.spyOn(console, 'error').mockImplementation(() => {})
  })
  afterEach(() => {
    vi.unstubAllGlobals()
    vi.restoreAllMocks()
  })

  /** Code that comes when it is asked for so often. */
  async function given(times: number, miss = () => {}) {
    const { useCode } = await import('./lazy')
    let asked = 0
    const part = useCode(async () => {
      if (++asked >= times) return asked
      miss()
      throw new TypeError('the line is down')
    })
    await settled()
    expect(asked).toBe(0)
    const code = part.code()
    await settled()
    return { ...part, code }
  }

  it('is asked for again where it did not come', async () => {
    const { code, lost, ask } = await given(2)
    expect(lost.value).toBe('line')
    await ask()
    expect([lost.value, await code]).toEqual(['', 2])
  })

  it.each([
    [true, 'page'],
    [false, 'line'],
  ] as const)(
    'comes with the whole page alone where that was in vain and the service is there: %s',
    async (there, why) => {
      vi.stubGlobal('fetch', () => (there ? Promise.resolve({ ok: true }) : Promise.reject(new TypeError('the line'))))
      const { lost, ask } = await given(3)
      await ask()
      expect(lost.value).toBe(why)
      await ask()
      expect(lost.value).toBe('')
    },
  )

  it('brings along the stylesheets that did not come, each once', async () => {
    const { code, ask } = await given(2, () => {
      page.miss('a.css')
      page.miss('a.css')
    })
    await ask()
    expect([await code, page.added]).toEqual([2, ['a.css']])
    await given(1)
    expect(page.added).toEqual(['a.css'])
  })
})
