import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ResidentDriver } from './residentdriver'

let d: ResidentDriver
beforeAll(async () => {
  d = await ResidentDriver.start()
})
afterAll(async () => {
  await d?.stop()
})
/** What the browser says by itself of answers that a test provokes. */
const provoked = /Failed to load resource|ERR_INTERNET_DISCONNECTED/
afterEach(() => {
  expect(d.complaints.splice(0).filter(c => !provoked.test(c))).toEqual([])
  expect(d.foreign.splice(0)).toEqual([])
})

const place = { longitude: 120.6905, latitude: 30.5332, accuracy: 18 }
const unique = () => String(Date.now()).slice(-8)
const desk = { width: 1440, height: 900 }

/** The steps up to the contact, without a map and without a photo. */
async function upToContact(text: string) {
  await d.when.click('next')
  await d.sees('the items', () => d.get.seen('step-item'))
  await d.when.choose('16')
  await d.sees('the place', () => d.get.seen('step-place'))
  await d.when.type('place-words', '海洲街道人民路 12 号门前')
  await d.when.type('text', text)
  await d.when.click('next')
  await d.sees('the contact', () => d.get.seen('step-contact'))
}

interface Told {
  num: number
  text?: string
  placement: { grid?: { code: string } }
}
/** Reports with these words, as the desk has them, and how many photos each shows. */
async function reports(words: string): Promise<(Told & { photos: number })[]> {
  const found: (Told & { photos: number })[] = []
  const { reports } = (await d.api('desk', '/reports?from=2026-11-02&source=web&limit=100')) as { reports: Told[] }
  for (const { num } of reports) {
    const r = (await d.api('desk', `/reports/${num}`)) as Told
    if (r.text !== words) continue
    const { photos } = (await d.api('desk', `/cases/${num}`)) as { photos: unknown[] }
    found.push({ ...r, photos: photos.length })
  }
  return found
}

