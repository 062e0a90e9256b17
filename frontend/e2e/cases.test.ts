import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Driver } from './driver'

let d: Driver
let num = 0
let unit = 0
let spot = { lon: 0, lat: 0 }

beforeAll(async () => {
  d = await Driver.start()
  await d.given.visit('/haining', { as: 'duty_leader' })
  const session = await d.get.session()
  unit = session.posts[0].unit
  const { code } = session.posts[0].area
  const { reports } = await d.get.json(`/reports?town=${code}&method=inside&limit=1`)
  spot = { lon: reports[0].lon, lat: reports[0].lat }
  // Of an item that the demo's rules do not send by themselves.
  num = await d.given.filed('墙上小广告', spot, undefined, '12')
})
afterAll(() => d?.stop())

const open = (as: string, more = {}) => d.given.page(`/haining?sel=report:${num}`, { as, ...more })

describe('a case at work', () => {
  it('is accepted and dispatched by the desk', async () => {
    await open('desk')
    await d.sees('the usual next step', async () => (await d.get.text('act-accept_file_dispatch')) === '受理并派遣')
    await d.when.click('act-reject')
    await d.when.click('act-send')
    await d.sees('what is missing', async () => (await d.get.text('act-lacks')) === '请写明理由。')
    expect(await d.get.serious()).toEqual([])
    await d.when.press('Escape')
    await d.sees('the form is closed', async () => !(await d.get.seen('act-form')))
    await d.when.click('act-accept_file_dispatch')
    await d.sees('the units', () => d.get.seen('act-unit'))
    await d.sees('the leader’s unit among them', async () => {
      await d.when.pick('act-unit', String(unit))
      return (await d.get.value('act-unit')) === String(unit)
    })
    if (await d.get.seen('act-reason')) await d.when.type('act-reason', '归该队')
    await d.when.click('act-send')
    await d.sees('where it is now', async () => (await d.get.text('case-state')) === '已派遣')
    await d.sees('what was done', async () => (await d.get.text('case-history')).includes('派遣'))
    expect(await d.get.text('case-history')).toContain('本人')
    expect(d.complaints).toEqual([])
  })

  it('is received by the unit’s duty leader, who sees at once what the desk does meanwhile', async () => {
    await open('duty_leader')
    await d.sees('the usual next step', async () => (await d.get.text('act-receive')) === '签收')
    await d.when.click('act-return')
    await d.sees('the form', () => d.get.seen('act-form'))
    await d.given.done(num, { act: 'note', reason: '请先打电话' })
    await d.sees('what the desk did, by itself', async () => (await d.get.text('case-history')).includes('请先打电话'))
    await d.when.press('Escape')
    await d.when.click('act-receive')
    await d.sees('where it is now', async () => (await d.get.text('case-state')) === '已签收')
    await d.sees('the next step', () => d.get.seen('act-begin'))
    expect(await d.get.text('case-history')).toMatch(/签收/)
    expect(await d.get.seen('act-close')).toBe(false)
    expect(d.complaints).toEqual([])
  })

  it('has parts that are opened, and worked on by themselves', async () => {
    const whole = await d.given.filed('两件事', spot, undefined, '12')
    await d.given.done(whole, { act: 'accept' })
    await d.given.done(whole, { act: 'split', parts: [{}, { item: '04' }] })
    await d.given.page(`/haining?sel=report:${whole}`)
    await d.sees('its parts', async () => (await d.get.count('open-part')) === 2)
    await d.when.click('open-part')
    await d.sees('the part', async () => (await d.get.text('case-part')).includes(`${whole}-2`))
    await d.when.click('act-file_dispatch')
    await d.sees('the form', () => d.get.seen('act-send'))
    await d.when.click('act-send')
    await d.sees('where it is now', async () => (await d.get.text('case-part')).includes('已派遣'))
    expect(await d.get.serious()).toEqual([])
    await d.when.click('whole-case')
    await d.sees('the whole', async () => !(await d.get.seen('case-part')) && (await d.get.seen('case-parts')))
    expect(await d.get.text('case-parts')).toContain('已派遣')
    expect(d.complaints).toEqual([])
  })

  it.each([
    ['dark', 'en', 1440],
    ['light', 'zh', 390],
    ['dark', 'zh', 390],
    ['light', 'en', 1920],
  ] as const)('has nothing serious for axe, and fits: %s %s %d px', async (theme, locale, width) => {
    await open('duty_leader', { theme, locale, size: { width, height: 844 } })
    await d.sees('what may be done', () => d.get.seen('act-note'))
    await d.when.click('act-note')
    await d.sees('the form', () => d.get.seen('act-reason'))
    await d.when.click('case-ledger')
    expect(await d.get.serious()).toEqual([])
    expect(await d.get.wider()).toBe(0)
    // The links to jurisdictions stand in running text, as everywhere.
    if (width < 600) expect((await d.get.small()).filter(s => !/[村镇]/.test(s))).toEqual([])
  })
})

