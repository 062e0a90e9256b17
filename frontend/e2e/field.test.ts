import { v7 } from 'uuid'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type At, FieldDriver } from './fielddriver'

let d: FieldDriver
/** Points in the worker's own grid, each with the grid that the service itself names. */
let here: At[]
let home: string
beforeAll(async () => {
  d = await FieldDriver.start()
  const own = (await d.get.ground()).filter(g => g.own)
  home = own[0]!.code
  here = pointsIn(own[0]!.shape)
})
afterAll(async () => {
  await d?.stop()
})
/** What the browser says by itself of lines that a test breaks. */
const provoked =
  /Failed to load resource|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_FAILED/
afterEach(() => {
  expect(d.complaints.splice(0).filter(c => !provoked.test(c))).toEqual([])
  expect(d.foreign.splice(0)).toEqual([])
})

/** Points between the middle of a face and its vertices. */
function pointsIn(shape: [number, number][][][]): At[] {
  const ring = shape[0]![0]!.slice(1)
  const mid = ring.reduce((s, p) => [s[0] + p[0] / ring.length, s[1] + p[1] / ring.length] as [number, number], [0, 0])
  return ring.map(([x, y]) => ({ lon: mid[0] + 0.6 * (x - mid[0]), lat: mid[1] + 0.6 * (y - mid[1]) }))
}

interface Told {
  id: string
  num: number
  item: string
  lon: number
  lat: number
  placement: { grid?: { code: string } }
}
/** What the worker has told, as the service has it; photos by report. */
async function told(): Promise<{ list: Told[]; photos: number }> {
  const list: Told[] = []
  for (let after = ''; ; ) {
    const page = await d.api<{ reports: Told[]; next?: string }>(
      'grid_worker',
      `/reports?from=2026-11-02&limit=100${after && `&after=${encodeURIComponent(after)}`}`,
    )
    list.push(...page.reports)
    if (!page.next) break
    after = page.next
  }
  let photos = 0
  for (const r of list) photos += (await d.api<{ photos: unknown[] }>('grid_worker', `/cases/${r.num}`)).photos.length
  return { list, photos }
}

