import { AxeBuilder } from '@axe-core/playwright'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { cookieOf, demoPassword, type Server, startServer, until } from './server'

const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']

interface Reader {
  locale?: 'zh' | 'en'
  theme?: 'light' | 'dark'
  size?: { width: number; height: number }
  /** A login of the demo. */
  as?: string
  /** Script that runs in the page before its own. */
  before?: () => void
  /** Where the phone is; null: it may not tell. */
  position?: { longitude: number; latitude: number; accuracy: number } | null
}

/** What a resident does, and what the administrator of a demo reads: tests speak to the page through this driver only. */
export class ResidentDriver {
  private page!: Page
  private context: BrowserContext | undefined
  readonly foreign: string[] = []
  readonly complaints: string[] = []
  /** Everything that the page asked for, with the method. */
  readonly asked: string[] = []
  /** Bytes of scripts as they came over the line, by address. */
  readonly scripts = new Map<string, number>()
  private picture: Buffer | undefined

  private constructor(
    private readonly server: Server,
    private readonly browser: Browser,
    private readonly password: string,
  ) {}

  static async start(): Promise<ResidentDriver> {
    const server = await startServer()
    try {
      const password = await demoPassword(server.url)
      if (!password) throw new Error('the city has no demo accounts')
      const executablePath = process.env.CHROME ?? '/usr/bin/chromium'
      return new ResidentDriver(server, await chromium.launch({ executablePath, args: flags }), password)
    } catch (e) {
      await server.stop()
      throw e
    }
  }

  async stop(): Promise<void> {
    await this.context?.close()
    await this.browser.close()
    await this.server.stop()
  }

  private test(name: string) {
    return this.page.locator(`[data-test="${name}"]:visible`)
  }

  /** Asks the service beside the page, as somebody. */
  async api(login: string, path: string, init: RequestInit = {}) {
    const cookie = await cookieOf(this.server.url, login, this.password)
    const headers = { 'content-type': 'application/json', cookie }
    const answer = await fetch(`${this.server.url}/haining/v1${path}`, { ...init, headers })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return answer.json()
  }

  private async open(path: string): Promise<void> {
    this.page = await this.context!.newPage()
    const home = new URL(this.server.url).host
    this.page.on('request', r => {
      const to = new URL(r.url())
      this.asked.push(`${r.method()} ${r.url()}`)
      if (!['data:', 'blob:'].includes(to.protocol) && to.host !== home) this.foreign.push(r.url())
    })
    this.page.on('requestfinished', async r => {
      if (r.resourceType() !== 'script') return
      const sizes = await r.sizes().catch(() => null)
      if (sizes) this.scripts.set(new URL(r.url()).pathname, sizes.responseBodySize)
    })
    this.page.on('dialog', d => void d.accept())
    this.page.on('pageerror', e => this.complaints.push(String(e)))
    this.page.on('console', m => {
      if (m.type() === 'error') this.complaints.push(m.text())
    })
    await this.page.goto(this.server.url + path)
  }

  given = {
    visit: async (path: string, reader: Reader = {}): Promise<void> => {
      await this.context?.close()
      const size = reader.size ?? { width: 390, height: 844 }
      this.scripts.clear()
      this.context = await this.browser.newContext({
        viewport: size,
        hasTouch: size.width < 600,
        reducedMotion: 'reduce',
        // Far from the city, whose time is to be shown.
        timezoneId: 'America/New_York',
        ...(reader.position ? { geolocation: reader.position, permissions: ['geolocation'] } : {}),
      })
      const { locale = 'zh', theme = 'light' } = reader
      await this.context.addInitScript(
        ([l, t]) => {
          localStorage.getItem('gridgov.locale') ?? localStorage.setItem('gridgov.locale', l)
          localStorage.getItem('gridgov.theme') ?? localStorage.setItem('gridgov.theme', t)
          document.addEventListener('securitypolicyviolation', e => {
            console.error(`content security policy: ${e.violatedDirective} ${e.blockedURI}`)
          })
        },
        [locale, theme] as const,
      )
      if (reader.as) {
        const data = { login: reader.as, password: this.password }
        const answer = await this.context.request.post(`${this.server.url}/haining/v1/session`, { data })
        if (!answer.ok()) throw new Error(`${reader.as} may not sign in: ${answer.status()} ${await answer.text()}`)
      }
      if (reader.before) await this.context.addInitScript(reader.before)
      await this.open(path)
    },
    /** And the page's files are on the phone. */
    ready: async (path: string, reader: Reader = {}): Promise<void> => {
      await this.given.visit(path, reader)
      await this.page.evaluate(async () => {
        const r = await navigator.serviceWorker.ready
        if (r.active?.state !== 'activated')
          await new Promise(done => r.active?.addEventListener('statechange', done, { once: true }))
      })
    },
    /** Whether the city takes residents’ reports, set beside the page. */
    open: async (yes: boolean): Promise<void> => {
      const body = JSON.stringify({ resident_reports: yes })
      await this.api('administrator', '/settings/messages', { method: 'PUT', body })
    },
  }