/** Long enough for a machine on which much else is done. */
const patient = 90_000

describe('a matter', () => {
  /** Somebody comes to a page, and signs in on the way. */
  const comes = async (login: string, path: string, width = 390) => {
    await d.given.visit(`/haining/sign-in?next=${encodeURIComponent(path)}`, {
      as: null,
      size: { width, height: width < 600 ? 844 : 900 },
    })
    await d.sees('the way in', () => d.get.seen('login'), patient)
    await d.when.signIn(login)
    await d.sees(`${login} is in`, async () => !(await d.get.path()).endsWith('/sign-in'), patient)
  }
  const says = (what: string, name: string, text: string | RegExp) =>
    d.sees(
      what,
      async () => {
        const found = await d.get.text(name)
        return typeof text === 'string' ? found.includes(text) : text.test(found)
      },
      patient,
    )

  /** An act's form is opened; who misses the button taps again. */
  const opens = (act: string, field: string) =>
    d.sees(
      `the form of ${act}`,
      async () => {
        if (!(await d.get.seen(field))) await d.when.click(act)
        return d.get.seen(field)
      },
      patient,
    )

  it('is reported, accepted and dispatched, received, fed back with a photo, verified and closed: by four people', async () => {
    const { posts } = await d.given.sessionOf('grid_worker')
    const { reports } = await d.get.json(`/reports?grid=${posts[0].area.code}&method=inside&limit=1`)
    const { lon, lat } = reports[0]

    // The grid worker tells it.
    await comes('grid_worker', `/haining?at=${lon},${lat},17`, 1440)
    await d.sees('the button', () => d.get.seen('file'), patient)
    await d.when.click('file')
    // A click that comes before the map listens is none.
    await d.sees(
      'where it was told to be',
      async () => {
        await d.when.clickMap()
        return d.get.seen('located')
      },
      patient,
    )
    await says('the grid that it lies in', 'located', posts[0].area.code)
    await d.when.fillReport('12', '公告栏贴满小广告')
    await d.when.addPhoto('photo-choose')
    await d.when.click('send') // and it goes when the photo is there
    const found = await d.sees('its number', async () => /编号 (\d+)/.exec(await d.get.text('filed'))?.[1], patient)
    const num = Number(found)

    // The desk accepts and dispatches it, on the case's page.
    await comes('desk', `/haining/case/${num}`, 1440)
    await says('that it is reported', 'case-state', '已上报')
    await opens('act-accept_file_dispatch', 'act-unit')
    await d.sees('the leader’s unit', async () => {
      await d.when.pick('act-unit', String(unit))
      return (await d.get.value('act-unit')) === String(unit)
    })
    if (await d.get.seen('act-reason')) await d.when.type('act-reason', '归该队')
    await d.when.click('act-send')
    await says('that it is dispatched', 'case-state', '已派遣')

    // The duty leader takes it, on a phone.
    await comes('duty_leader', '/haining/duty')
    await d.sees('what there is to do', () => d.get.seen('duty-row'), patient)
    await d.when.go(`/haining/duty?case=${num}`)
    await says('where it is', 'case-state', '已派遣')
    await d.when.click('act-receive')
    await says('that it is received', 'case-state', '已签收')

    // An officer of the team goes there, and shows that it is done.
    await comes('officer', `/haining/duty?case=${num}`)
    await says('where it is', 'case-state', '已签收')
    await d.when.click('act-begin')
    await says('that somebody is there', 'case-state', '处置中')
    await says('that the first response was in time', 'duty-told', /首次响应计时已停，还剩/)
    await opens('act-feed_back', 'act-form')
    await d.when.click('act-send')
    await says('that a photo is wanted', 'act-lacks', '请附照片')
    await d.when.addPhoto('photo-choose')
    await says('that the photo is there', 'photo-says', '已就绪')
    await d.when.pick('act-measure', 'cleaned')
    await d.when.pick('act-template', '0.0')
    await d.when.click('act-send')
    await says('that it is fed back', 'case-state', '已反馈，待核查')

    // Who told it looks at it, and verifies it.
    await comes('grid_worker', '/haining/duty')
    await d.sees('it is to be looked at', () => d.get.seen('duty-look'), patient)
    await d.when.go(`/haining/duty?case=${num}`)
    await says('what it looks like', 'photo-told', '照片没有位置')
    await opens('act-verify', 'act-send')
    await d.when.click('act-send')
    await says('that it is verified', 'case-state', '已核查')

    // The desk closes it.
    await comes('desk', `/haining/case/${num}`, 1440)
    await says('what was written', 'case-history', '已到现场清理完毕')
    await opens('act-close', 'act-send')
    await d.when.click('act-send')
    await says('that it is closed', 'case-state', '已结案')
    const { case: closed, acts, photos } = await d.get.json(`/cases/${num}`)
    expect([closed.state, closed.settled_by]).toEqual(['closed', 'town_team'])
    expect(acts.map((a: { act: string }) => a.act)).toEqual([
      'accept',
      'file',
      'dispatch',
      'receive',
      'begin',
      'feed_back',
      'verify',
      'close',
    ])
    // One came with the report, one shows that it is done.
    expect(photos.map((p: { act: number }) => p.act)).toEqual([0, 6])
    expect(d.foreign).toEqual([])
    expect(d.complaints).toEqual([])
  }, 400_000)

  it('is not taken by who takes the tap back, and is by who leaves', async () => {
    const other = await d.given.filed('点错了', spot, undefined, '12')
    await d.given.done(other, { act: 'accept' })
    await d.given.done(other, { act: 'file' })
    await d.given.done(other, { act: 'dispatch', unit, reason: '归该队' })
    await d.given.visit('/haining/duty', { as: 'duty_leader', size: { width: 390, height: 844 } })
    await d.sees('what there is to do', () => d.get.seen('duty-row'), patient)
    await d.when.go(`/haining/duty?case=${other}`)
    await d.sees('the step', () => d.get.seen('act-receive'), patient)
    await d.when.holdClock(true)
    await d.when.click('act-receive')
    await d.when.click('act-undo')
    await d.sees('the step again', () => d.get.seen('act-receive'), patient)
    expect((await d.get.json(`/cases/${other}`)).case.state).toBe('dispatched')
    await d.when.click('act-receive')
    await d.sees('that it waits', () => d.get.seen('act-held'), patient)
    await d.when.click('matter-back')
    await d.sees(
      'that it is received',
      async () => (await d.get.json(`/cases/${other}`)).case.state === 'received',
      patient,
    )
    await d.when.holdClock(false)
    expect(d.complaints).toEqual([])
  })

  it('is told of with the step that was lost, which is sent again; and no act goes with a photo that was refused', async () => {
    const other = await d.given.filed('没有信号', spot, undefined, '12')
    await d.given.done(other, { act: 'accept' })
    await d.given.done(other, { act: 'file' })
    await d.given.done(other, { act: 'dispatch', unit, reason: '归该队' })
    const stands = async () => (await d.get.json(`/cases/${other}`)).case.state
    await d.given.visit(`/haining/duty?case=${other}`, { as: 'duty_leader', size: { width: 390, height: 844 } })
    await d.sees('the step', () => d.get.seen('act-receive'), patient)
    await d.when.loseActs()
    await d.when.click('act-receive')
    await d.when.click('matter-back') // what waits goes when one leaves
    await says('the case that was lost', 'duty-lost', `案件${other}的`)
    expect(await d.get.text('duty-lost')).toContain('签收')
    expect(await d.get.serious()).toEqual([])
    expect(await stands()).toBe('dispatched')
    // In vain it is told of again.
    await d.when.click('duty-again')
    await d.sees('that it is lost still', () => d.get.seen('duty-again'), patient)
    await d.when.letThrough()
    await d.when.click('duty-again')
    await d.sees('that it is received', async () => (await stands()) === 'received', patient)
    await d.sees('that nothing is lost', async () => !(await d.get.seen('duty-lost')), patient)

    await d.when.go(`/haining/duty?case=${other}`)
    await d.sees('the next step', () => d.get.seen('act-begin'), patient)
    await d.when.click('act-begin')
    await says('that somebody is there', 'case-state', '处置中')
    await opens('act-feed_back', 'act-form')
    await d.when.pick('act-measure', 'cleaned')
    await d.when.pick('act-template', '0.0')
    await d.when.addPhoto('photo-choose')
    await says('that the photo is there', 'photo-says', '已就绪')
    await d.when.upload('photo-choose', 'no-photo.csv', 'a,b')
    await d.sees('both', async () => (await d.get.count('photo')) === 2)
    await d.when.click('act-send')
    await says('why it is not sent', 'act-problem', '照片')
    expect(await d.get.seen('act-form')).toBe(true)
    expect(await stands()).toBe('disposing')
    expect(d.complaints.splice(0).filter(c => !/Failed to load resource/.test(c))).toEqual([])
  })

  it('has a page that follows what others do, and keeps what was typed when somebody was quicker', async () => {
    const other = await d.given.filed('同一处小广告', spot, undefined, '12')
    await d.given.visit(`/haining/case/${other}`, { as: 'desk' })
    await says('where it is', 'case-state', '已上报')
    await d.sees('where it lies', () => d.get.seen('case-map'), patient)
    await d.when.click('act-reject')
    await d.sees('the form', () => d.get.seen('act-reason'), patient)
    await d.when.type('act-reason', '写到一半的理由')
    await d.given.done(other, { act: 'accept' })
    await says('what was done', 'case-history', '受理')
    expect(await d.get.value('act-reason')).toBe('写到一半的理由')
    await d.given.done(other, { act: 'file' })
    await says('what was written, without the act', 'act-kept', '写到一半的理由')
    await d.when.click('act-note')
    await d.sees('it stands in the next form', async () => (await d.get.value('act-reason')) === '写到一半的理由')
    expect(d.complaints).toEqual([])
  })

  it('has a map that is asked for again where it did not come, alone and then with the whole page', async () => {
    await d.given.visit('/haining/duty', { as: 'duty_leader' })
    await d.sees('what there is to do', () => d.get.seen('duty-row'), patient)
    await d.when.withhold(['SmallMap', 'CaseMap', 'MapFrame'])
    await d.when.go(`/haining/case/${num}`)
    await says('that it did not come', 'part-lost', '没有载入')
    expect(await d.get.serious()).toEqual([])
    await d.when.letThrough()
    await d.when.click('part-again')
    await d.sees('where it lies', () => d.get.seen('case-map'), patient)
    expect(await d.get.seen('part-lost')).toBe(false)
    // Its stylesheet came with it.
    expect(await d.get.height('small-map')).toBeGreaterThanOrEqual(260)
    await d.when.withhold(['SmallMap', 'CaseMap', 'MapFrame'])
    await d.when.go(`/haining/case/${num}`)
    await says('that it did not come', 'part-again', '重试')
    await d.when.click('part-again')
    await says('what is left to do', 'part-again', '重新载入')
    await d.when.letThrough()
    await d.when.click('part-again')
    await d.sees('where it lies', () => d.get.seen('case-map'), patient)
    const provoked = /Failed to load resource|Failed to fetch dynamically|Unable to preload CSS|did not load/
    expect(d.complaints.splice(0).filter(c => !provoked.test(c))).toEqual([])
  })

  it.each([
    ['dark', 'en', 390],
    ['light', 'zh', 390],
    ['light', 'en', 1920],
    ['dark', 'zh', 1024],
  ] as const)('has nothing serious for axe, and fits: %s %s %d px', async (theme, locale, width) => {
    const reader = { as: 'duty_leader', theme, locale, size: { width, height: 844 } } as const
    await d.given.visit(`/haining/case/${num}`, reader)
    await d.sees('the case', () => d.get.seen('case-history'), patient)
    await d.when.click('case-ledger')
    expect(await d.get.serious()).toEqual([])
    expect(await d.get.wider()).toBe(0)
    // Paper is white, and the map on it; the screen is as it was before.
    await d.sees('the map', async () => (await d.get.lightness('case-map')) < 0.4 === (theme === 'dark'), patient)
    expect(await d.get.printed('case-map')).toBeGreaterThan(0.75)
    await d.sees('the map', async () => (await d.get.lightness('case-map')) < 0.4 === (theme === 'dark'), patient)
    if (width < 600) expect(await d.get.small()).toEqual([])
    await d.given.visit('/haining/duty', reader)
    await d.sees('the rows', () => d.get.seen('duty-row'), patient)
    expect(await d.get.serious()).toEqual([])
    expect(await d.get.wider()).toBe(0)
    await d.when.click('duty-row')
    await d.sees('the next step', () => d.get.seen('act-next'), patient)
    await d.when.click('more-acts')
    expect(await d.get.serious()).toEqual([])
    expect(await d.get.wider()).toBe(0)
    if (width < 600) expect(await d.get.small()).toEqual([])
  })
})