describe('the phone app', () => {
  it('asks who it is the first time, and then works without a line', async () => {
    await d.given.phone()
    await d.sees('the way in', () => d.get.seen('sign-in'))
    expect(await d.get.serious()).toEqual([])
    await d.given.ready()
    const bytes = [...d.scripts]
      .filter(([path]) => !/maplibre|spotmap|worker/.test(path))
      .reduce((s, [, n]) => s + n, 0)
    expect(bytes).toBeGreaterThan(20_000)
    expect(bytes).toBeLessThan(200_000)
    expect([...d.scripts.keys()].filter(p => /maplibre/.test(p))).toEqual([])
    await d.when.offline(true)
    await d.when.killPage()
    await d.sees('the start page', () => d.get.seen('take'))
    await d.when.click('tab-card')
    expect(await d.get.count('card-item')).toBe(16)
    await d.when.offline(false)
  })

  it('takes a report without a line, keeps it over a restart, and tells it when there is one', async () => {
    await d.given.ready()
    await d.when.offline(true)
    await d.when.stand({ ...here[0]!, accuracy: 8 })
    await d.when.click('take')
    await d.when.noPhoto()
    await d.sees('the refusal', () => d.get.seen('photo-trouble'))
    await d.when.photo()
    await d.when.click('to-item')
    await d.when.type('item-search', '张贴')
    expect(await d.get.count('item')).toBe(1)
    await d.when.item('12')
    expect(await d.sees('the grid', () => d.get.grid())).toBe(await gridOf(here[0]!))
    await d.when.type('text', '墙上贴了三张')
    await d.when.click('send')
    await d.sees('it is kept', () => d.get.seen('kept'))
    await d.when.killPage()
    expect(await d.sees('one waits', () => d.get.text('waiting'))).toContain('1')
    await d.when.offline(false)
    await d.when.click('tab-outbox')
    await d.sees('it is told', async () => (await d.get.states())[0] === 'sent')
    expect(await d.get.text('receipt')).toMatch(/收到/)
    const { list, photos } = await told()
    expect(list.map(r => r.placement.grid?.code)).toEqual([home])
    expect(photos).toBe(1)
  })

  it('takes what comes back as the service alone for an answer', async () => {
    await d.given.ready()
    await d.when.portal(true)
    const before = (await told()).list.length
    await d.when.report(here[1]!)
    await d.when.click('tab-outbox')
    await d.sees('it waits', async () => (await d.get.states())[0] === 'waiting')
    await d.when.portal(false)
    await d.when.click('send-now')
    await d.sees('it is told', async () => (await d.get.states())[0] === 'sent')
    expect((await told()).list.length).toBe(before + 1)
  })

  it('keeps what was not told for the same person, whoever signs in meanwhile', async () => {
    await d.given.ready()
    await d.when.offline(true)
    await d.when.report(here[2]!)
    await d.when.expire()
    await d.when.offline(false)
    await d.sees('it says why it waits', () => d.get.seen('held'))
    const before = (await told()).list.length
    await d.when.signInAs('grid_leader')
    await d.when.reload()
    // The phone is the leader's now: what they tell is theirs, and what the worker has left is neither read nor sent.
    expect(await d.sees('it belongs to another', () => d.get.text('others'))).toContain('1 条')
    await d.when.click('tab-outbox')
    expect(await d.get.states()).toEqual([])
    expect((await told()).list.length).toBe(before)
    await d.when.expire()
    await d.when.signInAs('grid_worker')
    await d.when.reload()
    await d.sees('it is told', async () => (await told()).list.length === before + 1)
    expect(await d.get.databases()).toHaveLength(2)
    expect(await d.get.seen('others')).toBe(false)
  })

  it('asks before anything is thrown away with the account, and then leaves nothing', async () => {
    await d.given.ready()
    await d.when.offline(true)
    await d.when.report(here[3 % here.length]!)
    await d.when.portal(true) // before there is a line: else it is told before one can leave
    await d.when.offline(false)
    await d.when.click('leave')
    await d.sees('the question', () => d.get.seen('leave-held'))
    expect(await d.get.serious()).toEqual([])
    await d.when.click('leave-discard')
    await d.sees('the way in', () => d.get.seen('nobody'))
    expect(await d.get.databases()).toEqual([])
    await d.when.portal(false)
    // Without a line the service has not heard of it: nobody is let in again before it has.
    await d.when.killPage()
    await d.sees('nobody is here', () => d.get.seen('nobody'))
  })
})

const gridOf = (at: At) => d.get.placed(at)

interface Matter {
  case: { state: string; version: number }
  acts: { act: string; measure?: string }[]
  late: unknown[]
  photos: unknown[]
}
const matter = (ref: string) => d.api<Matter>('desk', `/cases/${ref}`)
const act = async (login: string, ref: string, what: Record<string, unknown>) =>
  d.api(login, `/cases/${ref}/acts`, { version: (await matter(ref)).case.version, ...what })