  when = {
    click: (name: string): Promise<void> => this.test(name).first().click(),
    type: (name: string, text: string): Promise<void> => this.test(name).first().fill(text),
    clickMap: async (): Promise<void> => {
      const box = (await this.test('place-map').boundingBox())!
      await this.page.mouse.click(box.x + box.width / 2, box.y + box.height / 2)
    },
    /** Chooses one of a list's options by its value. */
    pick: async (name: string, value: string): Promise<void> => {
      await this.test(name).selectOption(value)
    },
    choose: (item: string): Promise<void> => this.page.locator(`[data-item="${item}"]`).click(),
    open: (path: string): Promise<unknown> => this.page.goto(this.server.url + path),
    reload: (): Promise<unknown> => this.page.reload(),
    offline: (off: boolean): Promise<void> => this.context!.setOffline(off),
    /** The page is closed without a word, and opened anew as from the poster. */
    killPage: async (path: string): Promise<void> => {
      await this.page.close({ runBeforeUnload: false })
      await this.open(path)
    },
    photo: async (): Promise<void> => {
      const before = await this.page.locator('[data-test=photo]').count()
      await this.page
        .locator('[data-test=camera]')
        .setInputFiles({ name: 'p.jpg', mimeType: 'image/jpeg', buffer: await this.jpeg() })
      await until('the photo is kept', async () => (await this.page.locator('[data-test=photo]').count()) > before)
    },
    /** A file that is chosen as a photo, whatever becomes of it. */
    tryPhoto: async (bytes?: Buffer): Promise<void> =>
      this.page
        .locator('[data-test=camera]')
        .setInputFiles({ name: 'p.jpg', mimeType: 'image/jpeg', buffer: bytes ?? (await this.jpeg()) }),
    /** Somebody in between answers all that is asked, with a page of their own or with nothing but a status. */
    portal: async (on: boolean, status = 200, what = '**/v1/**'): Promise<void> => {
      if (!on) return this.context!.unroute(what)
      await this.context!.route(what, r =>
        r.fulfill({ status, contentType: 'text/html', body: '<html>请先登录</html>' }),
      )
    },
    /** The service answers with a problem. */
    refuse: async (what: string, status: number, code: string, afterS: number): Promise<void> => {
      await this.context!.route(what, r =>
        r.fulfill({
          status,
          contentType: 'application/problem+json',
          headers: { 'Retry-After': String(afterS) },
          body: JSON.stringify({ status, code, title: code }),
        }),
      )
    },
    letThrough: (): Promise<void> => this.context!.unrouteAll(),
    /** A row is put among the drafts as another version, or a damaged disk, would have left it. */
    leaveStrangeDraft: (): Promise<void> =>
      this.page.evaluate(
        () =>
          new Promise<void>((done, fail) => {
            const open = indexedDB.open('gridgov.resident.haining')
            open.onerror = () => fail(open.error)
            open.onsuccess = () => {
              const tx = open.result.transaction('draft', 'readwrite')
              const sealed = { iv: new Uint8Array(12), data: new ArrayBuffer(64) }
              tx.objectStore('draft').put({ id: 'strange', at: Date.now(), sealed })
              tx.oncomplete = () => {
                open.result.close()
                done()
              }
            }
          }),
      ),
    dragPin: async (dx: number, dy: number): Promise<void> => {
      const box = (await this.page.locator('[data-test=pin]').boundingBox())!
      const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
      await this.page.mouse.move(x, y)
      await this.page.mouse.down()
      await this.page.mouse.move(x + dx, y + dy, { steps: 5 })
      await this.page.mouse.up()
    },
    zoomText: (percent: number): Promise<void> =>
      this.page.evaluate(p => document.documentElement.style.setProperty('font-size', `${(16 * p) / 100}px`), percent),
  }

