import { stat } from 'node:fs/promises'
import { AxeBuilder } from '@axe-core/playwright'
import { type Browser, type BrowserContext, type CDPSession, chromium, type Page } from 'playwright-core'
import { cookieOf, demoPassword, type Server, startServer, until } from './server'

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  // A microphone that beeps once a second.
  '--use-fake-device-for-media-stream',
]

export interface At {
  lon: number
  lat: number
  accuracy?: number
}

interface Reader {
  as?: string
  locale?: 'zh' | 'en'
  theme?: 'light' | 'dark'
  size?: { width: number; height: number }
  /** How large letters are, as the person has set it in the browser: 2 is twice. */
  letters?: number
  /** A phone of few means on a thin line: a quarter of this machine's speed, 1.6 Mbit/s, 300 ms. */
  slow?: boolean
}

interface GroundFace {
  code: string
  own?: boolean
  shape: [number, number][][][]
}

/** What a grid worker does with a phone: tests speak to the app through this driver only. */
export class FieldDriver {
  private page!: Page
  private context: BrowserContext | undefined
  readonly foreign: string[] = []
  readonly complaints: string[] = []
  /** Bytes of scripts as they came over the line, by address. */
  readonly scripts = new Map<string, number>()
  private picture: Buffer | undefined
  private slow = false
  private aside: Page | undefined

  private constructor(
    readonly server: Server,
    private readonly browser: Browser,
    private readonly password: string,
  ) {}

  static async start(): Promise<FieldDriver> {
    const server = await startServer()
    try {
      const password = await demoPassword(server.url)
      if (!password) throw new Error('the city has no demo accounts')
      const executablePath = process.env.CHROME ?? '/usr/bin/chromium'
      return new FieldDriver(server, await chromium.launch({ executablePath, args: flags }), password)
    } catch (e) {
      await server.stop()
      throw e
    }
  }

  /** Another phone, of the same service; it is put away with `putAway`. */
  another(): FieldDriver {
    return new FieldDriver(this.server, this.browser, this.password)
  }

  async putAway(): Promise<void> {
    await this.context?.close()
  }

  async stop(): Promise<void> {
    await this.putAway()
    await this.browser.close()
    await this.server.stop()
  }

  private test(name: string) {
    return this.page.locator(`[data-test="${name}"]:visible`)
  }