describe('a task', () => {
  /** A report of somebody, which the desk wants to be looked at. */
  async function askedFor(): Promise<string> {
    const { num } = await d.api<{ num: number }>('grid_worker', '/reports', {
      id: v7(),
      source: 'phone',
      captured_at: new Date().toISOString(),
      lon: here[0]!.lon,
      lat: here[0]!.lat,
      item: '12',
      text: '墙上有小广告',
    })
    await act('desk', String(num), { act: 'ask_confirm' })
    return String(num)
  }

  it('is looked at, settled and ended without a line, and told in this order', async () => {
    const ref = await askedFor()
    await d.given.ready()
    await d.when.offline(true)
    await d.when.click('tab-tasks')
    await d.sees('the task', async () => (await d.get.tasks()).includes(ref))
    await d.when.task(ref)
    expect(await d.get.serious()).toEqual([])
    await d.when.click('act-confirm')
    await d.when.click('keep-act')
    await d.sees('the next step of it', async () => (await d.get.tasks()).includes(ref))
    await d.when.task(ref)
    await d.when.click('act-self_settle')
    await d.when.click('keep-act')
    expect(await d.get.text('lack')).toContain('拍照')
    await d.when.photo()
    await d.when.click('keep-act')
    await d.sees('the last step of it', async () => (await d.get.tasks()).includes(ref))
    await d.when.killPage()
    await d.when.click('tab-tasks')
    await d.when.task(ref)
    await d.when.click('act-settle')
    await d.when.photo()
    // Something came between: what was begun is taken up where it was.
    await d.when.goTo('/')
    await d.sees('it is kept', () => d.get.seen('draft'))
    await d.when.killPage()
    await d.when.click('draft')
    await d.sees('its photo', async () => (await d.get.count('photo')) === 1)
    await d.when.check('dissuaded')
    await d.when.click('keep-act')
    await d.sees('it is no task any more', async () => !(await d.get.tasks()).includes(ref))
    await d.when.offline(false)
    const done = await d.sees('it is told', async () => {
      const m = await matter(ref)
      return m.case.state === 'closed' && m
    })
    expect(done.acts.map(a => a.act)).toEqual(['ask_confirm', 'confirm', 'self_settle', 'settle'])
    expect(done.acts.at(-1)!.measure).toBe('dissuaded')
    expect(done.photos).toHaveLength(2)
  })

  it('stands on the map, also without a line, and leads back to it', async () => {
    const ref = await askedFor()
    await d.given.ready()
    await d.when.offline(true)
    await d.when.stand({ ...here[1]!, accuracy: 40 })
    await d.when.click('tab-tasks')
    await d.when.click('as-map')
    await d.sees('its mark', () => d.get.seen('mark'))
    await d.when.click('nearest')
    await d.sees('where one stands', () => d.get.standing())
    await d.when.mark(ref)
    expect(await d.get.tasks()).toEqual([ref])
    expect(await d.get.serious()).toEqual([])
    expect(await d.get.small()).toEqual([])
    await d.get.shot('field-tasks-map')
    await d.when.task(ref)
    await d.sees('the task', () => d.get.seen('act-confirm'))
    await d.when.click('task-back')
    await d.sees('the map', () => d.get.seen('mark'))
    await d.when.offline(false)
  })

  it('that somebody else was quicker with is kept beside what they did, and both are told', async () => {
    const ref = await askedFor()
    await d.given.ready()
    await d.when.offline(true)
    await d.when.click('tab-tasks')
    await d.when.task(ref)
    await d.when.click('act-confirm-no')
    await d.when.type('reason', '只有一张，已经掉了')
    await d.when.photo()
    await d.when.click('keep-act')
    await act('grid_leader', ref, { act: 'confirm', verdict: true, reason: '三张都在' })
    await d.when.offline(false)
    await d.when.click('tab-outbox')
    await d.sees('the conflict', async () => (await d.get.states())[0] === 'conflict')
    const conflict = await d.get.text('conflict')
    for (const said of ['只有一张，已经掉了', '三张都在', '不属实', '1 张照片', '已上报', '“晚到”'])
      expect(conflict).toContain(said)
    expect(await d.get.serious()).toEqual([])
    expect(await d.get.overflow()).toBe(0)
    expect(await d.get.small()).toEqual([])
    await d.get.shot('field-conflict')
    await d.when.click('to-case')
    await d.sees('what came too late', () => d.get.seen('late-act'))
    expect(await d.get.text('late-act')).toContain('只有一张，已经掉了')
    await d.sees('what may be done now', async () => !(await d.get.seen('act-confirm')))
    expect(await d.get.serious()).toEqual([])
    await d.get.shot('field-late')

    const now = await matter(ref)
    expect(now.acts.filter(a => a.act === 'confirm')).toHaveLength(1)
    expect(now.late).toMatchObject([
      { act: 'confirm', verdict: false, reason: '只有一张，已经掉了', seen: 1, after: 2 },
    ])
    expect(now.photos).toHaveLength(1)
    const desk = await d.get.history('desk', ref)
    expect(desk.late).toContain('只有一张，已经掉了')
    expect(desk.late).toContain('现场核实')
    expect(desk.photos).toBe(1)
    const told = await d.api<{ notices: { step: string; why: string; case: string }[] }>('grid_leader', '/notices')
    expect(told.notices.filter(n => n.case === ref)).toMatchObject([{ step: 'late', why: 'quicker' }])

    await d.when.click('tab-outbox')
    await d.when.click('discard')
    await d.sees('it is gone', async () => (await d.get.states()).length === 0)
  })

  it('on two phones of one account is done once; what each told else is there', async () => {
    const ref = await askedFor()
    const other = d.another()
    const phones = [d, other]
    const before = (await told()).list.length
    for (const p of phones) {
      await p.given.ready()
      await p.when.offline(true)
      await p.when.report(here[0]!)
      await p.when.click('tab-tasks')
      await p.when.task(ref)
      await p.when.click('act-confirm')
      await p.when.click('keep-act')
    }
    for (const p of phones) {
      await p.when.offline(false)
      await p.when.click('tab-outbox')
    }
    const ends = new Set<string>()
    for (const p of phones)
      await d.sees('all has an end', async () => {
        const s = await p.get.states()
        if (s.length !== 2 || s.some(o => o !== 'sent' && o !== 'conflict')) return false
        for (const o of s) ends.add(o)
        return true
      })
    expect(ends).toEqual(new Set(['sent', 'conflict']))
    expect((await matter(ref)).acts.filter(a => a.act === 'confirm')).toHaveLength(1)
    expect((await told()).list.length).toBe(before + 2)
    expect([...other.complaints.filter(c => !provoked.test(c)), ...other.foreign]).toEqual([])
    await other.putAway()
  })
})

