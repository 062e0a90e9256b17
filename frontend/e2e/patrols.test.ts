import { v7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Driver } from './driver'

let d: Driver
/** The middle of a demo point in the grid of the demo's worker, and that grid. */
let spot: { lon: number; lat: number }
let grid: string
beforeAll(async () => {
  d = await Driver.start()
  grid = (await d.given.sessionOf('grid_worker')).posts[0].area.code
  const { points } = await d.given.asked('grid_worker', '/patrols/points')
  spot = points.find((p: { grid: { code: string } }) => p.grid.code === grid)
})
afterAll(() => d?.stop())

const secretary = { as: 'village_secretary' } as const
const near = () => `at=${spot.lon + 0.0004},${spot.lat + 0.0002},17`
const names = async () => (await d.get.texts('point')).join('\n')
/** The point of a name, as the service has it. */
async function pointOf(name: string) {
  const { points } = await d.given.asked('village_secretary', '/patrols/points')
  return points.find((p: { name: string }) => p.name === name)
}
/** The grid's worker is at a point now. */
async function visited(name: string) {
  const { id, lon, lat } = await pointOf(name)
  const visit = { id: v7(), point: id, at: new Date().toISOString(), lon, lat, accuracy_m: 8, note: '水位正常' }
  return d.given.asked('grid_worker', '/patrols/visits', 'POST', visit)
}
/** Somebody sets a point by the keys alone, in the middle of the map. */
async function set(name: string) {
  await d.sees('the map', () => d.get.enabled('new-point'))
  await d.sees('the points', async () => (await d.get.count('point')) > 0)
  await d.when.press('n')
  await d.sees('what to do', async () => (await d.get.focused()) === 'pick-here')
  await d.when.press('Enter')
  await d.sees('the form', async () => (await d.get.focused()) === 'name')
  await d.when.type('name', name)
  await d.when.click('rhythm-3')
  await d.sees('its grid', async () => (await d.get.text('draft-grid')).includes('许村社区'))
  await d.when.click('save-point')
  await d.sees('the point', async () => (await d.get.text('point-name')) === name)
}