  /** Asks the service beside the phone, as somebody. */
  async api<T>(login: string, path: string, body?: unknown): Promise<T> {
    const cookie = await cookieOf(this.server.url, login, this.password)
    const answer = await fetch(`${this.server.url}/haining/v1${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { cookie, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as T
  }

  private async open(): Promise<void> {
    this.page = await this.context!.newPage()
    const home = new URL(this.server.url).host
    this.page.on('request', r => {
      const to = new URL(r.url())
      if (!['data:', 'blob:'].includes(to.protocol) && to.host !== home) this.foreign.push(r.url())
    })
    this.page.on('requestfinished', async r => {
      if (r.resourceType() !== 'script') return
      const sizes = await r.sizes().catch(() => null)
      if (sizes) this.scripts.set(new URL(r.url()).pathname, sizes.responseBodySize)
    })
    this.page.on('pageerror', e => this.complaints.push(String(e)))
    this.page.on('console', m => {
      if (m.type() === 'error') this.complaints.push(m.text())
    })
    if (this.slow) await slowDown(await this.context!.newCDPSession(this.page))
    await this.page.goto(`${this.server.url}/haining/field/`)
  }

  given = {
    /** A phone of somebody who has signed in on it, or of nobody. */
    phone: async (reader: Reader = {}): Promise<void> => {
      await this.context?.close()
      this.scripts.clear()
      this.slow = reader.slow ?? false
      this.context = await this.browser.newContext({
        viewport: reader.size ?? { width: 390, height: 844 },
        hasTouch: true,
        isMobile: true,
        deviceScaleFactor: 2,
        reducedMotion: 'reduce',
        permissions: ['geolocation', 'notifications', 'microphone'],
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
      await this.context.addInitScript(markWhenReady)
      if (reader.letters)
        await this.context.addInitScript(n => {
          document.addEventListener('DOMContentLoaded', () => {
            document.documentElement.style.fontSize = `${n * 100}%`
          })
        }, reader.letters)
      if (reader.as) await this.when.signInAs(reader.as)
      await this.open()
    },
    /** And everything for working without a line is on it. */
    ready: async (reader: Reader = {}): Promise<void> => {
      await this.given.phone({ as: 'grid_worker', ...reader })
      await this.page.locator('[data-test=ready][data-ready=true]').waitFor({ timeout: 45_000 })
    },
  }

  when = {
    click: (name: string): Promise<void> => this.test(name).first().click(),
    type: (name: string, text: string): Promise<void> => this.test(name).first().fill(text),
    signInAs: async (login: string): Promise<void> => {
      const data = { login, password: this.password }
      const answer = await this.context!.request.post(`${this.server.url}/haining/v1/session`, { data })
      if (!answer.ok()) throw new Error(`${login} may not sign in: ${answer.status()} ${await answer.text()}`)
    },
    /** The session ends, as it does by itself. */
    expire: (): Promise<void> => this.context!.clearCookies(),
    offline: (off: boolean): Promise<void> => this.context!.setOffline(off),
    stand: (at: At): Promise<void> =>
      this.context!.setGeolocation({ longitude: at.lon, latitude: at.lat, accuracy: at.accuracy ?? 8 }),
    /** The app is closed without a word, and opened again. */
    killPage: async (): Promise<void> => {
      await this.page.close({ runBeforeUnload: false })
      await this.open()
    },
    scrollToEnd: (): Promise<void> => this.page.evaluate(() => scrollTo(0, document.body.scrollHeight)),
    reload: (): Promise<unknown> => this.page.reload(),
    goTo: async (path: string): Promise<void> => {
      await this.page.evaluate(p => {
        location.hash = p
      }, path)
    },
    photo: async (): Promise<void> => {
      const before = await this.page.locator('[data-test=photo]').count()
      await this.page
        .locator('[data-test=camera]')
        .setInputFiles({ name: 'p.jpg', mimeType: 'image/jpeg', buffer: await this.jpeg() })
      await until('the photo is kept', async () => (await this.page.locator('[data-test=photo]').count()) > before)
    },
    /** A photo that does not fit on the phone. */
    noRoomForPhoto: async (): Promise<void> =>
      this.page
        .locator('[data-test=camera]')
        .setInputFiles({ name: 'p.jpg', mimeType: 'image/jpeg', buffer: await this.jpeg() }),
    /** Into the phone's files; its size there. */
    savePhoto: async (): Promise<number> => {
      const coming = this.page.waitForEvent('download')
      await this.when.click('save-photo')
      return (await stat(await (await coming).path())).size
    },
    /** What a camera never makes. */
    noPhoto: (): Promise<void> =>
      this.page
        .locator('[data-test=camera]')
        .setInputFiles({ name: 'p.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('no picture') }),
    /** Somebody speaks for so many seconds, by the app's own clock. */
    speak: async (seconds: number): Promise<void> => {
      await this.when.click('voice-start')
      await this.page.locator('[data-test=voice-stop] progress').evaluate(
        (e, ms) =>
          new Promise<void>(done => {
            const look = () => ((e as HTMLProgressElement).value >= ms ? done() : requestAnimationFrame(look))
            look()
          }),
        seconds * 1000,
      )
    },
    /** From here on the person has not allowed the microphone. */
    refuseMicrophone: async (): Promise<void> => {
      await this.context!.clearPermissions()
      await this.context!.grantPermissions(['geolocation', 'notifications'])
    },
    check: (value: string): Promise<void> => this.page.locator(`input[value="${value}"]`).check(),
    item: (code: string): Promise<void> => this.page.locator(`[data-test=item][data-item="${code}"]`).click(),
    /** A whole report, from the start page to the word that it is kept. */
    report: async (at: At, o: { photos?: number; item?: string } = {}): Promise<void> => {
      await this.when.stand(at)
      await this.when.goTo('/report')
      await this.test('step-photo').waitFor()
      for (let i = 0; i < (o.photos ?? 0); i++) await this.when.photo()
      await this.when.click('to-item')
      await this.when.item(o.item ?? '12')
      await this.page.locator('[data-test=placed][data-code]').waitFor()
      await this.when.click('send')
      await this.test('kept').waitFor()
      await this.when.goTo('/')
      await this.test('take').waitFor()
    },
    /** A thing on the map is pointed at. */
    mark: (id: string): Promise<void> => this.page.locator(`[data-test=mark][data-id="${id}"]`).dispatchEvent('click'),
    /** A task's page is opened. */
    task: (ref: string): Promise<void> => this.page.locator(`[data-test=task][data-ref="${ref}"]`).click(),
    /** The browser hands the app's worker a message, as if a push service had sent it. */
    push: async (message: unknown): Promise<void> => {
      const browser = await this.context!.newCDPSession(this.page)
      const found = new Promise<string>(done => {
        browser.on('ServiceWorker.workerRegistrationUpdated', e => {
          const own = e.registrations.find(r => r.scopeURL.endsWith('/haining/field/') && !r.isDeleted)
          if (own) done(own.registrationId)
        })
      })
      await browser.send('ServiceWorker.enable')
      const registrationId = await found
      const origin = new URL(this.server.url).origin
      await browser.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data: JSON.stringify(message) })
      await browser.detach()
    },
    /** So many bytes are left for the app, from when it is opened next; null: as many as ever. */
    room: async (bytes: number | null): Promise<void> => {
      const origin = `${this.server.url}/`
      // It holds as long as who has asked for it is there, and what the browser has found out before holds for a while.
      const page = this.aside ?? (await this.context!.newPage())
      this.aside = page
      await this.page.close()
      const browser = await this.context!.newCDPSession(page)
      const { usage } = await browser.send('Storage.getUsageAndQuota', { origin })
      const more = bytes === null ? {} : { quotaSize: usage + bytes }
      await browser.send('Storage.overrideQuotaForOrigin', { origin, ...more })
      await page.goto(`${this.server.url}/assets/icon-any-192.png`)
      await until('the browser keeps to it', async () => (await page.evaluate(fits, 1 << 20)) === (bytes === null))
      await this.open()
    },
    /** A proxy takes no parts of photos that are larger. */
    proxy: async (most: number | null): Promise<void> => {
      if (most === null) return this.context!.unroute('**/v1/uploads/*')
      await this.context!.route('**/v1/uploads/*', r =>
        (r.request().postDataBuffer()?.length ?? 0) > most
          ? r.fulfill({ status: 413, contentType: 'text/html', body: '<html>413 Request Entity Too Large</html>' })
          : r.fallback(),
      )
    },
    /** Somebody in between answers all that is asked. */
    portal: async (on: boolean): Promise<void> => {
      if (!on) return this.context!.unroute('**/v1/**')
      await this.context!.route('**/v1/**', r =>
        r.fulfill({ status: 200, contentType: 'text/html', body: '<html>请先登录无线网络</html>' }),
      )
    },
  }

  get = {
    readyForOffline: (): Promise<boolean> => this.page.locator('[data-test=ready][data-ready=true]').isVisible(),
    /** Ms from the navigation until the start page answered to a finger. */
    readyAfter: async (): Promise<number> => {
      const at = await until('it answers', () => this.page.evaluate(() => document.documentElement.dataset.ready))
      return Number(at)
    },
    /** Ms from a photo's coming out of the camera until it is kept. */
    keptAfter: async (name: string, file: Buffer): Promise<number> => {
      const took = this.page.evaluate(
        n =>
          new Promise<number>(done => {
            document.addEventListener(
              'change',
              () => {
                const began = performance.now()
                const look = () =>
                  document.querySelector(`[data-test=${n}]`)
                    ? done(performance.now() - began)
                    : requestAnimationFrame(look)
                look()
              },
              { once: true, capture: true },
            )
          }),
        name,
      )
      await this.page
        .locator('[data-test=camera]')
        .setInputFiles({ name: 'p.jpg', mimeType: 'image/jpeg', buffer: file })
      return took
    },
    text: async (name: string): Promise<string> => (await this.test(name).first().innerText()).trim(),
    seen: (name: string): Promise<boolean> => this.test(name).first().isVisible(),
    count: (name: string): Promise<number> => this.test(name).count(),
    /** The grid that the phone says. */
    grid: (): Promise<string | null> => this.test('placed').getAttribute('data-code'),
    drawn: (): Promise<boolean> => this.page.locator('.map[data-drawn=true]').isVisible(),
    standing: (): Promise<boolean> => this.page.locator('.here').isVisible(),
    visited: async (): Promise<boolean> => (await this.page.locator('[data-test=point][data-done=true]').count()) > 0,
    /** How long what was said lasts, and that it is heard: on the phone, or by somebody at a desk on the report. */
    heard: async (login?: string, num?: number): Promise<number> => {
      const page = login ? await this.deskOf(login, num!) : this.page
      const play = page.locator('[data-test=voice]:visible [data-test=voice-play]').first()
      await play.waitFor({ timeout: 20_000 })
      await play.click()
      const duration = await page
        .locator('[data-test=voice] audio')
        .first()
        .evaluate(
          e =>
            new Promise<number>((done, fail) => {
              const a = e as HTMLAudioElement
              const look = () => {
                if (a.error) fail(new Error(a.error.message))
                else if (a.currentTime > 0) done(a.duration)
                else requestAnimationFrame(look)
              }
              look()
            }),
        )
      if (login) await page.context().close()
      return duration
    },
    /** Whether the app has the microphone open. */
    listening: (): Promise<boolean> => this.test('voice-stop').isVisible(),
    notifications: async (): Promise<{ title: string; body: string; tag: string }[]> =>
      this.page.evaluate(async () => {
        const r = await navigator.serviceWorker.ready
        return (await r.getNotifications()).map(n => ({ title: n.title, body: n.body, tag: n.tag }))
      }),
    tasks: async (): Promise<string[]> =>
      this.page.locator('[data-test=task]').evaluateAll(l => l.map(e => (e as HTMLElement).dataset.ref ?? '')),
    states: async (): Promise<string[]> =>
      this.page
        .locator('[data-test=line-of-outbox]')
        .evaluateAll(l => l.map(e => (e as HTMLElement).dataset.state ?? '')),
    /** Middles of the worker's own grids' faces, or of the others. */
    ground: async (): Promise<GroundFace[]> =>
      (await this.api<{ grids: GroundFace[] }>('grid_worker', '/field/ground')).grids,
    /** Where the service itself puts a point. */
    placed: async (at: At): Promise<string | undefined> =>
      (
        await this.api<{ placement: { grid?: { code: string } } }>(
          'desk',
          `/locate?lon=${at.lon}&lat=${at.lat}&accuracy_m=${at.accuracy ?? 8}`,
        )
      ).placement.grid?.code,
    /** What lies on the phone of somebody's, as the browser lists it. */
    databases: (): Promise<string[]> =>
      this.page.evaluate(async () =>
        (await indexedDB.databases()).flatMap(d => (d.name?.startsWith('gridgov.field.') ? [d.name] : [])),
      ),
    /** What somebody at a desk reads on a case's page: the first of what came too late, and how many photos there are. */
    history: async (as: string, ref: string): Promise<{ late: string; photos: number }> => {
      const context = await this.browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' })
      try {
        const data = { login: as, password: this.password }
        await context.request.post(`${this.server.url}/haining/v1/session`, { data })
        const page = await context.newPage()
        page.on('pageerror', e => this.complaints.push(String(e)))
        await page.goto(`${this.server.url}/haining/case/${ref}`)
        const late = page.locator('[data-test=late-act]').first()
        const text = await late.innerText()
        const photos = await page.locator('[data-test=case-photo]').count()
        await late.scrollIntoViewIfNeeded()
        if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/desk-late.png`, fullPage: true })
        return { late: text, photos }
      } finally {
        await context.close()
      }
    },
    small: (): Promise<string[]> =>
      this.page.evaluate(() =>
        [...document.querySelectorAll<HTMLElement>('button, input, textarea, select, a, summary, label.button')]
          .filter(e => e.checkVisibility({ visibilityProperty: true }) && !e.classList.contains('hidden-visually'))
          .filter(e => !e.closest('.maplibregl-map'))
          .map(e => ({ e, box: e.getBoundingClientRect() }))
          .filter(({ box }) => box.width > 1 && box.height > 0 && (box.height < 43.5 || box.width < 43.5))
          .map(({ e, box }) => `${e.tagName} ${e.textContent?.trim() || e.dataset.test} ${box.width}×${box.height}`),
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

  /** A report as somebody at a desk sees it. */
  private async deskOf(login: string, num: number): Promise<Page> {
    const context = await this.browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' })
    const data = { login, password: this.password }
    await context.request.post(`${this.server.url}/haining/v1/session`, { data })
    const page = await context.newPage()
    page.on('console', m => {
      if (m.type() === 'error') this.complaints.push(m.text())
    })
    await page.goto(`${this.server.url}/haining?sel=report:${num}`)
    if (process.env.SHOTS) {
      await page.locator('[data-test=voice]').waitFor()
      await page.screenshot({ path: `${process.env.SHOTS}/voice-${login}.png` })
    }
    return page
  }

  /** A photo as a phone takes it, made once. */
  private async jpeg(): Promise<Buffer> {
    this.picture ??= await this.camera(2000, 1500)
    return this.picture
  }

  /** A picture of so many pixels, with as much in it as a street has. */
  async camera(width: number, height: number): Promise<Buffer> {
    const made = await this.page.evaluate(
      async ([w, h]) => {
        const canvas = new OffscreenCanvas(w, h)
        const c = canvas.getContext('2d')!
        const shade = c.createLinearGradient(0, 0, w, h)
        shade.addColorStop(0, '#8a6')
        shade.addColorStop(1, '#346')
        c.fillStyle = shade
        c.fillRect(0, 0, w, h)
        for (let i = 0; i < 4000; i++) {
          c.fillStyle = `hsl(${(i * 137) % 360} 40% ${30 + (i % 50)}%)`
          c.fillRect((i * 7919) % w, (i * 104729) % h, 8 + (i % 60), 8 + (i % 40))
        }
        const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg' })).arrayBuffer())
        let text = ''
        for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192))
        return btoa(text)
      },
      [width, height] as const,
    )
    return Buffer.from(made, 'base64')
  }

  /** Waits until what is asked holds. */
  sees = <T>(what: string, ask: () => Promise<T | undefined | false | null>, withinMs?: number): Promise<T> =>
    until(what, ask, withinMs)
}