describe('a resident', () => {
  it('reports by phone, and follows the report by the link that comes', async () => {
    const phone = `138${unique()}`
    const words = '<img src=x onerror=alert(1)> 夜里很吵 <b>不是标记</b>'
    await d.given.visit('/haining/report', { position: place })
    await d.sees('the first step', () => d.get.seen('step-photo'))
    await d.get.shot('phone-photo')
    expect(await d.get.serious()).toEqual([])
    expect(await d.get.small()).toEqual([])
    const bytes = [...d.scripts].filter(([path]) => !/worker/.test(path)).reduce((s, [, n]) => s + n, 0)
    expect(bytes).toBeGreaterThan(20_000)
    expect(bytes).toBeLessThan(120_000)
    await d.when.click('next')
    await d.sees('the items', () => d.get.seen('step-item'))
    await d.get.shot('phone-item')
    await d.when.click('next')
    expect(await d.get.text('lacking')).toContain('选')
    await d.when.choose('16')
    await d.sees('the place', () => d.get.seen('step-place'))
    await d.when.click('next')
    expect(await d.get.text('lacking')).toContain('定位')
    await d.when.click('gps')
    expect(await d.sees('the position', () => d.get.text('spot'))).toContain('18 米')
    await d.when.type('place-words', '海洲街道人民路 12 号门前')
    await d.when.type('text', words)
    await d.get.shot('phone-place')
    expect(await d.get.serious()).toEqual([])
    expect(await d.get.small()).toEqual([])
    await d.when.click('next')
    await d.sees('the contact', () => d.get.seen('step-contact'))
    await d.get.shot('phone-contact')
    expect(await d.get.enabled('get-code')).toBe(false)
    await d.when.type('contact-to', '110')
    await d.when.click('get-code')
    expect(await d.sees('the refusal', () => d.get.text('code-trouble'))).toContain('手机号码')
    await d.when.type('contact-to', phone)
    await d.when.click('get-code')
    await d.sees('the code is on its way', () => d.get.seen('code-sent'))
    expect(await d.get.enabled('get-code')).toBe(false)
    expect(await d.get.text('get-code')).toMatch(/\d+ 秒/)
    const code = await d.get.code(phone)
    await d.when.type('code', code === '000000' ? '000001' : '000000')
    await d.when.click('send')
    expect(await d.sees('the wrong code', () => d.get.text('problem'))).toContain('验证码')
    await d.get.shot('phone-code')
    await d.when.offline(true)
    await d.when.type('code', code)
    await d.when.click('send')
    await d.sees('that the line is down', async () => (await d.get.text('problem')).includes('网络'))
    await d.when.offline(false)
    await d.when.click('send')
    await d.sees('that it was received', () => d.get.seen('done'))
    await d.get.shot('phone-done')
    expect(await d.get.serious()).toEqual([])
    const link = await d.get.value('link')
    const messages = await d.sees('the link arrives', async () => {
      const all = await d.get.messages()
      return all.some(m => m.to === phone && m.text.includes(link)) && all
    })
    expect(messages.filter(m => m.to === phone)).toHaveLength(2)

    await d.given.visit(new URL(link).pathname + new URL(link).hash)
    await d.sees('what became of it', () => d.get.seen('state'))
    const when = await d.sees('when, in the city', () => d.get.text('when'))
    expect(await d.get.text('own-text')).toBe(words)
    const clock = new Intl.DateTimeFormat('zh-CN', { timeZone: 'Asia/Shanghai', timeStyle: 'short', hourCycle: 'h23' })
    const now = Date.now()
    const times = [0, 1, 2].map(m => clock.format(now - m * 60_000))
    expect(times.filter(t => t === /\d\d:\d\d/.exec(when)?.[0])).toHaveLength(1)
    expect(await d.get.scripts()).toBe(0)
    expect(await d.get.text('where')).toContain('人民路 12 号')
    expect(await d.get.body()).not.toContain(phone)
    await d.get.shot('phone-follow')
    expect(await d.get.serious()).toEqual([])
    expect(await d.get.small()).toEqual([])
    expect(await d.get.overflow()).toBe(0)
    const secret = new URL(link).hash.slice(1)
    expect(d.asked.splice(0).filter(a => a.includes(secret))).toEqual([])
  })

  it('finds the way from where others sign in', async () => {
    await d.given.visit('/haining')
    await d.sees('the way', () => d.get.seen('resident-report'))
    await d.get.shot('phone-sign-in')
    await d.when.click('resident-report')
    await d.sees('the first step', () => d.get.seen('step-photo'))
  })

  it('reports by e-mail, in English', async () => {
    const email = `li${unique()}@example.org`
    await d.given.visit('/haining/report', { locale: 'en', size: desk })
    await d.sees('the first step', () => d.get.seen('step-photo'))
    await d.get.shot('desk-photo')
    await upToContact('loud')
    await d.when.click('channel-email')
    await d.when.type('contact-to', email)
    await d.when.click('get-code')
    await d.sees('the code is on its way', () => d.get.seen('code-sent'))
    await d.when.type('code', await d.get.code(email))
    await d.get.shot('desk-contact')
    expect(await d.get.body()).not.toMatch(/\p{Script=Han}{4}/u)
    await d.when.click('send')
    await d.sees('that it was received', () => d.get.seen('done'))
    await d.get.shot('desk-done')
  })

  it('loses nothing when the page is loaded anew, and hears when the phone may not tell where it is', async () => {
    await d.given.visit('/haining/report', { position: null })
    await d.when.click('next')
    await d.when.choose('16')
    await d.when.click('gps')
    await d.sees('why not', () => d.get.seen('gps-trouble'))
    await d.when.type('place-words', '盐官镇')
    await d.sees('it is kept', () => d.get.saved())
    await d.when.reload()
    await d.sees('the same step', () => d.get.seen('step-place'))
    expect(await d.get.value('place-words')).toBe('盐官镇')
  })

  it('points the place out where the map is open', async () => {
    await d.given.visit('/haining/report', { as: 'planner', position: { ...place, accuracy: 60 } })
    await d.when.click('next')
    await d.when.choose('16')
    await d.sees('the place', () => d.get.seen('step-place'))
    expect([...d.scripts.keys()].filter(p => /maplibre/.test(p))).toEqual([])
    await d.when.click('want-map')
    await d.sees('the map', () => d.get.seen('place-map'))
    await d.when.click('gps')
    expect(await d.sees('the position', () => d.get.text('spot'))).toContain('60 米')
    await new Promise(done => setTimeout(done, 1500))
    await d.get.shot('phone-accuracy')
    await d.sees('the pin', async () => {
      await d.when.clickMap()
      return d.get.seen('spot')
    })
    await d.when.click('gps')
    await d.sees('the position', async () => (await d.get.text('spot')).includes('60 米'))
    await d.when.dragPin(30, 20)
    await d.sees('it was set by hand', async () => !(await d.get.text('spot')).includes('60 米'))
    await d.when.type('place-search', '长安')
    await d.sees('places', () => d.get.seen('place-found'))
    await d.get.shot('phone-search')
    await d.when.click('place-found')
    expect(await d.get.value('place-words')).toContain('长安')
    await new Promise(done => setTimeout(done, 1500))
    await d.get.shot('phone-map')
    expect(await d.get.seen('map-trouble')).toBe(false)
    expect(await d.get.small()).toEqual([])
    expect(await d.get.overflow()).toBe(0)
    expect(d.asked.splice(0).filter(a => /tiles\/(heat|reports)/.test(a))).toEqual([])
    expect(await d.get.serious()).toEqual([])
  })

  it('is told of a link that is not whole, and of one that leads nowhere', async () => {
    await d.given.visit('/haining/r#abc')
    await d.sees('that it is not whole', () => d.get.seen('no-secret'))
    await d.given.visit(`/haining/r#${'A'.repeat(43)}`)
    await d.sees('that there is none', () => d.get.seen('gone'))
    await d.get.shot('phone-gone')
  })

  it('is told where the city takes no reports', async () => {
    await d.given.open(false)
    try {
      await d.given.visit('/haining/report')
      await d.sees('that it is closed', () => d.get.seen('closed'))
      await d.get.shot('phone-closed')
    } finally {
      await d.given.open(true)
    }
  })
})