describe('patrols', () => {
  it('are looked at: points by how they stand, who was there, and where nobody goes', async () => {
    await d.given.visit('/haining/patrols', secretary)
    await d.sees('points', async () => (await d.get.count('point')) > 3)
    expect(await d.get.text('coverage')).toMatch(/\d+ 个网格，走到 \d+ 个/)
    expect(await d.get.serious()).toEqual([])
    const all = await d.get.count('point')
    await d.when.click('only-overdue')
    await d.sees('the overdue alone', async () => {
      const rows = await d.get.texts('point')
      return rows.length > 0 && rows.length < all && rows.every(r => /逾期 \d+ 天/.test(r))
    })
    expect((await d.get.query()).get('of')).toBe('overdue')
    await d.when.click('point')
    await d.sees('who was there', async () => (await d.get.count('visit')) > 2)
    expect(await d.get.text('visit')).toMatch(/\d+:\d+[\s\S]*(算到过|不算)[\s\S]*距点 \d+ 米/)
    expect((await d.get.query()).get('open')).toMatch(/^point:\d+$/)
    expect(await d.get.serious()).toEqual([])
    await d.when.back()
    await d.sees('that it is put away', async () => !(await d.get.seen('point-detail')))
    await d.when.click('only-overdue')
    await d.when.press('/')
    await d.when.type('search-points', '没有这样的点')
    await d.sees('that none is found', async () => (await d.get.body()).includes('没有符合条件的巡查点'))
    await d.when.type('search-points', '')
    await d.when.click('show-gaps')
    await d.sees('gaps', async () => (await d.get.count('gap')) > 1)
    // Where there is a point and nobody comes stands before where there is none.
    const kinds = await d.get.texts('gap')
    const firstNone = kinds.findIndex(k => k.includes('没有巡查点'))
    expect(kinds.slice(firstNone).every(k => k.includes('没有巡查点'))).toBe(true)
    await d.when.click('gap')
    await d.sees('the grid', async () => (await d.get.attribute('grid-state', 'data-state')) === 'missed')
    await d.when.click('grid-point')
    await d.sees('its point', async () => (await d.get.attribute('point-state', 'data-state')) === 'never')
  })

  it('are counted within a window that is chosen or typed', async () => {
    await d.given.visit('/haining/patrols?from=2026-09-20&to=2026-10-20', secretary)
    const part = async () => Number(/走到 (\d+) 个/.exec(await d.get.text('coverage'))?.[1])
    await d.sees('grids that were visited', async () => (await part()) > 1)
    await d.when.click('days-7')
    await d.sees('that nobody was there', async () => (await part()) === 0)
    expect((await d.get.query()).get('time')).toBe('7')
    await d.when.type('time-from', '2026-09-25')
    await d.when.type('time-to', '2026-10-05')
    await d.sees('those of that time', async () => (await part()) > 1)
    expect((await d.get.query()).get('to')).toBe('2026-10-06')
    await d.when.type('time-from', '2024-01-01')
    await d.sees('why not', async () => (await d.get.text('coverage-stale')).includes('时段最长 366 天'))
  })

  it('begin with a point on the map, and a visit makes it good', async () => {
    await d.given.visit(`/haining/patrols?time=7&${near()}`, secretary)
    await set('测试桥头')
    expect(await d.get.attribute('point-state', 'data-state')).toBe('never')
    expect(await d.get.text('point-rhythm')).toBe('每 3 天')
    expect(await d.get.text('coverage')).toContain('走到 0 个')
    // The feed tells of it: nothing is done on the page.
    await visited('测试桥头')
    await d.sees('that it stands well', async () => (await d.get.attribute('point-state', 'data-state')) === 'ok')
    await d.sees('the grid counted', async () => (await d.get.text('coverage')).includes('走到 1 个'))
    await d.sees('who it was', async () => (await d.get.text('visit')).includes('水位正常'))
    expect(await d.get.text('visit')).toContain('算到过')
  })

  it('change: another rhythm, another place by the hand, and back', async () => {
    await d.given.visit(`/haining/patrols?${near()}`, secretary)
    await set('测试排口')
    await d.when.press('e')
    await d.sees('the form', () => d.get.seen('point-form'))
    await d.sees('the pin', () => d.get.seen('pin'))
    await d.when.type('rhythm', '0')
    await d.when.click('save-point')
    await d.sees('what is wrong', async () => (await d.get.text('form-bad')).includes('1 至 366'))
    await d.when.type('rhythm', '10')
    const before = await pointOf('测试排口')
    await d.when.drag('pin', 24, 12)
    await d.when.click('save-point')
    await d.sees('the rhythm', async () => (await d.get.text('point-rhythm')) === '每 10 天')
    const moved = await pointOf('测试排口')
    expect(moved.lon).toBeGreaterThan(before.lon)
    expect(moved.lat).toBeLessThan(before.lat)
    await d.when.click('notice-act')
    await d.sees('what was before', async () => (await d.get.text('point-rhythm')) === '每 3 天')
    const back = await pointOf('测试排口')
    expect([back.lon, back.lat]).toEqual([before.lon, before.lat])
  })

  it('by two at once: who was first is told, with both values', async () => {
    await d.given.visit(`/haining/patrols?${near()}`, secretary)
    await set('测试围挡')
    await d.when.click('edit-point')
    await d.when.type('note', '看扬尘')
    await d.when.type('rhythm', '5')
    const p = await pointOf('测试围挡')
    await d.given.asked('desk', `/patrols/points/${p.id}`, 'PUT', { version: p.version, rhythm_days: 14 })
    await d.when.click('save-point')
    await d.sees('who was first', () => d.get.seen('conflict'))
    const said = await d.get.text('conflict')
    const { person } = await d.given.sessionOf('desk')
    expect(said).toContain(person.name)
    expect(said).toContain('每 14 天')
    expect(said).toContain('每 5 天')
    expect(said).toContain('看扬尘')
    expect(await d.get.serious()).toEqual([])
    await d.when.click('take-mine')
    await d.sees('what was taken', async () => (await d.get.text('point-rhythm')) === '每 5 天')
    expect((await pointOf('测试围挡')).note).toBe('看扬尘')
  })

  it('end, and come back with their visits', async () => {
    await d.given.visit(`/haining/patrols?${near()}`, secretary)
    await set('测试收购站')
    await visited('测试收购站')
    await d.sees('the visit', async () => (await d.get.text('visit')).includes('算到过'))
    await d.when.click('remove-point')
    await d.sees('that it is gone', async () => !(await names()).includes('测试收购站'))
    expect(await pointOf('测试收购站')).toBeUndefined()
    await d.when.click('notice-act')
    await d.sees('that it is back', async () => (await d.get.text('point-name')) === '测试收购站')
    await d.sees('its visit', async () => (await d.get.text('visit')).includes('算到过'))
    expect(await d.get.attribute('point-state', 'data-state')).toBe('ok')
  })

  it('are set in one’s own territory alone, which is said before', async () => {
    await d.given.visit('/haining/patrols?at=120.6,30.5,15', secretary)
    await d.sees('the points', async () => (await d.get.count('point')) > 0)
    await d.when.click('new-point')
    await d.when.clickMap(30, 40)
    await d.sees('why not', async () => (await d.get.text('draft-grid')).includes('不在您能设点的范围内'))
    expect(await d.get.enabled('save-point')).toBe(false)
    await d.when.type('name', '不该有的点')
    await d.when.press('Escape') // leaves the field
    await d.when.press('Escape')
    await d.sees('that it is put away', async () => !(await d.get.seen('point-form')))
    await d.when.click('notice-act')
    await d.sees('that nothing is lost', async () => (await d.get.value('name')) === '不该有的点')
  })

  it('are looked at, and no more, by who sets none; others have no such page', async () => {
    await d.given.visit('/haining/patrols', { as: 'officer' })
    await d.sees('points', async () => (await d.get.count('point')) > 0)
    expect(await d.get.seen('new-point')).toBe(false)
    await d.when.click('point')
    await d.sees('the point', () => d.get.seen('point-state'))
    expect(await d.get.seen('edit-point')).toBe(false)
    expect(await d.get.seen('remove-point')).toBe(false)
    expect(await d.get.seen('workspace-patrols')).toBe(true)
    await d.when.press('n')
    expect(await d.get.seen('picking')).toBe(false)
    await d.given.visit('/haining/patrols', { as: 'pro_bono_lawyer' })
    await d.sees('why not', () => d.get.seen('not-allowed'))
    expect(await d.get.seen('workspace-patrols')).toBe(false)
  })

  it('lead the desk from the city to a village, in English too', async () => {
    await d.given.visit('/haining/patrols?tab=areas', { as: 'desk', locale: 'en', theme: 'dark' })
    await d.sees('the towns', async () => (await d.get.count('area')) > 5)
    expect(await d.get.text('coverage')).toMatch(/\d+ of [\d,]+ grids visited/)
    expect(await d.get.texts('area').then(a => a.join())).not.toMatch(/\p{Script=Han}/u)
    expect(await d.get.serious()).toEqual([])
    await d.when.clickIn('area', 'Xucun', '')
    await d.sees('the villages', async () => (await d.get.query()).get('sel') === 'town:330481101')
    await d.sees('the village first', async () => (await d.get.count('area')) > 5)
    await d.when.clickIn('area', 'Xucun Community', '')
    await d.sees('the village', async () => (await d.get.query()).get('sel')?.startsWith('village:330481101'))
    await d.when.click('show-points')
    await d.sees('its points', async () => (await d.get.count('point')) > 3)
    await d.when.click('trail-1')
    await d.sees('the town again', async () => (await d.get.query()).get('sel') === 'town:330481101')
  })

  it('are read on a phone', async () => {
    await d.given.visit('/haining/patrols', { ...secretary, size: { width: 390, height: 844 } })
    await d.sees('the map', () => d.get.seen('new-point'))
    await d.when.click('tab-list')
    await d.sees('points', async () => (await d.get.count('point')) > 3)
    expect(await d.get.wider()).toBe(0)
    expect(await d.get.serious()).toEqual([])
    await d.when.click('point')
    await d.sees('the point', () => d.get.seen('point-detail'))
    expect(await d.get.wider()).toBe(0)
    // The browser tells of each answer that is no success; nothing else is to be complained of.
    expect(d.complaints.filter(c => !c.includes('status of 4'))).toEqual([])
  })
})

