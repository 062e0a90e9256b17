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

describe('what one is told in time', () => {
  it('rings a bell, by days, opens the case, and is read', async () => {
    await d.given.overdue('late-1', '12', spot)
    await d.given.overdue('late-2', '12', spot)
    await d.given.page('/haining', { as: 'desk' })
    await d.sees('that there is news', async () => (await d.get.text('bell-count')) === '2')
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