describe('a patrol', () => {
  interface Point {
    id: number
    lon: number
    lat: number
    last_at?: string
  }
  const points = async () => (await d.api<{ points: Point[] }>('grid_worker', '/patrols/points')).points

  it('keeps that somebody was at a point, without a line, and tells it; nothing of the way', async () => {
    const [first, ...rest] = await points()
    await d.given.ready()
    await d.when.offline(true)
    await d.when.stand({ lon: first!.lon + 0.01, lat: first!.lat })
    await d.when.click('to-patrol')
    expect(await d.get.count('point')).toBe(rest.length + 1)
    expect(await d.get.serious()).toEqual([])
    expect(await d.get.small()).toEqual([])
    await d.when.click('begin-patrol')
    await d.get.shot('field-patrol')
    await d.when.stand({ lon: first!.lon, lat: first!.lat + 0.0003 })
    await d.sees('it was there', () => d.get.visited())
    await d.when.click('end-patrol')
    await d.when.offline(false)
    await d.when.click('tab-outbox')
    await d.sees('it is told', async () => (await d.get.states()).every(s => s === 'sent'))
    const now = (await points()).find(p => p.id === first!.id)!
    expect(Date.parse(now.last_at!)).toBeGreaterThan(Date.now() - 120_000)
  })
})

describe('where it was', () => {
  interface Seen {
    num: number
    device?: { plan?: string; grid?: string; sure?: boolean; position_at?: string }
    flags: { flag: string; metres?: number }[]
    placement: { method: string; grid?: { code: string } }
  }
  const latest = async (): Promise<Seen> => {
    const { list } = await told()
    const num = Math.max(...list.map(r => r.num))
    return d.api<Seen>('desk', `/reports/${num}`)
  }

  it('the phone says where it placed it, and by which plan', async () => {
    await d.given.ready()
    await d.when.report(here[0]!)
    await d.sees('it is told', () => d.get.seen('line').then(async () => (await d.get.text('line')) === '全部已送达'))
    const { device, flags, placement } = await latest()
    expect(device).toMatchObject({ grid: home, sure: true })
    expect(Date.parse(device!.position_at!)).toBeGreaterThan(Date.now() - 120_000)
    expect(placement.grid?.code).toBe(home)
    expect(flags.filter(f => f.flag !== 'too_fast')).toEqual([]) // the tests jump about
  })

  it('300 km away is told before, kept, and worth a look', async () => {
    await d.given.ready()
    await d.when.offline(true)
    await d.when.stand({ ...here[0]!, lon: here[0]!.lon - 3.1 })
    await d.when.goTo('/report')
    await d.when.click('to-item')
    await d.when.item('12')
    expect(await d.sees('that it is far', () => d.get.text('far'))).toContain('10 公里')
    await d.when.click('send')
    await d.sees('it is kept', () => d.get.seen('kept'))
    await d.when.offline(false)
    await d.when.click('to-outbox')
    await d.sees('it is told', async () => (await d.get.states())[0] === 'sent')
    expect(await d.get.text('nowhere')).not.toBe('')
    const seen = await d.api<Seen>('grid_worker', `/reports/${/\d{5,}/.exec(await d.get.text('receipt'))![0]}`)
    expect(seen.placement.method).toBe('unplaced')
    expect(seen.flags.map(f => f.flag)).toContain('far')
  })
})

