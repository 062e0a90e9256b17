import { mkdtemp, readFile, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { v7 } from 'uuid'
import { cookieOf, demoPassword, type Server, startServer, until } from './server'
import { totp } from './totp'

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

interface Reader {
  /** Who has signed in; null: nobody. */
  as?: string | null
  password?: string
  locale?: 'zh' | 'en'
  theme?: 'light' | 'dark'
  size?: { width: number; height: number }
  /** Where the reader's device is, which the page may ask for. */
  here?: { lon: number; lat: number }
}

/** YYYY-MM-DD in the city, days from today. */
function day(days: number): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai' }).format(Date.now() + days * 86_400_000)
}

/** Tests speak to the page through this driver only: given a state, when a person acts, get what is to be seen. */
export class Driver {
  private page!: Page
  private context: BrowserContext | undefined
  readonly foreign: string[] = []
  readonly complaints: string[] = []
  /** Positions that the page sent. */
  readonly positions: { lon: number; lat: number; reason?: string }[] = []

  private constructor(
    private readonly server: Server,
    private readonly browser: Browser,
    /** Of the demo's accounts. */
    private readonly password: string,
  ) {}

  /** The sessions under which tests ask the service beside the page. */
  private readonly cookies = new Map<string, string>()
  /** When a code of the second factor was made last, as it is good once. */
  private codeAt = 0