describe('what one is told in time', () => {
  it('rings a bell, by days, opens the case, and is read', async () => {
    await d.given.overdue('late-1', '12', spot)
    await d.given.overdue('late-2', '12', spot)
    // The demo's own cases are told of too.
    const told = async (): Promise<{ report: number }[]> => (await d.get.json('/notices')).notices
    await d.sees('that the desk is told of both', async () => {
      const late = (await told()).map(n => n.report).filter(num => num > 120_000)
      return new Set(late).size === 2
    })
    await d.given.page('/haining', { as: 'desk' })
    await d.sees('that there is news', async () => Number.parseInt(await d.get.text('bell-count'), 10) >= 2)
    await d.when.click('bell')
    await d.sees('the notices', async () => (await d.get.count('notice-entry')) > 0)
    expect(await d.get.text('notices')).toMatch(/案件 \d+/)
    expect(await d.get.serious()).toEqual([])
    await d.when.press('Escape')
    await d.sees('that they are closed', async () => !(await d.get.seen('notices')))
    await d.when.click('bell')
    await d.sees('the notices again', () => d.get.seen('notice-entry'))
    await d.when.click('notice-entry')
    await d.sees('its case', async () => /^report:\d+$/.test((await d.get.query()).get('sel') ?? ''))
    await d.when.click('bell')
    await d.when.click('read-all')
    await d.sees('that nothing is new', async () => !(await d.get.seen('bell-count')))
    expect(d.complaints).toEqual([])
  })

  it('is nobody else’s, and of nobody who has not signed in', async () => {
    await d.given.visit('/haining/account', { as: 'planner' })
    await d.sees('the bell', () => d.get.seen('bell'))
    await d.when.click('bell')
    await d.sees('that there is nothing', async () => (await d.get.text('notices')).includes('没有通知'))
    expect(await d.get.seen('bell-count')).toBe(false)
    await d.sees('of what to be written to', () => d.get.seen('mail-amber'))
    await d.when.press('Escape')
    await d.when.check('mail-amber')
    await d.sees('that it is kept', () => d.get.seen('choice-saved'))
    expect(await d.get.serious()).toEqual([])
  })

  it.each([
    ['dark', 'en', 390],
    ['light', 'en', 1440],
  ] as const)('fits: %s %s %d px', async (theme, locale, width) => {
    await d.given.visit('/haining/account', { as: 'centre_head', theme, locale, size: { width, height: 844 } })
    await d.sees('the choice', () => d.get.seen('notice-choice'))
    expect(await d.get.wider()).toBe(0)
    expect(await d.get.serious()).toEqual([])
  })
})