  get = {
    focused: (): Promise<string | null> =>
      this.page.evaluate(() => document.activeElement?.getAttribute('data-test') ?? null),
    text: async (name: string): Promise<string> => (await this.test(name).first().innerText()).trim(),
    count: (name: string): Promise<number> => this.test(name).count(),
    /** All that was written is on the phone. */
    saved: (): Promise<boolean> => this.page.locator('[data-test=flow][data-saved=true]').isVisible(),
    state: (): Promise<string | null> => this.test('delivery').first().getAttribute('data-state'),
    /** How many drafts and files lie on the phone. */
    left: (): Promise<{ drafts: number; files: number }> =>
      this.page.evaluate(
        () =>
          new Promise((done, fail) => {
            const open = indexedDB.open('gridgov.resident.haining')
            open.onerror = () => fail(open.error)
            open.onsuccess = () => {
              const tx = open.result.transaction(['draft', 'blob'])
              const [drafts, files] = [tx.objectStore('draft').count(), tx.objectStore('blob').count()]
              tx.oncomplete = () => {
                open.result.close()
                done({ drafts: drafts.result, files: files.result })
              }
            }
          }),
      ),
    /** All that the browser keeps in the clear or in caches of answers. */
    cached: (): Promise<string[]> =>
      this.page.evaluate(async () => {
        const out: string[] = []
        for (const name of await caches.keys())
          for (const r of await (await caches.open(name)).keys()) out.push(new URL(r.url).pathname)
        return out
      }),
    value: (name: string): Promise<string> => this.test(name).first().inputValue(),
    seen: (name: string): Promise<boolean> => this.test(name).first().isVisible(),
    enabled: (name: string): Promise<boolean> => this.test(name).first().isEnabled(),
    body: (): Promise<string> => this.page.locator('body').innerText(),
    address: (): string => this.page.url(),
    /** Elements that a report’s words made, where they should be words. */
    scripts: (): Promise<number> => this.page.locator('main script, main img').count(),
    messages: async (): Promise<{ channel: string; to: string; text: string }[]> =>
      (await this.api('administrator', '/outbox')).messages,
    /** The code that was sent to somebody last. */
    code: async (to: string): Promise<string> =>
      until('a code arrives', async () => {
        const m = (await this.get.messages()).find(m => m.to === to)
        return m?.text.match(/\b\d{6}\b/)?.[0]
      }),
    small: (): Promise<string[]> =>
      this.page.evaluate(() =>
        [...document.querySelectorAll<HTMLElement>('button, input, textarea, select, a, summary, label.button')]
          .filter(e => e.checkVisibility({ visibilityProperty: true }) && !e.classList.contains('hidden-visually'))
          .filter(e => !e.closest('.maplibregl-map'))
          .map(e => ({ e, box: e.getBoundingClientRect() }))
          .filter(({ box }) => box.width > 1 && box.height > 0 && box.height < 43.5)
          .map(({ e, box }) => `${e.tagName} ${e.textContent?.trim() || e.getAttribute('data-test')} ${box.height}`),
      ),
    overflow: (): Promise<number> =>
      this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
    serious: async (): Promise<string[]> => {
      const { violations } = await new AxeBuilder({ page: this.page }).analyze()
      return violations
        .filter(v => v.impact === 'serious' || v.impact === 'critical')
        .map(v => `${v.id}: ${v.nodes.map(n => n.target.join(' ')).join(', ')}`)
    },
    /** A picture for who looks at it, where SHOTS names a folder. */
    shot: async (name: string): Promise<void> => {
      if (process.env.SHOTS) await this.page.screenshot({ path: `${process.env.SHOTS}/${name}.png` })
    },
  }

  /** A photo as a phone takes it, made once. */
  private async jpeg(): Promise<Buffer> {
    this.picture ??= Buffer.from(
      await this.page.evaluate(async () => {
        const canvas = new OffscreenCanvas(2000, 1500)
        const c = canvas.getContext('2d')!
        const shade = c.createLinearGradient(0, 0, 2000, 1500)
        shade.addColorStop(0, '#8a6')
        shade.addColorStop(1, '#346')
        c.fillStyle = shade
        c.fillRect(0, 0, 2000, 1500)
        const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg' })).arrayBuffer())
        return btoa(Array.from(bytes, b => String.fromCharCode(b)).join(''))
      }),
      'base64',
    )
    return this.picture
  }

  /** Waits until what is asked holds. */
  sees = <T>(what: string, ask: () => Promise<T | undefined | false | null>, withinMs?: number): Promise<T> =>
    until(what, ask, withinMs)
}