  static async start(): Promise<Driver> {
    const server = await startServer()
    try {
      const executablePath = process.env.CHROME ?? '/usr/bin/chromium'
      const password = await demoPassword(server.url)
      if (!password) throw new Error('the city has no demo accounts')
      return new Driver(server, await chromium.launch({ executablePath, args: flags }), password)
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

  private async api(path: string, init?: RequestInit, as = 'desk') {
    const cookie = this.cookies.get(as) ?? (await cookieOf(this.server.url, as, this.password))
    this.cookies.set(as, cookie)
    const headers = { 'content-type': 'application/json', ...init?.headers, cookie }
    const answer = await fetch(`${this.server.url}/haining/v1${path}`, { ...init, headers })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return answer
  }

  given = {
    /** A page of somebody who has signed in, the desk unless said otherwise, with the map drawn and rows there. */
    page: async (path = '/haining', reader: Reader = {}): Promise<void> => {
      await this.given.visit(path, { as: 'desk', ...reader })
      await this.test('legend').or(this.test('map')).first().waitFor()
      if ((reader.size?.width ?? 1440) >= 1024)
        await this.page
          .locator('[role=option][data-num], .state, [data-test=month], [data-test=plans] li')
          .first()
          .waitFor()
    },
    /** A browser of its own, at any page. */
    visit: async (path: string, reader: Reader = {}): Promise<void> => {
      await this.context?.close()
      this.context = await this.browser.newContext({
        viewport: reader.size ?? { width: 1440, height: 900 },
        hasTouch: (reader.size?.width ?? 1440) < 600,
        reducedMotion: 'reduce',
        ...(reader.here && {
          geolocation: { longitude: reader.here.lon, latitude: reader.here.lat, accuracy: 20 },
          permissions: ['geolocation'],
        }),
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
        const data = { login: reader.as, password: reader.password ?? this.password }
        const answer = await this.context.request.post(`${this.server.url}/haining/v1/session`, { data })
        if (!answer.ok()) throw new Error(`${reader.as} may not sign in: ${answer.status()} ${await answer.text()}`)
      }
      this.page = await this.context.newPage()
      const home = new URL(this.server.url).host
      this.page.on('request', r => {
        const to = new URL(r.url())
        if (r.method() === 'PUT' && to.pathname.endsWith('/position')) this.positions.push(r.postDataJSON())
        if (!['data:', 'blob:'].includes(to.protocol) && to.host !== home) this.foreign.push(r.url())
      })
      this.page.on('pageerror', e => this.complaints.push(String(e)))
      this.page.on('console', m => {
        if (m.type() === 'error') this.complaints.push(m.text())
      })
      await this.page.goto(this.server.url + path)
    },
    /** The city's list, rules and calendar as they are in the beginning, whatever a run before has made of them. */
    regime: async (): Promise<void> => {
      const list = await readFile(resolve(import.meta.dirname, '../../internal/catalogue/default.json'), 'utf8')
      const hours = ['08:30-12:00', '13:30-17:00']
      const week = { mon: hours, tue: hours, wed: hours, thu: hours, fri: hours }
      const first = {
        catalogue: JSON.parse(list),
        rules: { rules: [] },
        calendar: { zone: 'Asia/Shanghai', week, day_minutes: 420, years: [], days: [] },
      }
      for (const [kind, content] of Object.entries(first)) {
        const at = `/regime/${kind}`
        await this.given.noDraft(kind)
        const put = { method: 'PUT', body: JSON.stringify({ content }) }
        const { version } = await (await this.api(`${at}/draft`, put, 'administrator')).json()
        const body = JSON.stringify({ id: version.id, edits: version.edits })
        await this.api(`${at}/draft/publish`, { method: 'POST', body }, 'administrator')
      }
    },
    /** Nobody's draft is left of a run before. */
    noDraft: async (kind: string): Promise<void> => {
      const { versions } = await (await this.api(`/regime/${kind}`, undefined, 'administrator')).json()
      const draft = versions.find((v: { state: string }) => v.state === 'draft')
      if (!draft) return
      const query = `id=${draft.id}&edits=${draft.edits}`
      await this.api(`/regime/${kind}/draft?${query}`, { method: 'DELETE' }, 'administrator')
    },
    /** A draft of what is in force, changed beside the page. */
    // biome-ignore lint/suspicious/noExplicitAny: the contents are the test's.
    draft: async (kind: string, change: (content: any) => void): Promise<void> => {
      const at = `/regime/${kind}`
      const { versions } = await (await this.api(at, undefined, 'administrator')).json()
      const inForce = versions.find((v: { state: string }) => v.state === 'in_force')
      const { content } = await (await this.api(`${at}/${inForce.id}`, undefined, 'administrator')).json()
      change(content)
      await this.api(`${at}/draft`, { method: 'PUT', body: JSON.stringify({ content }) }, 'administrator')
    },
    /** An account that is nobody's demo: a village's secretary, unless said otherwise. Gives its one-time password. */
    account: (login: string, role = 'village_secretary', level = 'village', code = '330481103200'): Promise<string> => {
      const post = ['--role', role, '--level', level, '--code', code]
      return this.server.run('user', 'create', login, '--city', 'haining', '--name', login, ...post)
    },
    /** What somebody asks of the service, or does, beside the page. */
    asked: async (as: string, path: string, method = 'GET', body?: object) => {
      const answer = await this.api(path, { method, ...(body && { body: JSON.stringify(body) }) }, as)
      return answer.status === 204 ? null : answer.json()
    },
    /** What the service tells of somebody who signs in beside the page. */
    sessionOf: async (as: string) => (await this.api('/session', undefined, as)).json(),
    /** Something that the desk does with a case beside the page. */
    done: async (num: number, act: object): Promise<void> => {
      const { version } = (await (await this.api(`/cases/${num}`)).json()).case
      await this.api(`/cases/${num}/acts`, { method: 'POST', body: JSON.stringify({ version, ...act }) })
    },
    /** Somebody of the city's committee decides about a proposal beside the page. */
    decided: async (id: number, decision: string, reason: string): Promise<void> => {
      const as = 'city_committee'
      const { version } = (await (await this.api(`/proposals/${id}`, undefined, as)).json()).row
      const body = JSON.stringify({ decision, version, reason })
      await this.api(`/proposals/${id}/decision`, { method: 'POST', body }, as)
    },
    /** A matter that is brought from elsewhere, late: its clocks ran out days ago. */
    overdue: async (id: string, item: string, spot: { lon: number; lat: number }): Promise<void> => {
      const at = new Date(Date.now() - 5 * 86_400_000).toISOString()
      const file = join(await mkdtemp(join(tmpdir(), 'overdue-')), 'reports.csv')
      await writeFile(file, `id,lon,lat,at,item\n${id},${spot.lon},${spot.lat},${at},${item}\n`)
      await this.server.run(
        'import',
        'reports',
        file,
        '--city',
        'haining',
        '--map',
        'id=id,lon=lon,lat=lat,at=at,item=item',
      )
    },
    /** Somebody is on a shift now, by the head's roster. */
    onDuty: async (login: string): Promise<void> => {
      const { person, posts } = await this.given.sessionOf(login)
      const stands = async () => (await this.api('/duty', undefined, login)).json()
      if ((await stands()).on_duty) return
      const at = (ms: number) => `${new Date(Date.now() + ms).toISOString().slice(0, 19)}Z`
      const shifts = [{ person: person.id, from: at(-1000), to: at(3_600_000), kind: 'duty' }]
      await this.api(
        `/teams/${posts[0].unit}/shifts`,
        { method: 'POST', body: JSON.stringify({ shifts }) },
        'unit_head',
      )
      await until(`${login} is on duty`, async () => (await stands()).on_duty)
    },
    /** A report of someone else's, filed beside the page; its number. */
    filed: async (
      title: string,
      at?: { lon: number; lat: number },
      reporter?: object,
      item = '11',
    ): Promise<number> => {
      const body = {
        id: v7(),
        source: 'phone',
        captured_at: `${new Date().toISOString().slice(0, 19)}Z`,
        item,
        kind: 'problem',
        title,
        ...(at ?? { address: '不在地名库里的一处地方' }),
        ...(reporter ? { reporter } : {}),
      }
      const answer = await this.api('/reports', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      return (await answer.json()).num
    },
  }

  when = {
    clickMap: async (dx = 0, dy = 0): Promise<void> => {
      const box = (await this.test('map').boundingBox())!
      await this.page.mouse.click(box.x + box.width / 2 + dx, box.y + box.height / 2 + dy)
    },
    pointAtMap: async (): Promise<void> => {
      const box = (await this.test('map').boundingBox())!
      await this.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
      await this.page.mouse.move(box.x + box.width / 2 + 4, box.y + box.height / 2 + 4, { steps: 2 })
    },
    signIn: async (login: string, password = this.password): Promise<void> => {
      await this.test('login').fill(login)
      await this.test('password').fill(password)
      await this.page.keyboard.press('Enter')
    },
    /** Types the code that an authenticator shows, waiting for the next where this one was used. */
    typeCode: async (secret: string): Promise<void> => {
      const step = () => Math.floor(Date.now() / 30_000)
      const next = Math.max(step(), this.codeAt + 1) // a code is good once, and a step ahead of the clock
      await until('the next code', async () => next <= step() + 1, 35_000)
      this.codeAt = next
      await this.test('code').or(this.test('factor-code')).fill(totp(secret, this.codeAt))
      await this.page.keyboard.press('Enter')
    },
    /** The person signs in on another device too. */
    signInElsewhere: async (login: string, password = this.password): Promise<void> => {
      await cookieOf(this.server.url, login, password)
    },
    /** The session of the page ends, without the page. */
    endSession: async (): Promise<void> => {
      const answer = await this.context!.request.delete(`${this.server.url}/haining/v1/session`)
      if (!answer.ok()) throw new Error(`the session goes on: ${answer.status()}`)
    },
    /** The administrator gives the page's person another post, from today. */
    givePost: async (role: string, level: string, code: string): Promise<void> => {
      const { person } = await this.get.session()
      const body = JSON.stringify({ role, level, code, begins: day(0) })
      await this.api(`/people/${person.id}/posts`, { method: 'POST', body }, 'administrator')
    },
    /** The administrator gives the page's person a post in a unit, from today. */
    giveUnitPost: async (role: string, unit: number): Promise<void> => {
      const { person } = await this.get.session()
      const body = JSON.stringify({ role, unit, begins: day(0) })
      await this.api(`/people/${person.id}/posts`, { method: 'POST', body }, 'administrator')
    },
    /** The administrator changes something of the city. */
    change: async (path: string, body: object): Promise<void> => {
      await this.api(path, { method: 'PUT', body: JSON.stringify(body) }, 'administrator')
    },
    /** The administrator ends that post, from yesterday on. */
    endPost: async (role: string): Promise<void> => {
      const { person } = await this.get.session()
      const { posts } = await (await this.api(`/people/${person.id}`, undefined, 'administrator')).json()
      const post = posts.findLast((p: { role: string }) => p.role === role)
      const body = JSON.stringify({ version: post.version, begins: post.begins, ends: day(-1) })
      await this.api(`/people/${person.id}/posts/${post.id}`, { method: 'PUT', body }, 'administrator')
    },
    disable: (login: string): Promise<string> => this.server.run('user', 'disable', login, '--city', 'haining'),
    click: (name: string): Promise<void> => this.test(name).first().click(),
    /** The one that comes after so many others of its name. */
    clickAfter: (others: number, name: string): Promise<void> => this.test(name).nth(others).click(),
    /** A key with the shift lock on. */
    pressLocked: (name: string, key: string): Promise<void> =>
      this.test(name).evaluate((field, k) => {
        field.dispatchEvent(new KeyboardEvent('keydown', { key: k, bubbles: true, modifierCapsLock: true }))
      }, key),
    /** Enter that takes an input method's candidate. */
    takeCandidate: (name: string): Promise<void> =>
      this.test(name).evaluate(field => {
        const more = { bubbles: true, cancelable: true, isComposing: true }
        field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', ...more }))
      }),
    press: (keys: string): Promise<void> => this.page.keyboard.press(keys),
    choose: async (facet: string, value: string): Promise<void> => {
      await this.page.locator(`[data-facet="${facet}"] > button`).click()
      await this.page.locator(`[data-facet="${facet}"] [data-value="${value}"] input`).click()
      await this.page.keyboard.press('Escape')
    },
    type: async (name: string, text: string): Promise<void> => {
      await this.test(name).fill(text)
      if (name.startsWith('time-')) await this.page.keyboard.press('Enter')
    },
    /** Clicks something in the row that has the text; the row itself where the name is empty. */
    clickIn: (row: string, text: string, name: string): Promise<void> =>
      this.test(row)
        .filter({ hasText: text })
        .locator(name ? `[data-test="${name}"]` : 'xpath=.')
        .click(),
    /** Chooses one of a list's options by its value. */
    pick: async (name: string, value: string): Promise<void> => {
      await this.test(name).selectOption(value)
    },
    /** A file is chosen, with this text in it. */
    upload: async (name: string, file: string, text: string): Promise<void> => {
      await this.page
        .locator(`[data-test="${name}"]`)
        .setInputFiles({ name: file, mimeType: 'text/csv', buffer: Buffer.from(text) })
    },
    /** A photo is chosen: a JPEG of so many pixels along each side. */
    addPhoto: async (name: string, pixels = 640): Promise<void> => {
      const data = await this.page.evaluate(async n => {
        const canvas = new OffscreenCanvas(n, n)
        const c = canvas.getContext('2d')!
        for (let i = 0; i < 64; i++) {
          c.fillStyle = `hsl(${i * 31} 60% 50%)`
          c.fillRect(((i % 8) * n) / 8, (Math.floor(i / 8) * n) / 8, n / 8, n / 8)
        }
        const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg' })).arrayBuffer())
        return btoa(Array.from(bytes, b => String.fromCharCode(b)).join(''))
      }, pixels)
      const buffer = Buffer.from(data, 'base64')
      await this.page
        .locator(`[data-test="${name}"]`)
        .setInputFiles({ name: 'photo.jpg', mimeType: 'image/jpeg', buffer })
    },
    /** Clicks what leads to a file, and gives the file's text. */
    download: async (name: string): Promise<string> => {
      const [file] = await Promise.all([this.page.waitForEvent('download'), this.test(name).click()])
      const parts: Buffer[] = []
      for await (const part of await file.createReadStream()) parts.push(part as Buffer)
      return Buffer.concat(parts).toString('utf8')
    },
    /** Something is taken by its middle and let go so many pixels away. */
    drag: async (name: string, dx: number, dy: number): Promise<void> => {
      const box = (await this.test(name).boundingBox())!
      const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
      await this.page.mouse.move(x, y)
      await this.page.mouse.down()
      await this.page.mouse.move(x + dx, y + dy, { steps: 5 })
      await this.page.mouse.up()
    },
    check: (name: string): Promise<void> => this.test(name).first().check(),
    focus: (name: string): Promise<void> => this.test(name).first().focus(),
    /** Chooses a day of the calendar's page. */
    day: (date: string): Promise<void> => this.page.locator(`[data-date="${date}"]`).click(),
    /** Somebody else saves the draft as it is, beside the page. */
    saveElsewhere: async (kind: string): Promise<void> => {
      const at = `/regime/${kind}`
      const { versions } = await (await this.api(at, undefined, 'administrator')).json()
      const draft = versions.find((v: { state: string }) => v.state === 'draft')
      const { content } = await (await this.api(`${at}/${draft.id}`, undefined, 'administrator')).json()
      const body = JSON.stringify({ content, seen: { id: draft.id, edits: draft.edits } })
      await this.api(`${at}/draft`, { method: 'PUT', body }, 'administrator')
    },
    openShift: (id: number): Promise<void> => this.page.locator(`[data-shift="${id}"]`).first().click(),
    openRow: async (index: number): Promise<number> => {
      const row = this.page.locator('[role=option][data-num]').nth(index)
      const num = Number(await row.getAttribute('data-num'))
      await row.click()
      return num
    },
    openReport: (num: number): Promise<void> => this.page.locator(`[role=option][data-num="${num}"]`).click(),
    brush: async (from: number, to: number): Promise<void> => {
      const box = (await this.test('histogram').boundingBox())!
      const y = box.y + box.height / 2
      await this.page.mouse.move(box.x + box.width * from, y)
      await this.page.mouse.down()
      await this.page.mouse.move(box.x + box.width * to, y, { steps: 6 })
      await this.page.mouse.up()
    },
    fillReport: async (item: string, title: string): Promise<void> => {
      await this.page.locator('#file-item').selectOption(item)
      await this.page.locator('#file-title').fill(title)
    },
    /** The page's own timers stand still, or go on. */
    holdClock: (still: boolean): Promise<void> =>
      still ? this.page.clock.pauseAt(Date.now() + 1000) : this.page.clock.resume(),
    /** The page hears nothing of what others do, from its next address on. */
    deafen: async (): Promise<void> => {
      await this.context!.route('**/v1/events*', r => r.abort())
    },
    /** The queue is scrolled as far down as it goes. */
    scrollQueue: (): Promise<void> =>
      this.test('queue').evaluate(table => {
        table.scrollTop = table.scrollHeight
      }),
    /** Another address, typed by who is there. */
    go: async (path: string): Promise<void> => {
      await this.page.goto(this.server.url + path)
    },
    back: async (): Promise<void> => {
      await this.page.goBack()
    },
    takeBasemap: (): Promise<void> => rename(this.server.basemap, `${this.server.basemap}.gone`),
    returnBasemap: (): Promise<void> => rename(`${this.server.basemap}.gone`, this.server.basemap),
    offline: (off: boolean): Promise<void> => this.context!.setOffline(off),
    /** The service answers requests for tiles with 503, while the rest of it goes on. */
    failTiles: async (): Promise<void> => {
      await this.context!.route('**/v1/tiles/**', r => r.fulfill({ status: 503 }))
    },
    /** Files of the page whose names begin so do not come, until they are let through. */
    withhold: async (names: string[]): Promise<void> => {
      await this.context!.route(new RegExp(`/assets/(${names.join('|')})-`), r => r.abort())
    },
    /** Acts on cases get no answer, until they are let through. */
    loseActs: async (): Promise<void> => {
      await this.context!.route('**/v1/cases/*/acts', r => r.abort())
    },
    letThrough: (): Promise<void> => this.context!.unrouteAll(),
    returnTiles: (): Promise<void> => this.context!.unroute('**/v1/tiles/**'),
  }

  get = {
    text: async (name: string): Promise<string> => (await this.test(name).first().innerText()).trim(),
    seen: (name: string): Promise<boolean> => this.test(name).first().isVisible(),
    enabled: (name: string): Promise<boolean> => this.test(name).first().isEnabled(),
    attribute: (name: string, of: string): Promise<string | null> => this.test(name).first().getAttribute(of),
    height: async (name: string): Promise<number> => (await this.test(name).first().boundingBox())?.height ?? 0,
    /** How many pixels the page is wider than the window. */
    wider: (): Promise<number> =>
      this.page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - window.innerWidth)),
    /** What the person whose page it is gets from the service. */
    jsonAs: async (path: string) => (await this.context!.request.get(`${this.server.url}/haining/v1${path}`)).json(),
    look: (date: string): Promise<string | null> =>
      this.page.locator(`[data-date="${date}"]`).getAttribute('data-look'),
    focusedDate: (): Promise<string | null> =>
      this.page.evaluate(() => document.activeElement?.getAttribute('data-date') ?? null),
    /** The page as it is printed: the number of its sheets, and the size of the first in points. */
    print: async (): Promise<{ sheets: number; size: number[] }> => {
      const pdf = (await this.page.pdf({ preferCSSPageSize: true, printBackground: true })).toString('latin1')
      const size = /\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/
        .exec(pdf)!
        .slice(1)
        .map(n => Math.round(Number(n)))
      return { sheets: pdf.match(/\/Type \/Page\b/g)?.length ?? 0, size }
    },
    /** The cases of the queue that are drawn, in their order. */
    cases: (): Promise<string[]> =>
      this.page.locator('[data-case]').evaluateAll(rows => rows.map(r => (r as HTMLElement).dataset.case!)),
    /** The case at which the keys stand. */
    litCase: (): Promise<string | null> =>
      this.page
        .locator('[data-case][aria-current]')
        .evaluateAll(rows => (rows[0] as HTMLElement | undefined)?.dataset.case ?? null),
    /** What the queue says of a case's state. */
    stateOf: (num: number): Promise<string> =>
      this.page
        .locator(`[data-case="${num}"] [data-test=row-state]`)
        .evaluateAll(cells => cells[0]?.textContent?.trim() ?? ''),
    /** All that the queue says of a case. */
    rowOf: (num: number): Promise<string> => this.page.locator(`[data-case="${num}"]`).innerText(),
    value: (name: string): Promise<string> => this.test(name).first().inputValue(),
    /** All that the page keeps in the browser. */
    stored: (): Promise<string> =>
      this.page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, location.href])),
    count: (name: string): Promise<number> => this.test(name).count(),
    texts: (name: string): Promise<string[]> => this.test(name).allInnerTexts(),
    path: (): Promise<string> => Promise.resolve(new URL(this.page.url()).pathname),
    host: (): Promise<string> => Promise.resolve(new URL(this.page.url()).host),
    home: (): string => new URL(this.server.url).host,
    /** What the page knows of who is here. */
    session: async () => (await this.context!.request.get(`${this.server.url}/haining/v1/session`)).json(),
    /** West, south, east and north of what the map shows. */
    box: async (): Promise<number[]> =>
      ((await this.test('map').first().getAttribute('data-box')) ?? '').split(',').filter(Boolean).map(Number),
    query: (): Promise<URLSearchParams> => Promise.resolve(new URL(this.page.url()).searchParams),
    language: (): Promise<string | null> => this.page.locator('html').getAttribute('lang'),
    ground: (): Promise<string> => this.page.evaluate(() => getComputedStyle(document.body).backgroundColor),
    /** The colour in the middle of the map, as #RRGGBB. */
    mapColour: async (): Promise<string> => {
      const box = (await this.test('map').boundingBox())!
      const clip = { x: box.x + Math.floor(box.width / 2), y: box.y + Math.floor(box.height / 2), width: 1, height: 1 }
      const png = (await this.page.screenshot({ clip })).toString('base64')
      return this.page.evaluate(async data => {
        const image = await createImageBitmap(new Blob([Uint8Array.from(atob(data), c => c.charCodeAt(0))]))
        const context = new OffscreenCanvas(1, 1).getContext('2d')!
        context.drawImage(image, 0, 0)
        const [r, g, b] = context.getImageData(0, 0, 1, 1).data
        return `#${[r, g, b].map(v => v!.toString(16).padStart(2, '0')).join('')}`.toUpperCase()
      }, png)
    },
    /** How light something is that is drawn, from 0 to 1. */
    lightness: async (name: string): Promise<number> => {
      const png = (await this.test(name).first().screenshot()).toString('base64')
      return this.page.evaluate(async data => {
        const image = await createImageBitmap(new Blob([Uint8Array.from(atob(data), c => c.charCodeAt(0))]))
        const context = new OffscreenCanvas(image.width, image.height).getContext('2d')!
        context.drawImage(image, 0, 0)
        const pixels = context.getImageData(0, 0, image.width, image.height).data
        return pixels.reduce((sum, v, i) => (i % 4 === 3 ? sum : sum + v), 0) / (255 * 0.75 * pixels.length)
      }, png)
    },
    /** How light it is on paper. */
    printed: async (name: string): Promise<number> => {
      await this.page.emulateMedia({ media: 'print' })
      const light = await this.get.lightness(name)
      await this.page.emulateMedia({ media: null })
      return light
    },
    /** A picture for who looks at it, where SHOTS names a folder. */
    shot: async (name: string): Promise<void> => {
      if (process.env.SHOTS) await this.page.screenshot({ path: `${process.env.SHOTS}/${name}.png` })
    },
    /** The map is drawn, and nothing is under way. */
    rests: (): Promise<boolean> =>
      this.page.evaluate(() => document.querySelector('canvas') !== null && !document.querySelector('.track .bar')),
    title: (): Promise<string> => this.page.title(),
    body: (): Promise<string> => this.page.locator('body').innerText(),
    rows: (): Promise<number[]> =>
      this.page
        .locator('[role=option][data-num]')
        .evaluateAll(rows => rows.map(r => Number((r as HTMLElement).dataset.num))),
    focused: (): Promise<string | null> =>
      this.page.evaluate(() => document.activeElement?.getAttribute('data-test') ?? null),
    listTotal: async (): Promise<number> => Number((await this.get.text('total')).replace(/\D/g, '')),
    serious: async (): Promise<string[]> => {
      const { violations } = await new AxeBuilder({ page: this.page }).analyze()
      return violations
        .filter(v => v.impact === 'serious' || v.impact === 'critical')
        .map(v => `${v.id}: ${v.nodes.map(n => n.target.join(' ')).join(', ')}`)
    },
    small: (): Promise<string[]> =>
      this.page.evaluate(() =>
        [...document.querySelectorAll<HTMLElement>('button, input, select, summary')]
          .filter(e => e.checkVisibility({ visibilityProperty: true }) && !e.closest('label'))
          .filter(e => e.getBoundingClientRect().width > 1)
          .map(e => ({ e, box: e.getBoundingClientRect() }))
          .filter(({ box }) => box.height < 44 && box.height > 0)
          .map(({ e, box }) => `${e.tagName} ${e.textContent?.trim() || e.getAttribute('data-test')} ${box.height}`),
      ),
    json: async (path: string) => (await this.api(path)).json(),
    /** What a program gets at an address of the service, without a session. */
    fetched: async (address: string): Promise<{ status: number; text: string }> => {
      const answer = await fetch(this.server.url + new URL(address).pathname)
      return { status: answer.status, text: await answer.text() }
    },
    tile: async (path: string): Promise<ArrayBuffer> => (await this.api(path)).arrayBuffer(),
  }

  /** Waits until what is asked holds. */
  sees = <T>(what: string, ask: () => Promise<T | undefined | false | null>, withinMs?: number): Promise<T> =>
    until(what, ask, withinMs)
}
