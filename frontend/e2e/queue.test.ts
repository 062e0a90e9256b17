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
    expect(await d.get.focused()).toBe('triage-reason')
    await d.when.focus('reason-settled')
    await d.when.press('a') // is no command while something is filled in
    await d.when.click('triage-send')
    await d.sees('what is missing', async () => (await d.get.text('triage-lacks')) === '请写明理由。')
    await d.when.press('Escape')
    await d.sees('that it is put away', async () => !(await d.get.seen('triage-form')))
    expect(await state(first)).toBe('reported')
    await d.when.press('d')
    await d.sees('who is proposed', () => d.get.seen('proposal'))
    await d.when.click('triage-send')
    await d.sees('that it is on its way', async () => (await d.get.stateOf(first)) === '已派遣')
    expect(await d.get.serious()).toEqual([])
    await d.when.press('Escape')
    await d.when.press('?')
    await d.sees('the keys', () => d.get.seen('keys'))
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

  it('keeps a view, gives it another name and removes it, which is undone', async () => {
    await d.given.visit('/haining/queue', { as: 'desk' })
    await d.when.choose('item', '12')
    await d.when.choose('settled_by', 'none')
    await d.when.click('view-save')
    await d.when.click('view-keep')
    await d.sees('that it wants a name', async () => (await d.get.body()).includes('请写名称。'))
    await d.when.type('view-name', '噪声')
    await d.when.click('view-keep')
    await d.sees('the view', async () => (await d.get.texts('view-kept')).join().includes('噪声'))
    await d.when.click('view-rename')
    await d.when.type('view-name', '夜间噪声')
    await d.when.press('Enter')
    await d.sees('the other name', async () => /^夜间噪声/.test((await d.get.texts('view-kept')).join()))
    await d.given.visit('/haining/queue', { as: 'desk' }) // another browser
    await d.sees('it there', () => d.get.seen('view-kept'))
    await d.when.click('view-kept')
    await d.sees('what it shows', async () => (await d.get.query()).get('item') === '12')
    expect((await d.get.query()).get('settled_by')).toBe('none')
    await d.when.click('view-remove')
    await d.sees('that it is gone', async () => (await d.get.count('view-kept')) === 0)
    const { views } = await d.get.json('/views')
    expect(views.filter((v: { owner: string }) => v.owner === 'me')).toEqual([])
    await d.when.click('notice-act')
    await d.sees('it again', async () => /^夜间噪声/.test((await d.get.texts('view-kept')).join()))
    expect(d.complaints).toEqual([])
  })

  it('has a view for a unit that its head keeps, and its people have too', async () => {
    await d.given.visit('/haining/queue?state=filed', { as: 'desk' })
    const { unit } = (await d.get.session()).posts[0]
    await d.when.click('view-save')
    await d.sees('the field for its name', () => d.get.seen('view-name'))
    expect(await d.get.seen('view-whose')).toBe(false) // who leads nothing keeps views for nobody else
    await d.when.giveUnitPost('unit_head', unit)
    await d.sees('for whom', () => d.get.seen('view-whose'))
    expect(await d.get.text('view-whose')).not.toContain('全市共用')
    await d.when.type('view-name', '已立案的')
    await d.when.pick('view-whose', String(unit))
    await d.when.click('view-keep')
    await d.sees('the view', async () => (await d.get.texts('view-kept')).join().includes('已立案的'))
    await d.given.visit('/haining/queue?state=filed&mine=true', { as: 'centre_head' })
    expect((await d.get.session()).posts[0].unit).toBe(unit)
    await d.sees('it at a colleague’s', async () => (await d.get.texts('view-kept')).join().includes('已立案的'))
    const { views } = await d.get.jsonAs('/views')
    const kept = views.filter((v: { name?: string }) => v.name === '已立案的')
    expect(kept.map((v: { owner: string; unit: { id: number } }) => [v.owner, v.unit.id])).toEqual([['unit', unit]])
    await d.when.click('view-save')
    await d.sees('that the centre’s head may keep one for all', async () =>
      (await d.get.text('view-whose')).includes('全市共用'),
    )
    expect(d.complaints).toEqual([])
  })

  it('is filtered by several values, and looked through by words from the key /', async () => {
    const [one, other] = [await filed('鸵鸟越过围墙', 0.007), await filed('围墙倒了', 0.008)]
    await open(one, other)
    await d.when.choose('state', 'returned')
    await d.sees('that they are not among them', async () => !(await d.get.cases()).includes(String(one)))
    await d.when.choose('state', 'reported')
    await d.sees('both', async () => (await d.get.cases()).includes(String(other)))
    expect((await d.get.query()).get('state')).toBe('reported,returned')
    await d.when.choose('settled_by', 'committee')
    await d.sees('that nobody has settled them', () => d.get.seen('queue-empty'))
    await d.when.choose('settled_by', 'none')
    await d.sees('both', async () => (await d.get.cases()).includes(String(other)))
    const { cases } = await d.get.json(`/cases?num=${one}`)
    await d.when.choose('town', cases[0].town.code)
    await d.sees('its town alone', async () => (await d.get.query()).get('town') === cases[0].town.code)
    await d.sees('both, as they lie in it', async () => (await d.get.cases()).includes(String(other)))
    await d.when.press('/')
    expect(await d.get.focused()).toBe('words')
    await d.when.type('words', '鸵鸟 围墙')
    await d.sees('the one alone', async () => (await d.get.cases()).join() === String(one))
    await d.when.press('Escape') // out of the field
    await d.when.press('j')
    await d.sees('that the keys are the list’s', async () => (await d.get.litCase()) === String(one))
    await d.given.done(one, { act: 'accept' })
    await d.sees('that it left', () => d.get.seen('queue-empty'))
    await d.when.click('clear')
    await d.sees('everything', async () => (await d.get.cases()).length > 2)
    expect(d.complaints).toEqual([])
  })

  it('gives a case near a border to the neighbour’s team in one step', async () => {
    const { cases } = await d.get.json('/cases?limit=200')
    let found: { ref: string; num: number; to: { id: number; name: string } } | undefined
    for (const { ref, num, border_m, state } of cases) {
      if (found || border_m === undefined || !['reported', 'dispatched', 'received', 'disposing'].includes(state))
        continue
      const { neighbours } = await d.get.json(`/cases/${ref}/neighbours`)
      const other = neighbours.find((n: { same: boolean }) => !n.same)
      if (other) found = { ref, num, to: other.unit }
    }
    await d.given.visit(`/haining/queue?case=${found!.ref}`, { as: 'desk' })
    await d.sees('the neighbours', () => d.get.seen('to-neighbour'))
    await d.when.click('to-neighbour')
    await d.sees('that it went there', async () => {
      const { case: now } = await d.get.json(`/cases/${found!.ref}`)
      return now.unit.id === found!.to.id && now.state === 'dispatched'
    })
    const { acts } = await d.get.json(`/cases/${found!.ref}`)
    expect(acts.at(-1).reason).toContain('位置在边界另一侧')
    await d.sees('its team in the list', async () => (await d.get.rowOf(found!.num)).includes(found!.to.name))
    expect(d.complaints).toEqual([])
  })

  it('brings page after page, and draws no more than is in view', async () => {
    const refs: string[] = []
    for (let after = ''; refs.length === 0 || after; ) {
      const page = await d.get.json(`/cases?limit=200${after && `&after=${after}`}`)
      refs.push(...page.cases.map((c: { ref: string }) => c.ref))
      after = page.next ?? ''
    }
    expect(refs.length).toBeGreaterThan(200) // more than two pages of the page's
    await d.given.visit('/haining/queue', { as: 'desk' })
    await d.sees('the first', async () => (await d.get.cases())[0] === refs[0])
    const drawn = new Set<number>()
    await d.sees('the last', async () => {
      await d.when.scrollQueue()
      const shown = await d.get.cases()
      drawn.add(shown.length)
      return shown.at(-1) === refs.at(-1)
    })
    const shown = await d.get.cases()
    expect(shown).toEqual(refs.slice(-shown.length)) // each once, in the service's order
    expect(Math.max(...drawn)).toBeLessThan(80)
    expect(d.complaints).toEqual([])
  })

  it('says where a case stands that another was quicker with', async () => {
    const [first, second] = [await filed('快慢一', 0.005), await filed('快慢二', 0.006)]
    await open(first, second)
    await d.when.deafen()
    await d.when.go('/haining/queue?sort=opened&order=desc')
    await d.sees('the cases', async () => (await d.get.cases()).includes(String(first)))
    await d.when.press('j')
    await d.sees('the newest is lit', async () => (await d.get.litCase()) === String(second))
    await d.given.done(second, { act: 'reject', reason: '重复来电' })
    await d.when.press('a')
    await d.sees('its state now', async () => (await d.get.text('notice')).includes(`${second} 现为“不予受理”`))
    await d.sees('that it left the list', async () => !(await d.get.cases()).includes(String(second)))
    await d.when.press('d')
    await d.sees('who is proposed', () => d.get.seen('proposal'))
    await d.given.done(first, { act: 'accept' })
    await d.when.click('triage-send')
    await d.sees('its state now', async () => (await d.get.text('triage-problem')).includes(`${first} 现为“已受理”`))
    await d.sees('it in the list', async () => (await d.get.stateOf(first)) === '已受理')
    await d.when.click('triage-send') // decided again
    await d.sees('that it is on its way', async () => (await state(first)) === 'dispatched')
  })

  it('goes on with the next when what was lit left while the line was down', async () => {
    const nums = [await filed('断线一', 0.007), await filed('断线二', 0.008), await filed('断线三', 0.009)]
    const [first, second, third] = nums as [number, number, number]
    await open(...nums)
    await d.when.press('j')
    await d.when.press('j')
    await d.sees('the second is lit', async () => (await d.get.litCase()) === String(second))
    await d.when.offline(true)
    await d.sees('it is said', async () => (await d.get.text('live')).startsWith('连接中断'))
    await d.given.done(second, { act: 'reject', reason: '重复来电' })
    await d.when.offline(false)
    await d.sees('that it left the list', async () => !(await d.get.cases()).includes(String(second)))
    await d.sees('that the next is lit', async () => (await d.get.litCase()) === String(first))
    expect(await d.get.cases()).toContain(String(third))
  })

  it.each([
    ['dark', 'en', 1440],
    ['light', 'zh', 390],
    ['light', 'en', 1920],
  ] as const)('has nothing serious for axe, and fits: %s %s %d px', async (theme, locale, width) => {
    await d.given.visit('/haining/queue', { as: 'desk', theme, locale, size: { width, height: 844 } })
    await d.sees('the cases', async () => (await d.get.cases()).length > 0)
    if (width < 1024) {
      expect(await d.get.seen('filter-mine')).toBe(false)
      await d.when.click('more-filters')
      await d.sees('the filters', () => d.get.seen('filter-mine'))
    } else await d.sees('the basemap’s credit', async () => (await d.get.text('map-credit')).includes('© Nobody'))
    expect(await d.get.serious()).toEqual([])
    expect(await d.get.wider()).toBe(0)
  })

  it('is not for who may not triage', async () => {
    await d.given.visit('/haining/queue', { as: 'planner' })
    await d.sees('that it is the desk’s', () => d.get.seen('not-allowed'))
  })
})