describe('in the way', () => {
  it('a newer app is taken over with the outbox full, and tells what the older one has kept', async () => {
    await d.given.ready()
    await d.when.offline(true)
    await d.when.report(here[0]!, { photos: 1 })
    await d.when.report(here[1]!)
    await d.when.portal(true) // nothing is told yet, but the newer app comes
    await d.server.update()
    await d.when.offline(false)
    await d.when.reload()
    await d.sees('there is a newer one', () => d.get.seen('updated'))
    const before = (await told()).list.length
    await d.when.click('take-over')
    await d.sees('it has begun anew', async () => !(await d.get.seen('updated')) && (await d.get.seen('take')))
    expect(await d.get.text('waiting')).toContain('2')
    await d.when.portal(false)
    await d.when.click('tab-outbox')
    await d.sees('all are told', async () => (await d.get.states()).every(s => s === 'sent'))
    expect((await told()).list.length).toBe(before + 2)
  })

  it('where the phone is full nothing is taken as kept that is not, and it goes on once there is room', async () => {
    await d.given.ready()
    await d.when.stand(here[0]!)
    await d.when.room(2_000)
    await d.when.click('take')
    await d.when.noRoomForPhoto()
    expect(await d.sees('why', () => d.get.text('photo-trouble'))).toMatch(/空间/)
    expect(await d.get.count('photo')).toBe(0)
    expect(await d.get.serious()).toEqual([])
    await d.when.room(null)
    await d.when.click('take')
    await d.when.photo()
    await d.when.click('to-item')
    await d.when.item('12')
    await d.sees('the grid', () => d.get.grid())
    await d.when.click('send')
    await d.sees('it is kept', () => d.get.seen('kept'))
    await d.when.click('to-outbox')
    await d.sees('it is told', async () => (await d.get.states()).every(s => s === 'sent'))
  })

  it('a proxy that takes no large parts gets smaller ones; one that takes none costs the photo, and that is said', async () => {
    await d.given.ready()
    const before = await told()
    await d.when.proxy(70_000)
    await d.when.report(here[0]!, { photos: 1 })
    await d.when.click('tab-outbox')
    await d.sees('it is told', async () => (await d.get.states()).every(s => s === 'sent'))
    await d.when.goTo('/')
    await d.when.proxy(0)
    await d.when.report(here[1]!, { photos: 1 })
    await d.when.click('tab-outbox')
    await d.sees('why its photo is not there', () => d.get.seen('lost'))
    expect(await d.get.states()).toEqual(['sent', 'sent'])
    expect(await d.get.text('lost')).toContain('太大')
    expect(await d.get.small()).toEqual([])
    await d.get.shot('field-lost')
    const now = await told()
    expect([now.list.length - before.list.length, now.photos - before.photos]).toEqual([2, 1])
    await d.when.proxy(null)
    expect(await d.when.savePhoto()).toBeGreaterThan(1_000)
    await d.when.click('discard-photo')
    await d.sees('it is gone', async () => !(await d.get.seen('lost')))
  })
})

describe('a notice', () => {
  it('that is pushed is shown, the newer of a case in place of the older', async () => {
    await d.given.ready()
    const about = {
      city: 'haining',
      language: 'zh',
      title: '海宁市',
      tag: 'case-7',
      step: 'red',
      case: '7',
      urgent: true,
    }
    await d.when.push({ ...about, body: '案件 7 将到期' })
    await d.when.push({ ...about, body: '案件 7 已超时' })
    const shown = await d.sees('the newer', async () => {
      const all = await d.get.notifications()
      return all.some(n => n.body.includes('超时')) && all
    })
    expect(shown).toEqual([{ title: '海宁市', body: '案件 7 已超时', tag: 'case-7' }])
  })

  it('stands on the page where the service pushes none, and that is said', async () => {
    await d.given.ready()
    await d.sees('why', () => d.get.seen('notices'))
    expect(await d.get.text('notices')).toContain('页面')
  })
})