describe('a resident without a line', () => {
  const poster = '/haining/report?village=330481103200'

  it('writes and photographs, is gone, comes back, and tells it once', async () => {
    const [phone, words] = [`139${unique()}`, `没有网络时写的 ${unique()}`]
    await d.given.ready(poster, { position: place })
    await d.sees('whose poster it is', () => d.get.seen('from-poster'))
    await d.when.offline(true)
    await d.sees('that it is said', () => d.get.seen('offline'))
    await d.when.tryPhoto(Buffer.from('no picture'))
    await d.sees('that it is none', () => d.get.seen('photo-trouble'))
    await d.when.photo()
    await d.when.click('next')
    await d.sees('the items', () => d.get.seen('step-item'))
    await d.sees('it is kept', () => d.get.saved())

    await d.when.killPage(poster)
    await d.sees('what was begun', () => d.get.seen('kept-draft'))
    expect(await d.get.text('kept-draft')).toContain('1 张照片')
    await d.get.shot('phone-kept')
    expect(await d.get.serious()).toEqual([])
    expect(await d.get.small()).toEqual([])
    await d.when.click('resume')
    await d.when.choose('12')
    await d.sees('the place', () => d.get.seen('step-place'))
    await d.when.click('back')
    await d.when.click('back')
    await d.sees('the photo', () => d.get.seen('photo'))
    await d.when.click('next')
    await d.when.click('next')
    await d.when.click('gps')
    await d.sees('the position', () => d.get.seen('spot'))
    await d.when.type('text', words)
    await d.when.click('next')
    await d.when.type('contact-to', phone)
    await d.sees('that a code takes a line', () => d.get.seen('code-off'))
    await d.get.shot('phone-contact-offline')
    await d.when.click('get-code')
    expect(await d.sees('why not', () => d.get.text('code-trouble'))).toContain('网络')
    await d.sees('it is kept', () => d.get.saved())

    await d.when.offline(false)
    await d.when.killPage(poster)
    await d.when.click('resume')
    await d.sees('the same step', () => d.get.seen('step-contact'))
    expect(await d.get.value('contact-to')).toBe(phone)
    await d.when.click('get-code')
    await d.sees('the code is on its way', () => d.get.seen('code-sent'))
    await d.sees('it is kept', () => d.get.saved())
    await d.when.reload()
    await d.sees('it is still waited for', () => d.get.seen('code-sent'))
    expect(await d.get.enabled('get-code')).toBe(false)
    await d.when.type('code', await d.get.code(phone))
    await d.when.portal(true)
    await d.when.click('send')
    await d.sees('a portal’s page is no receipt', async () => (await d.get.text('problem')).includes('网络'))
    await d.when.portal(false)
    // The photo’s way is blocked: the report is told all the same, and the photo goes when the page is opened again.
    await d.when.portal(true, 502, '**/public/uploads**')
    await d.when.click('send')
    await d.sees('that it was received', () => d.get.seen('done'))
    await d.sees('that the photo waits', async () => (await d.get.state()) === 'line')
    await d.get.shot('phone-done-line')
    expect((await reports(words)).map(r => r.photos)).toEqual([0])
    await d.when.killPage(poster)
    await d.sees('that it still waits', async () => (await d.get.state()) === 'line')
    await d.when.portal(false, 502, '**/public/uploads**')
    await d.sees('that it has come', async () => (await d.get.state()) === 'done', 90_000)
    expect(await d.get.text('delivery')).toContain('1 张照片都已收到')
    await d.sees('nothing is left on the phone', async () => {
      const left = await d.get.left()
      return left.drafts === 0 && left.files === 0
    })
    const where = (await d.api('desk', `/locate?lon=${place.longitude}&lat=${place.latitude}&accuracy_m=18`)) as Told
    const filed = await reports(words)
    expect(filed.map(r => r.photos)).toEqual([1])
    expect(filed[0]!.placement.grid?.code).toBe(where.placement.grid?.code)
    expect(where.placement.grid?.code).toBeTruthy()
    // The worker keeps the page’s own files alone.
    const cached = await d.get.cached()
    expect(cached.length).toBeGreaterThan(3)
    expect(cached.filter(p => /v1|maplibre|\/field/.test(p))).toEqual([])
  })

  it('throws away what was begun, and it is gone', async () => {
    await d.given.ready('/haining/report')
    await d.when.photo()
    await d.sees('that it is kept here', () => d.get.seen('kept-here'))
    await d.when.click('discard-this')
    await d.when.click('discard-this')
    await d.sees('that it is gone', () => d.get.seen('discarded'))
    expect(await d.get.left()).toEqual({ drafts: 0, files: 0 })
    await d.when.photo()
    await d.when.click('next')
    await d.sees('it is kept', () => d.get.saved())
    await d.when.killPage('/haining/report')
    await d.when.click('discard')
    await d.sees('the first step', () => d.get.seen('step-photo'))
    expect(await d.get.count('photo')).toBe(0)
    expect(await d.get.left()).toEqual({ drafts: 0, files: 0 })
  })

  it('is told of a draft that cannot be opened, and goes on', async () => {
    await d.given.ready('/haining/report')
    await d.when.leaveStrangeDraft()
    await d.when.reload()
    expect(await d.sees('that there is one', () => d.get.text('closed-drafts'))).toContain('1')
    await d.get.shot('phone-closed-draft')
    await d.when.click('drop-closed')
    await d.sees('it is gone', async () => (await d.get.left()).drafts === 0)
    await d.sees('the first step', () => d.get.seen('step-photo'))
  })

  it('is told when there is no room on the phone, and that the page has to stay', async () => {
    const before = () => {
      const put = IDBObjectStore.prototype.put
      IDBObjectStore.prototype.put = function (...args: Parameters<typeof put>) {
        if (this.name === 'draft' || this.name === 'blob') throw new DOMException('full', 'QuotaExceededError')
        return put.apply(this, args)
      }
    }
    await d.given.visit('/haining/report', { before })
    await d.sees('the first step', () => d.get.seen('step-photo'))
    await d.when.tryPhoto()
    expect(await d.sees('why not', () => d.get.text('photo-trouble'))).toContain('空间不够')
    await d.when.click('next')
    await d.when.choose('16')
    await d.sees('that it is not kept', () => d.get.seen('unkept'))
  })

  it('writes all the same where the browser keeps nothing', async () => {
    const before = () => {
      IDBFactory.prototype.open = () => {
        throw new DOMException('refused', 'SecurityError')
      }
    }
    await d.given.visit('/haining/report', { before })
    await d.sees('that it is said', () => d.get.seen('unlasting'))
    await d.when.photo()
    await upToContact('一次写完')
    expect(await d.get.seen('kept-here')).toBe(false)
  })

  it('keeps all where too many codes were asked for', async () => {
    await d.given.visit('/haining/report')
    await upToContact('太频繁')
    await d.when.refuse('**/public/codes', 429, 'too_many_codes', 150)
    await d.when.type('contact-to', `137${unique()}`)
    await d.when.click('get-code')
    expect(await d.sees('how long to wait', () => d.get.text('code-trouble'))).toContain('3 分钟')
    await d.when.letThrough()
    await d.sees('it is kept', () => d.get.saved())
    await d.when.reload()
    await d.sees('the same step', () => d.get.seen('step-contact'))
    await d.when.click('get-code')
    await d.sees('the code is on its way', () => d.get.seen('code-sent'))
  })

  it('opens with a portal before the line', async () => {
    await d.given.visit('/haining/report')
    await d.sees('the first step', () => d.get.seen('step-photo'))
    await d.when.portal(true)
    await d.when.reload()
    await d.sees('the first step', () => d.get.seen('step-photo'))
    expect(await d.get.seen('closed')).toBe(false)
  })
})