// For who looks at them: SHOTS names a folder.
describe.runIf(process.env.SHOTS)('pictures', () => {
  const sizes = [
    { width: 1440, height: 900 },
    { width: 1366, height: 768 },
    { width: 390, height: 844 },
  ]
  for (const size of sizes)
    for (const theme of ['light', 'dark'] as const)
      it(`at ${size.width}, ${theme}`, async () => {
        const locale = theme === 'dark' ? 'en' : 'zh'
        const take = async (what: string, path: string, as: string, there: string, act?: () => Promise<void>) => {
          await d.given.visit(path, { as, locale, theme, size })
          if (size.width < 1000 && ['point', 'gap', 'area'].includes(there)) {
            await d.sees('the foot', () => d.get.seen('tab-list'))
            await d.when.click('tab-list')
          }
          await d.sees(there, () => d.get.seen(there))
          if (act) await d.sees('the map', () => d.get.enabled('new-point'))
          await act?.()
          await d.sees('the map at rest', d.get.rests)
          await d.get.shot(`patrols-${what}-${size.width}-${theme}`)
        }
        const window = 'from=2026-10-01&to=2026-11-01'
        const { points } = await d.given.asked('village_secretary', '/patrols/points')
        const open = points.find((p: { last_at?: string }) => p.last_at).id
        await take('village', `/haining/patrols?${window}`, 'village_secretary', size.width < 1000 ? 'map' : 'point')
        await take('list', `/haining/patrols?${window}`, 'village_secretary', 'point')
        await take('point', `/haining/patrols?${window}&open=point:${open}`, 'village_secretary', 'visit')
        await take('gaps', `/haining/patrols?${window}&tab=gaps`, 'village_secretary', 'gap')
        await take('grid', `/haining/patrols?${window}&tab=gaps&open=grid:${grid}`, 'village_secretary', 'grid-point')
        await take('city', `/haining/patrols?${window}&tab=areas`, 'desk', 'area')
        await take('picking', `/haining/patrols?${window}`, 'village_secretary', 'new-point', () =>
          d.when.click('new-point'),
        )
        await take('form', `/haining/patrols?${window}`, 'village_secretary', 'new-point', async () => {
          await d.when.click('new-point')
          await d.when.click('pick-here')
          await d.sees('the form', () => d.get.seen('point-form'))
        })
      })
})
