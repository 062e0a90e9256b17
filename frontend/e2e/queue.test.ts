import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Driver } from './driver'

let d: Driver
let spot = { lon: 0, lat: 0 }

beforeAll(async () => {
  d = await Driver.start()
  await d.given.visit('/haining', { as: 'duty_leader' })
  const { code } = (await d.get.session()).posts[0].area
  const { reports } = await d.get.json(`/reports?town=${code}&method=inside&limit=1`)
  spot = { lon: reports[0].lon, lat: reports[0].lat }
})
afterAll(() => d?.stop())

/** A case that the desk has to look at: of an item that the demo's rules do not send by themselves. */
const filed = (title: string, by = 0) =>
  d.given.filed(title, { lon: spot.lon + by, lat: spot.lat + by }, undefined, '12')
/** The queue with the newest first, and these cases on it. */
async function open(...nums: number[]) {
  await d.given.visit('/haining/queue?sort=opened&order=desc', { as: 'desk' })
  for (const n of nums) await d.sees(`case ${n}`, async () => (await d.get.cases()).includes(String(n)))
}
const state = async (num: number) => (await d.get.json(`/cases/${num}`)).case.state

describe('the desk’s queue', () => {
  it('is worked through from the keyboard', async () => {
    const first = await filed('键盘一')
    const second = await filed('键盘二', 0.0001)
    const third = await filed('键盘三', 0.02)
    await open(first, second, third)
    await d.when.press('j')
    await d.sees('the newest is lit', async () => (await d.get.litCase()) === String(third))
    await d.when.press('a')
    await d.sees('that it is accepted', async () => (await d.get.stateOf(third)) === '已受理')
    await d.when.press('j')
    await d.when.press('m')
    await d.sees('what may be the same', async () => (await d.get.text('merge-choice')).includes('米'))
    await d.sees('into which', async () => (await d.get.value('merge-target')) === String(first))
    await d.when.press('Enter')
    await d.sees('that it left the list', async () => !(await d.get.cases()).includes(String(second)))
    expect(await state(second)).toBe('merged')
    await d.sees('that the next is lit', async () => (await d.get.litCase()) === String(first))
    await d.when.press('r')
    await d.sees('the reasons', () => d.get.seen('reason-settled'))
    await d.when.click('triage-send')
    await d.sees('what is missing', async () => (await d.get.text('triage-lacks')) === '请写明理由。')
    await d.when.press('Escape')
    await d.sees('that it is put away', async () => !(await d.get.seen('triage-form')))
    await d.when.press('d')
    await d.sees('who is proposed', () => d.get.seen('proposal'))
    await d.when.click('triage-send')
    await d.sees('that it is on its way', async () => (await d.get.stateOf(first)) === '已派遣')
    expect(await d.get.serious()).toEqual([])
    await d.when.press('Escape')
    await d.when.press('?')
    await d.sees('the keys', () => d.get.seen('queue-keys'))
    expect(d.complaints).toEqual([])
  })

  it('does nothing of what is cancelled', async () => {
    const nums = [await filed('撤销一', 0.001), await filed('撤销二', 0.002)]
    await open(...nums)
    await d.when.press('j')
    await d.when.press('x')
    await d.when.press('Shift+ArrowDown')
    await d.sees('two are selected', async () => (await d.get.text('chosen')).includes('2'))
    await d.when.press('a')
    await d.sees('that it waits', async () => (await d.get.text('batch')).includes('秒后执行'))
    await d.when.press('u')
    await d.sees('that it is cancelled', async () => (await d.get.text('batch-ended')).includes('没有改动'))
    for (const n of nums) expect(await state(n)).toBe('reported')
    expect(d.complaints).toEqual([])
  })

  it('leaves out what another changed meanwhile, and says so', async () => {
    const [stays, changes] = [await filed('批量一', 0.003), await filed('批量二', 0.004)]
    await open(stays, changes)
    await d.when.press('j')
    await d.when.press('x')
    await d.when.press('Shift+ArrowDown')
    await d.when.press('a')
    await d.sees('that it waits', () => d.get.seen('batch'))
    await d.given.done(changes, { act: 'note', reason: '已打电话' })
    await d.sees('what became of it', async () => (await d.get.text('batch-ended')).includes('完成 1 件，未列入 1 件'))
    expect(await d.get.text('batch-left')).toBe(String(changes))
    expect(await d.get.text('batch-ended')).toContain('期间被其他人改动')
    expect([await state(stays), await state(changes)]).toEqual(['accepted', 'reported'])
    await d.sees('the state in the list', async () => (await d.get.stateOf(stays)) === '已受理')
    expect(d.complaints).toEqual([])
  })

  it.each([
    ['dark', 'en', 1440],
    ['light', 'zh', 390],
    ['light', 'en', 1920],
  ] as const)('has nothing serious for axe, and fits: %s %s %d px', async (theme, locale, width) => {
    await d.given.visit('/haining/queue', { as: 'desk', theme, locale, size: { width, height: 844 } })
    await d.sees('the cases', async () => (await d.get.cases()).length > 0)
    expect(await d.get.serious()).toEqual([])
    expect(await d.get.wider()).toBe(0)
  })

  it('is not for who may not triage', async () => {
    await d.given.visit('/haining/queue', { as: 'planner' })
    await d.sees('that it is the desk’s', () => d.get.seen('not-allowed'))
  })
})