describe('the page at each size', () => {
  const sizes = [
    { width: 390, height: 844 },
    { width: 360, height: 640 },
  ]
  for (const size of sizes)
    for (const locale of ['zh', 'en'] as const)
      for (const theme of ['light', 'dark'] as const)
        it(`${size.width} ${locale} ${theme}`, async () => {
          const shot = (name: string) => d.get.shot(`${name}-${size.width}-${locale}-${theme}`)
          const fits = async () => {
            expect(await d.get.serious()).toEqual([])
            expect(await d.get.small()).toEqual([])
            expect(await d.get.overflow()).toBe(0)
          }
          await d.given.visit('/haining/report?village=330481103200', { size, locale, theme, position: place })
          await d.sees('the first step', () => d.get.seen('step-photo'))
          await shot('1-photo')
          await d.when.photo()
          await shot('1-photo-taken')
          await fits()
          await d.when.click('next')
          await d.sees('the items', () => d.get.seen('step-item'))
          await shot('2-item')
          await fits()
          await d.when.choose('12')
          await d.when.click('gps')
          await d.sees('the position', () => d.get.seen('spot'))
          await shot('3-place')
          await fits()
          await d.when.click('next')
          const phone = `136${unique()}`
          await d.when.type('contact-to', phone)
          await shot('4-contact')
          await d.when.click('get-code')
          await d.sees('the code is on its way', () => d.get.seen('code-sent'))
          await d.when.type('code', await d.get.code(phone))
          await shot('4-code')
          await fits()
          await d.when.zoomText(200)
          expect(await d.get.overflow()).toBe(0)
          await shot('4-code-200')
          await d.when.click('send')
          await d.sees('the photo has come', async () => (await d.get.state()) === 'done')
          await shot('5-done-200')
          expect(await d.get.overflow()).toBe(0)
          await d.when.zoomText(100)
          await shot('5-done')
          await fits()
          const link = new URL(await d.get.value('link'))
          await d.when.open(link.pathname + link.hash)
          await d.sees('the photos', () => d.get.seen('follow-photos'))
          await shot('6-follow')
          await fits()
        })
})