/** Lines break, the app is closed, the server dies: each report is there once, whole, and in its grid. */
describe('whatever happens', () => {
  const [acts, withPhoto] = process.env.GRIDGOV_SOAK ? [500, 200] : [16, 6]
  it(
    `tells ${acts} reports, ${withPhoto} with photos, once each`,
    async () => {
      await d.given.ready()
      const before = await told()
      const random = mulberry(7)
      const expected: string[] = []
      for (let i = 0; i < acts; i++) {
        if (random() < 0.5) await d.when.offline(random() < 0.6)
        const at = here[Math.floor(random() * here.length)]!
        await d.when.report(at, { photos: i % acts < withPhoto ? 1 : 0, item: String(1 + (i % 16)).padStart(2, '0') })
        expected.push((await gridOf(at)) ?? '')
        if (random() < 0.25) await d.when.killPage()
        if (i % Math.ceil(acts / 3) === 4) await d.server.crash()
      }
      await d.when.offline(false)
      await d.when.killPage()
      await d.when.click('tab-outbox')
      await d.sees('all are told', async () => (await d.get.states()).every(s => s === 'sent'), 120_000)
      const now = await told()
      const fresh = now.list.filter(r => !before.list.some(b => b.id === r.id))
      expect(fresh).toHaveLength(acts)
      expect(new Set(fresh.map(r => r.id)).size).toBe(acts)
      expect(fresh.map(r => r.placement.grid?.code).toSorted()).toEqual(expected.toSorted())
      expect(now.photos - before.photos).toBe(withPhoto)
    },
    process.env.GRIDGOV_SOAK ? 3_600_000 : 240_000,
  )
})