async function slowDown(page: CDPSession): Promise<void> {
  await page.send('Network.enable')
  const [down, up] = [1.6e6 / 8, 0.75e6 / 8]
  await page.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 300,
    downloadThroughput: down,
    uploadThroughput: up,
  })
  await page.send('Emulation.setCPUThrottlingRate', { rate: 4 })
}

/** Writes down when the start page stood and nothing else was being done; runs in the page. */
function markWhenReady(): void {
  const look = () => {
    if (!document.querySelector('[data-test=take]')) return requestAnimationFrame(look)
    setTimeout(() => {
      document.documentElement.dataset.ready = String(performance.now())
    })
  }
  addEventListener('DOMContentLoaded', look)
}

/** Whether so many bytes more fit into the browser's storage; runs in a page. */
async function fits(bytes: number): Promise<boolean> {
  const done = <T>(r: IDBRequest<T>) =>
    new Promise<T>((ok, no) => {
      r.onsuccess = () => ok(r.result)
      r.onerror = () => no(r.error)
    })
  const open = indexedDB.open('probe')
  open.onupgradeneeded = () => open.result.createObjectStore('probe')
  const db = await done(open)
  try {
    const tx = db.transaction('probe', 'readwrite')
    const end = new Promise<boolean>(ok => {
      tx.oncomplete = () => ok(true)
      tx.onabort = () => ok(false)
    })
    tx.objectStore('probe').put(new Uint8Array(bytes), 1)
    return await end
  } finally {
    db.close()
    await done(indexedDB.deleteDatabase('probe')).catch(() => {})
  }
}