describe('the outbox', () => {
  it('shows an administrator what was sent, and nobody else', async () => {
    await d.given.visit('/haining/outbox', { as: 'administrator', size: desk })
    await d.sees('messages', () => d.get.seen('message'))
    await d.get.shot('desk-outbox')
    expect(await d.get.serious()).toEqual([])
    await d.given.visit('/haining/outbox', { as: 'desk' })
    await d.sees('that it is not allowed', () => d.get.seen('denied'))
    await d.given.visit('/haining/outbox')
    await d.sees('that one has to sign in', () => d.get.seen('denied'))
  })
})

describe('the settings of messages', () => {
  it('are an administrator’s, and a test message shows whether they work', async () => {
    const email = `test${unique()}@example.org`
    await d.given.visit('/haining/settings', { as: 'administrator', size: desk })
    await d.sees('the section', () => d.get.seen('save-messages'))
    await d.when.type('test-to', email)
    await d.when.click('send-test')
    await d.sees('the message', async () => (await d.get.messages()).some(m => m.to === email))
    await d.get.shot('desk-settings')
    expect(await d.get.serious()).toEqual([])
  })

  it('say why they are refused, and what goes when a way is switched off', async () => {
    const problem = (words: string) => async () => (await d.get.text('messages-problem')).includes(words)
    await d.given.visit('/haining/settings', { as: 'administrator', size: desk })
    await d.sees('the section', () => d.get.seen('save-messages'))
    await d.when.click('smtp-on')
    await d.when.type('smtp-host', 'https://mail.example.com/')
    await d.when.type('smtp-from', 'grid@example.com')
    await d.when.click('save-messages')
    await d.sees('that it is no name', problem('主机名'))
    expect(await d.get.focused()).toBe('smtp-host')
    await d.when.type('smtp-host', 'mail.example.com')
    await d.when.pick('smtp-tls', 'none')
    await d.when.click('save-messages')
    await d.sees('that it has to be encrypted', problem('先连接后加密'))
    expect(await d.get.serious()).toEqual([])
    await d.when.pick('smtp-tls', 'starttls')
    await d.when.click('save-messages')
    await d.sees('that it is kept', () => d.get.seen('messages-saved'))
    await d.when.click('smtp-on')
    expect(await d.get.text('smtp-dropped')).toContain('清除')
    await d.get.shot('desk-settings-dropped')
    await d.when.click('smtp-on')
    expect(await d.get.value('smtp-host')).toBe('mail.example.com')
    await d.when.click('sms-on')
    await d.when.type('sms-url', 'http://sms.example.com/send')
    await d.when.click('save-messages')
    await d.sees('that it has to be encrypted', problem('https'))
    await d.when.type('sms-url', 'https://sms.example.com/send')
    await d.when.type('sms-body', '{"to": "{{.To}}", "text": "{{.Text}}"}')
    await d.when.click('save-messages')
    await d.sees('what is wrong with the template', problem('{{json .Text}}'))
    await d.when.click('sms-on')
    await d.when.click('smtp-on')
    await d.when.click('save-messages')
    await d.sees('that it is kept', () => d.get.seen('messages-saved'))
    expect(await d.get.seen('smtp-dropped')).toBe(false)
  })
})