function mulberry(a: number): () => number {
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

describe.each([
  { width: 390, height: 844, letters: 1 },
  { width: 360, height: 640, letters: 1 },
  { width: 360, height: 640, letters: 2 },
])('at $width × $height, letters × $letters', ({ letters, ...size }) => {
  it.each([
    ['zh', 'light'],
    ['en', 'dark'],
  ] as const)('every page is in %s and %s, and for thumbs', async (locale, theme) => {
    const name = (page: string) =>
      d.get.shot(`field-${page}-${locale}-${theme}-${size.width}${letters > 1 ? '-large' : ''}`)
    await d.given.ready({ size, locale, theme, letters })
    const fits = async (page: string) => {
      await name(page)
      expect(await d.get.overflow(), page).toBe(0)
      expect(await d.get.small(), page).toEqual([])
      expect(await d.get.serious(), page).toEqual([])
    }
    await fits('home')
    await d.when.stand(here[0]!)
    await d.when.click('take')
    await fits('photo')
    await d.when.photo()
    await fits('photo-kept')
    await d.when.click('to-item')
    await fits('item')
    await d.when.item('12')
    await d.sees('the grid', () => d.get.grid())
    await d.sees('the map', () => d.get.drawn())
    await fits('place')
    await d.when.click('close')
    await d.sees('the draft', () => d.get.seen('draft'))
    await fits('draft')
    await d.when.click('draft')
    await d.sees('where it was left', () => d.get.seen('send'))
    await d.when.click('send')
    await d.sees('it is kept', () => d.get.seen('kept'))
    await fits('kept')
    await d.when.click('to-outbox')
    await d.sees('it is told', async () => (await d.get.states())[0] === 'sent')
    await fits('outbox')
    await d.when.click('tab-card')
    await d.when.click('card-item')
    await fits('card')
  })
})

describe('a voice note', () => {
  async function place() {
    await d.when.goTo('/report')
    await d.sees('the first step', () => d.get.seen('step-photo'))
    await d.when.stand(here[0]!)
    await d.when.click('to-item')
    await d.when.item('12')
    await d.sees('the grid', () => d.get.grid())
  }

  it('is spoken without a line, told when there is one, and heard on the report', async () => {
    await d.given.ready()
    await d.when.offline(true)
    await place()
    await d.when.speak(2)
    expect(await d.get.listening()).toBe(true)
    await d.when.click('voice-stop')
    await d.sees('it is kept', () => d.get.seen('voice-kept'))
    expect(await d.get.listening()).toBe(false)
    expect(await d.get.heard()).toBeGreaterThan(0)
    await d.when.click('voice-remove')
    expect(await d.get.seen('voice-kept')).toBe(false)
    await d.when.click('voice-undo')
    await d.sees('it is back', () => d.get.seen('voice-kept'))
    // The draft has it, over a restart.
    await d.when.killPage()
    await d.when.click('draft')
    await d.sees('it is still there', () => d.get.seen('voice-kept'))
    expect(await d.get.heard()).toBeGreaterThan(0)
    await d.when.click('send')
    await d.sees('it is kept', () => d.get.seen('kept'))
    await d.when.offline(false)
    await d.when.click('to-outbox')
    await d.sees('it is told', async () => (await d.get.states())[0] === 'sent')
    expect(await d.get.count('without-voice')).toBe(0)

    const { list } = await told()
    const voices = await Promise.all(
      list.map(r => d.api<{ num: number; voice?: { seconds: number; type: string } }>('desk', `/reports/${r.num}`)),
    )
    const [one] = voices.filter(r => r.voice)
    expect(one?.voice).toMatchObject({ type: 'audio/webm' })
    expect(one!.voice!.seconds).toBeGreaterThan(1)
    const duration = await d.get.heard('desk', one!.num)
    expect(Number.isFinite(duration)).toBe(true)
    expect(Math.abs(duration - one!.voice!.seconds)).toBeLessThan(0.2)
  })

  it('is kept as far as it was spoken when the page is left', async () => {
    await d.given.ready()
    await place()
    await d.when.speak(1)
    await d.when.click('close')
    await d.sees('the draft', () => d.get.seen('draft'))
    await d.when.click('draft')
    await d.sees('what was said', () => d.get.seen('voice-kept'))
  })

  it('goes with a report that is sent while somebody speaks', async () => {
    await d.given.ready()
    const before = await told()
    await place()
    await d.when.speak(1)
    await d.when.click('send')
    await d.sees('it is kept', () => d.get.seen('kept'))
    await d.when.click('to-outbox')
    await d.sees('it is told', async () => (await d.get.states())[0] === 'sent')
    const known = new Set(before.list.map(r => r.id))
    const [fresh] = (await told()).list.filter(r => !known.has(r.id))
    expect(await d.api('desk', `/reports/${fresh!.num}`)).toHaveProperty('voice.type', 'audio/webm')
  })

  it('that may not be recorded says what to do, and a report goes without it', async () => {
    await d.given.ready()
    await d.when.refuseMicrophone()
    await place()
    await d.when.click('voice-start')
    expect(await d.sees('why not', () => d.get.text('voice-trouble'))).toContain('麦克风权限')
    await d.when.click('send')
    await d.sees('it is kept', () => d.get.seen('kept'))
  })

  it.each([
    ['zh', 'light', 390, 844],
    ['zh', 'dark', 360, 640],
    ['en', 'light', 360, 640],
    ['en', 'dark', 390, 844],
  ] as const)('is for thumbs in %s, %s, at %s', async (locale, theme, width, height) => {
    await d.given.ready({ size: { width, height }, locale, theme })
    await place()
    const fits = async (page: string) => {
      await d.when.scrollToEnd()
      await d.get.shot(`voice-${page}-${locale}-${theme}-${width}`)
      expect(await d.get.overflow(), page).toBe(0)
      expect(await d.get.small(), page).toEqual([])
      expect(await d.get.serious(), page).toEqual([])
    }
    await fits('start')
    await d.when.speak(1)
    await fits('recording')
    await d.when.click('voice-stop')
    await d.sees('it is kept', () => d.get.seen('voice-kept'))
    await fits('kept')
    await d.when.click('voice-remove')
    await fits('removed')
  })
})
